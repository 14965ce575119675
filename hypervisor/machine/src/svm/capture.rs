//! Making the running CPU's state the guest's, and the hypervisor's its own.
//!
//! Source: APM volume 2, 15.5 (VMRUN), 15.14.1 (VMSAVE and VMLOAD), appendix B.

use super::spec::{NESTED_PAGING, Save, Segment, intercept1, intercept2};
use super::{Permissions, Vcpu, enable};
use crate::cpu::Cpu;
use crate::descriptors;
use core::arch::asm;
use core::ptr::with_exposed_provenance;
use x86_64::instructions::tables::{sgdt, sidt};
use x86_64::registers::control::{Cr0, Cr0Flags, Cr2, Cr3, Cr4, Cr4Flags, Efer};
use x86_64::registers::model_specific::Msr;
use x86_64::registers::segmentation::{CS, DS, ES, SS, Segment as _};
use x86_64::structures::DescriptorTablePointer;

const PAT: u32 = 0x277;
/// The page attribute table after reset: entry 3, used for device registers, is uncached.
const HOST_PAT: u64 = 0x0007_0406_0007_0406;
/// The guest's address space identifier. One guest, so one is enough; 0 is the host's (15.5.1).
const GUEST_ASID: u32 = 1;

/// What every CPU of the hypervisor runs with.
#[derive(Clone, Copy)]
pub(crate) struct HostState {
    /// CR3 of the hypervisor's own tables.
    pub(crate) page_tables: u64,
    /// N_CR3.
    pub(crate) nested_tables: u64,
    /// The permission maps.
    pub(crate) permissions: Permissions,
}

/// Goes on as host: fills the guest's VMCB from the running state, loads the hypervisor's own.
///
/// # Safety
/// Called on the CPU that owns `cpu`, interrupts masked, on its host stack, with page tables that map the region
/// at its physical address; [`enable::check`] passed here.
pub(crate) unsafe fn capture(cpu: &mut Cpu) {
    let host = cpu.host;
    // SAFETY: the caller checked the CPU and gives the page.
    unsafe { enable::enable(cpu.save_area) };
    let guest = cpu.vcpu.guest_vmcb as u64;
    // SAFETY: SVM is on; the VMCB is this CPU's own page. Stores FS, GS, TR, LDTR and the system-call MSRs.
    unsafe { asm!("vmsave rax", in("rax") guest, options(nostack)) };
    control(&mut cpu.vcpu, &host);
    // SAFETY: the caller runs this on the CPU to be captured, in 64-bit mode.
    unsafe { save(&mut cpu.vcpu) };
    // SAFETY: GIF off, so that nothing reaches the half-loaded host; VMRUN turns it on for the guest.
    unsafe { asm!("clgi", options(nomem, nostack)) };
    // SAFETY: the hypervisor's tables map this code, stack and data where they are now.
    unsafe { load_host(&host) };
    descriptors::load(cpu);
    let own = cpu.vcpu.host_vmcb as u64;
    // SAFETY: as for the guest's; what it stores is loaded after each exit.
    unsafe { asm!("vmsave rax", in("rax") own, options(nostack)) };
}

/// The control area: what is intercepted, and where the maps and the nested tables are.
fn control(vcpu: &mut Vcpu, host: &HostState) {
    let control = &mut vcpu.vmcb_mut().control;
    control.intercept1 = intercept1::NMI
        | intercept1::CPUID
        | intercept1::INVD
        | intercept1::INVLPGA
        | intercept1::IOIO_PROT
        | intercept1::MSR_PROT
        | intercept1::SHUTDOWN;
    control.intercept2 = intercept2::VMRUN
        | intercept2::VMMCALL
        | intercept2::VMLOAD
        | intercept2::VMSAVE
        | intercept2::STGI
        | intercept2::CLGI
        | intercept2::SKINIT;
    control.io_permissions = host.permissions.io;
    control.msr_permissions = host.permissions.msr;
    control.asid = GUEST_ASID;
    control.tlb_control = super::spec::TLB_FLUSH_ALL;
    control.nested_paging = NESTED_PAGING;
    control.nested_cr3 = host.nested_tables;
}

/// The save area: the state of the hypervisor's caller, whose registers `enter` has noted.
///
/// # Safety
/// In 64-bit mode, with readable descriptor tables.
unsafe fn save(vcpu: &mut Vcpu) {
    let registers = vcpu.registers;
    let save = &mut vcpu.vmcb_mut().save;
    let (gdt, idt) = (sgdt(), sidt());
    // SAFETY: the running segments were loaded from this GDT.
    let segment = |selector: u16| unsafe { descriptor(&gdt, selector) };
    save.cs = segment(CS::get_reg().0);
    save.ss = segment(SS::get_reg().0);
    save.ds = segment(DS::get_reg().0);
    save.es = segment(ES::get_reg().0);
    save.gdtr = table(&gdt);
    save.idtr = table(&idt);
    save.cpl = 0;
    let (frame, flags) = Cr3::read_raw();
    save.cr0 = Cr0::read_raw();
    save.cr2 = Cr2::read_raw();
    save.cr3 = frame.start_address().as_u64() | u64::from(flags);
    save.cr4 = Cr4::read_raw();
    save.efer = Efer::read_raw();
    // SAFETY: PAT exists on every 64-bit CPU.
    save.pat = unsafe { Msr::new(PAT).read() };
    debug_registers(save);
    save.rflags = registers.rflags;
    save.rip = registers.rip;
    save.rsp = registers.general[4];
    save.rax = 0;
}

fn debug_registers(save: &mut Save) {
    // SAFETY: reading DR6 and DR7 at CPL 0 has no effect. DR0-3 are not switched and stay the guest's.
    unsafe { asm!("mov {}, dr6", out(reg) save.dr6, options(nomem, nostack)) };
    // SAFETY: as above.
    unsafe { asm!("mov {}, dr7", out(reg) save.dr7, options(nomem, nostack)) };
}

fn table(pointer: &DescriptorTablePointer) -> Segment {
    Segment {
        selector: 0,
        attributes: 0,
        limit: u32::from(pointer.limit),
        base: pointer.base.as_u64(),
    }
}

/// The hidden part of a segment register, read back from its descriptor.
///
/// # Safety
/// `gdt` is the loaded GDT; a selector beyond it, of an LDT or null gives a null segment.
unsafe fn descriptor(gdt: &DescriptorTablePointer, selector: u16) -> Segment {
    let offset = selector & !7;
    if offset == 0 || selector & 4 != 0 || u32::from(offset) + 7 > u32::from(gdt.limit) {
        return Segment {
            selector,
            ..Segment::default()
        };
    }
    let entry = with_exposed_provenance::<u64>(gdt.base.as_u64() as usize + usize::from(offset));
    // SAFETY: within the limit of the caller's GDT.
    let raw = unsafe { entry.read_unaligned() };
    let attributes = (raw >> 40 & 0xff | raw >> 44 & 0xf00) as u16;
    let limit = (raw & 0xffff | raw >> 32 & 0xf_0000) as u32;
    let granular = raw >> 55 & 1 != 0;
    Segment {
        selector,
        attributes,
        limit: if granular { limit << 12 | 0xfff } else { limit },
        base: raw >> 16 & 0xff_ffff | raw >> 32 & 0xff00_0000,
    }
}

/// Loads the hypervisor's control registers.
///
/// CR4.OSXSAVE stays off but for [`crate::vectors`]: no AVX state of the guest's can be touched by chance (SVM does not
/// switch it).
///
/// # Safety
/// The tables of `host` map what runs now.
unsafe fn load_host(host: &HostState) {
    let cr0 = Cr0Flags::PROTECTED_MODE_ENABLE
        | Cr0Flags::MONITOR_COPROCESSOR
        | Cr0Flags::EXTENSION_TYPE
        | Cr0Flags::NUMERIC_ERROR
        | Cr0Flags::WRITE_PROTECT
        | Cr0Flags::PAGING;
    let cr4 = Cr4Flags::PHYSICAL_ADDRESS_EXTENSION
        | Cr4Flags::OSFXSR
        | Cr4Flags::OSXMMEXCPT_ENABLE
        | Cr4Flags::MACHINE_CHECK_EXCEPTION;
    // SAFETY: the guest's own PAT is in its VMCB; this is the host's.
    unsafe { Msr::new(PAT).write(HOST_PAT) };
    let no_execute = Efer::read_raw() | 1 << 11;
    // SAFETY: every CPU with SVM has NXE; the tables use it.
    unsafe { Efer::write_raw(no_execute) };
    // SAFETY: the caller vouches for the tables.
    unsafe { asm!("mov cr3, {}", in(reg) host.page_tables, options(nostack)) };
    // SAFETY: long mode stays on; LA57 is off (`enable::check` refused otherwise).
    unsafe { Cr4::write_raw(cr4.bits()) };
    // SAFETY: as above.
    unsafe { Cr0::write_raw(cr0.bits()) };
}
