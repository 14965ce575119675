//! AMD-V: the one vendor this crate knows so far, behind [`Vcpu`] and the neutral [`Exit`].
//!
//! `enable` turns it on, `capture` makes the running firmware the guest, `world` switches, `reset` makes the state
//! that INIT leaves. What a guest may do is decided elsewhere.

mod capture;
mod enable;
mod permissions;
mod reset;
pub(crate) mod spec;
mod view;
mod world;

use crate::exit::{Exit, MemoryFault, MetBy, PortAccess, Usual};
use sekisho_mediator::cpu::emulate::Direction;
use sekisho_mediator::cpu::registers::Registers;
use spec::{Vmcb, event, exit_code, intercept1, io_info, npf_info};

pub(crate) use capture::{HostState, capture};
pub(crate) use enable::{Features, check};
pub(crate) use permissions::{Permissions, Watched};
pub(crate) use view::View;
pub(crate) use world::{leave_to, run};

/// One CPU's guest: its registers here, the rest in its VMCB.
#[repr(C, align(16))]
pub(crate) struct Vcpu {
    xmm: [u128; 16],
    /// General registers. RAX, RSP, RIP and RFLAGS live in the VMCB; see [`Vcpu::gather`].
    pub(crate) registers: Registers,
    mxcsr: u32,
    host_mxcsr: u32,
    guest_vmcb: *mut Vmcb,
    host_vmcb: *mut Vmcb,
    features: Features,
}

// SAFETY: the VMCBs are this CPU's own pages in the region; a Vcpu is moved only while it is being built.
unsafe impl Send for Vcpu {}

/// Vectors of the exceptions that fault again while another is delivered (APM volume 2, table 8-1).
const DOUBLE_FAULT: u8 = 8;
const GENERAL_PROTECTION: u8 = 13;
const PAGE_FAULT: u8 = 14;

/// An exception for the guest.
#[derive(Clone, Copy)]
pub(crate) enum Exception {
    /// #DB after a carried-out instruction, when RFLAGS.TF was set.
    SingleStep,
    /// #UD.
    InvalidOpcode,
    /// #GP with error code 0.
    GeneralProtection,
    /// #PF at the address, with the error code.
    PageFault(u64, u32),
    /// #MC, as the host got it.
    MachineCheck,
}

impl Vcpu {
    /// A guest that is not set up yet, around two zeroed pages of its own.
    pub(crate) fn new(guest_vmcb: *mut Vmcb, host_vmcb: *mut Vmcb, features: Features) -> Self {
        let registers = Registers::default();
        Self {
            xmm: [0; 16],
            registers,
            mxcsr: 0,
            host_mxcsr: 0,
            guest_vmcb,
            host_vmcb,
            features,
        }
    }

    /// What this CPU's SVM offers.
    pub(crate) fn features(&self) -> Features {
        self.features
    }

    #[inline]
    fn vmcb(&self) -> &Vmcb {
        // SAFETY: set by `new` to a page of this CPU's own; the CPU itself writes it only within VMRUN.
        unsafe { &*self.guest_vmcb }
    }

    #[inline]
    fn vmcb_mut(&mut self) -> &mut Vmcb {
        // SAFETY: as in `vmcb`, and `self` is borrowed mutably.
        unsafe { &mut *self.guest_vmcb }
    }

    /// The rest of the guest's CPU.
    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View(self.vmcb())
    }

    /// The registers, to be changed, and the rest of the guest's CPU beside them.
    #[inline]
    pub(crate) fn split(&mut self) -> (&mut Registers, View<'_>) {
        // SAFETY: as in `vmcb`; the registers lie elsewhere.
        let vmcb = unsafe { &*self.guest_vmcb };
        (&mut self.registers, View(vmcb))
    }

    /// Why the guest stopped, as far as that is usual.
    #[inline]
    pub(crate) fn usual_exit(&self) -> Usual {
        match self.vmcb().control.exit_code {
            exit_code::CPUID => Usual::Cpuid,
            exit_code::NPF => Usual::Memory,
            exit_code::IOIO => Usual::Port,
            _ => Usual::Other,
        }
    }

    /// The access that the nested tables refused, where [`Usual::Memory`].
    #[inline]
    pub(crate) fn memory_fault(&self) -> MemoryFault {
        let control = &self.vmcb().control;
        memory_fault(control.exit_info1, control.exit_info2)
    }

    /// The access to a port, where [`Usual::Port`].
    #[inline]
    pub(crate) fn port_access(&self) -> PortAccess {
        let control = &self.vmcb().control;
        port_access(control.exit_info1, control.exit_info2)
    }

    /// The offset of a store that faulted in the page at `page`, by an instruction of its own.
    #[inline]
    pub(crate) fn stored_in_page(&self, page: u64) -> Option<u16> {
        let control = &self.vmcb().control;
        let offset = control.exit_info2.wrapping_sub(page);
        let store = control.exit_info1 & (npf_info::WRITE | npf_info::GUEST_TABLE) == npf_info::WRITE;
        (offset < 0x1000 && store && !self.is_delivering()).then_some(offset as u16)
    }

    /// Why the guest stopped, where [`Usual::Other`].
    #[inline]
    pub(crate) fn exit(&self) -> Exit {
        let control = &self.vmcb().control;
        match control.exit_code {
            exit_code::MSR if control.exit_info1 == 0 => Exit::ReadMsr,
            exit_code::MSR => Exit::WriteMsr,
            exit_code::NMI => Exit::Nmi,
            exit_code::IRET => Exit::InterruptReturn,
            exit_code::DB => Exit::SingleStep,
            exit_code::INVD => Exit::InvalidateCaches,
            exit_code::PAUSE => Exit::Pause,
            exit_code::VMMCALL => Exit::Hypercall,
            exit_code::INVLPGA | exit_code::VMRUN => Exit::Virtualization,
            exit_code::VMLOAD..=exit_code::SKINIT => Exit::Virtualization,
            exit_code::SHUTDOWN => Exit::TripleFault,
            // QEMU stores 32 bits of it, CPUs 64.
            code if code as u32 == exit_code::INVALID => Exit::RefusedState,
            code => Exit::Unknown(code),
        }
    }

    /// An event whose delivery the exit interrupted is delivered again on the next entry.
    ///
    /// INT n, INT3 and INTO are not: RIP still points at them, so they are simply executed again (as a software
    /// event the CPU would push the RIP of the instruction itself). Source: APM volume 2, 15.7.2 and 15.20.
    #[inline]
    pub(crate) fn redeliver_interrupted(&mut self) {
        let control = &mut self.vmcb_mut().control;
        let interrupted = control.exit_interrupt_info;
        if interrupted & event::VALID != 0 && !is_software(interrupted) {
            control.event_injection = interrupted;
        }
    }

    /// Whether an event is to be delivered on the next entry.
    pub(crate) fn delivers(&self) -> bool {
        self.vmcb().control.event_injection & event::VALID != 0
    }

    /// Whether the exit interrupted the delivery of an event.
    #[inline]
    pub(crate) fn is_delivering(&self) -> bool {
        self.vmcb().control.exit_interrupt_info & event::VALID != 0
    }

    /// The exception whose delivery the exit interrupted.
    fn exception_in_delivery(&self) -> Option<u8> {
        let interrupted = self.vmcb().control.exit_interrupt_info;
        let exception = interrupted & event::TYPE == event::TYPE_EXCEPTION;
        (self.is_delivering() && exception).then_some(interrupted as u8)
    }

    /// The exception is delivered on the next entry, or what becomes of it where another one's delivery was
    /// interrupted: #DF, or a triple fault that the caller is told of (APM volume 2, 8.2.9, table 8-3).
    pub(crate) fn inject(&mut self, exception: Exception) -> Result<(), TripleFault> {
        let (vector, error) = match exception {
            Exception::SingleStep => (1, None),
            Exception::InvalidOpcode => (6, None),
            Exception::GeneralProtection => (GENERAL_PROTECTION, Some(0)),
            Exception::PageFault(address, error) => {
                self.vmcb_mut().save.cr2 = address;
                (PAGE_FAULT, Some(error))
            }
            Exception::MachineCheck => (18, None),
        };
        match (self.exception_in_delivery(), vector) {
            (Some(DOUBLE_FAULT), PAGE_FAULT | GENERAL_PROTECTION) => return Err(TripleFault),
            (Some(PAGE_FAULT), PAGE_FAULT | GENERAL_PROTECTION)
            | (Some(0 | 10..=GENERAL_PROTECTION), GENERAL_PROTECTION) => return self.inject_double_fault(),
            _ => {}
        }
        let code = error.map_or(0, |error: u32| event::ERROR_CODE_VALID | u64::from(error) << 32);
        self.vmcb_mut().control.event_injection =
            u64::from(vector) | event::TYPE_EXCEPTION | event::VALID | code;
        Ok(())
    }

    /// The event in delivery cannot be delivered at all: #DF, or a triple fault if it was that.
    pub(crate) fn inject_double_fault(&mut self) -> Result<(), TripleFault> {
        if self.exception_in_delivery() == Some(DOUBLE_FAULT) {
            return Err(TripleFault);
        }
        self.vmcb_mut().control.event_injection =
            u64::from(DOUBLE_FAULT) | event::TYPE_EXCEPTION | event::ERROR_CODE_VALID | event::VALID;
        Ok(())
    }

    /// An NMI is delivered on the next entry; returns from it are watched, to know when NMIs unblock.
    pub(crate) fn inject_nmi(&mut self) {
        let control = &mut self.vmcb_mut().control;
        control.event_injection = event::TYPE_NMI | 2 | event::VALID;
        control.intercept1 |= intercept1::IRET;
    }

    /// Whether the next exits tell of IRET.
    pub(crate) fn watch_interrupt_return(&mut self, on: Watch) {
        let control = &mut self.vmcb_mut().control;
        match on {
            Watch::On => control.intercept1 |= intercept1::IRET,
            Watch::Off => control.intercept1 &= !intercept1::IRET,
        }
    }

    /// Whether PAUSE exits.
    pub(crate) fn watch_pause(&mut self, on: Watch) {
        let control = &mut self.vmcb_mut().control;
        match on {
            Watch::On => control.intercept1 |= intercept1::PAUSE,
            Watch::Off => control.intercept1 &= !intercept1::PAUSE,
        }
    }

    /// Whether the guest stops after one instruction, by #DB. RFLAGS.TF is the caller's to keep.
    pub(crate) fn watch_single_step(&mut self, on: Watch) {
        const DB: u32 = 1 << 1;
        let control = &mut self.vmcb_mut().control;
        match on {
            Watch::On => control.intercept_exceptions |= DB,
            Watch::Off => control.intercept_exceptions &= !DB,
        }
    }

    /// All of the guest's translations are forgotten on the next entry.
    pub(crate) fn flush_translations(&mut self) {
        self.vmcb_mut().control.tlb_control = spec::TLB_FLUSH_ALL;
    }

    /// Ends what [`Vcpu::flush_translations`] began; called after the entry.
    #[inline]
    pub(crate) fn entered(&mut self) {
        let control = &mut self.vmcb_mut().control;
        control.event_injection = 0;
        control.tlb_control = 0;
    }

    /// The registers that the VMCB holds, copied to [`Vcpu::registers`].
    #[inline]
    pub(crate) fn gather(&mut self) {
        // SAFETY: as in `vmcb`; the fields are copied.
        let save = unsafe { &(*self.guest_vmcb).save };
        self.registers.general[0] = save.rax;
        self.registers.general[4] = save.rsp;
        self.registers.rip = save.rip;
        self.registers.rflags = save.rflags;
    }

    /// The opposite of [`Vcpu::gather`].
    #[inline]
    pub(crate) fn scatter(&mut self) {
        // SAFETY: as in `vmcb_mut`; distinct from `registers`.
        let save = unsafe { &mut (*self.guest_vmcb).save };
        save.rax = self.registers.general[0];
        save.rsp = self.registers.general[4];
        save.rip = self.registers.rip;
        save.rflags = self.registers.rflags;
    }

    /// The general register with this number.
    #[inline]
    pub(crate) fn general(&self, number: u8) -> u64 {
        match number {
            0 => self.vmcb().save.rax,
            4 => self.vmcb().save.rsp,
            _ => self
                .registers
                .general
                .get(usize::from(number))
                .copied()
                .unwrap_or_default(),
        }
    }

    /// RAX.
    #[inline]
    pub(crate) fn rax(&self) -> u64 {
        self.vmcb().save.rax
    }

    /// Sets RAX.
    #[inline]
    pub(crate) fn set_rax(&mut self, value: u64) {
        self.vmcb_mut().save.rax = value;
    }

    /// RIP.
    #[inline]
    pub(crate) fn rip(&self) -> u64 {
        self.vmcb().save.rip
    }

    /// RSP.
    pub(crate) fn rsp(&self) -> u64 {
        self.vmcb().save.rsp
    }

    /// Whether the guest is behind a STI or MOV SS that still holds interrupts off.
    pub(crate) fn in_interrupt_shadow(&self) -> bool {
        self.vmcb().control.interrupt_shadow & spec::INTERRUPT_SHADOW != 0
    }

    /// CR0.
    pub(crate) fn cr0(&self) -> u64 {
        self.vmcb().save.cr0
    }

    /// RFLAGS.
    pub(crate) fn rflags(&self) -> u64 {
        self.vmcb().save.rflags
    }

    /// Sets RFLAGS.
    pub(crate) fn set_rflags(&mut self, rflags: u64) {
        self.vmcb_mut().save.rflags = rflags;
    }

    /// CR4, for CPUID.
    #[inline]
    pub(crate) fn cr4(&self) -> u64 {
        self.vmcb().save.cr4
    }

    /// EFER as the guest sees it: without SVME, which the CPU demands here (APM volume 2, 15.5.1).
    pub(crate) fn efer(&self) -> u64 {
        self.vmcb().save.efer & !enable::EFER_SVME
    }

    /// Sets EFER, keeping SVME.
    pub(crate) fn set_efer(&mut self, efer: u64) {
        self.vmcb_mut().save.efer = efer | enable::EFER_SVME;
    }

    /// What the guest's time-stamp counter is ahead of the machine's.
    pub(crate) fn tsc_offset(&self) -> u64 {
        self.vmcb().control.tsc_offset
    }

    /// Sets it.
    pub(crate) fn set_tsc_offset(&mut self, offset: u64) {
        self.vmcb_mut().control.tsc_offset = offset;
    }

    /// The instruction that caused the exit is done: the interrupt shadow ends and RF clears; says whether a
    /// single-step #DB is due (RFLAGS.TF). DR6.BS is set for it.
    #[inline]
    pub(crate) fn retire(&mut self, next_rip: u64) {
        const TRAP: u64 = 1 << 8;
        const RESUME: u64 = 1 << 16;
        const SINGLE_STEP: u64 = 1 << 14;
        let vmcb = self.vmcb_mut();
        vmcb.save.rip = next_rip;
        vmcb.control.interrupt_shadow = 0;
        vmcb.save.rflags &= !RESUME;
        if vmcb.save.rflags & TRAP != 0 {
            vmcb.save.dr6 |= SINGLE_STEP;
            vmcb.control.event_injection = 1 | event::TYPE_EXCEPTION | event::VALID;
        }
    }

    /// RIP behind the intercepted instruction, from the CPU where it says so, else `length` bytes on.
    #[inline]
    pub(crate) fn next_rip(&self, length: u64) -> u64 {
        if self.features.next_rip {
            self.vmcb().control.next_rip
        } else {
            self.rip().wrapping_add(length)
        }
    }

    /// A CPU that lost the interrupt shadow over an exit gets it back as far as that is possible.
    ///
    /// QEMU's TCG clears the shadow on any exit; "sti; hlt" would then lose a wake-up between the two. If the
    /// instruction before was STI, it is run again with interrupts off before it. Source: observed; real CPUs
    /// keep the shadow in the VMCB and come here with `interrupt_shadow` set and honoured, where this is harmless. A
    /// MOV SS that ends in the same byte is told apart as far as the state tells: STI leaves IF set, and kernels
    /// alone use it.
    pub(crate) fn replay_shadow(&mut self, previous: Option<u8>) {
        const STI: u8 = 0xfb;
        const INTERRUPTS: u64 = 1 << 9;
        let vmcb = self.vmcb_mut();
        let behind_sti = previous == Some(STI) && vmcb.save.cpl == 0 && vmcb.save.rflags & INTERRUPTS != 0;
        if vmcb.control.interrupt_shadow & spec::INTERRUPT_SHADOW != 0 && behind_sti {
            vmcb.save.rip = vmcb.save.rip.wrapping_sub(1);
            vmcb.save.rflags &= !INTERRUPTS;
            vmcb.control.interrupt_shadow = 0;
        }
    }
}

/// Whether something is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// It causes an exit.
    On,
    /// It does not.
    Off,
}

/// The guest's exceptions nested once too often: the platform resets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TripleFault;

/// EXITINFO1 and EXITINFO2 of a nested page fault (APM volume 2, 15.25.6).
#[inline]
fn memory_fault(info: u64, address: u64) -> MemoryFault {
    let write = info & npf_info::WRITE != 0;
    let table = info & npf_info::GUEST_TABLE != 0;
    MemoryFault {
        address,
        direction: if write { Direction::Write } else { Direction::Read },
        met_by: if table {
            MetBy::TableWalk
        } else {
            MetBy::Instruction
        },
    }
}

/// Whether the event comes from an INT n, INT3 or INTO instruction.
fn is_software(interrupted: u64) -> bool {
    let exception = interrupted & event::TYPE == event::TYPE_EXCEPTION;
    interrupted & event::TYPE == event::TYPE_SOFTWARE || exception && matches!(interrupted & 0xff, 3 | 4)
}

/// EXITINFO1 and EXITINFO2 of an IOIO exit (APM volume 2, 15.10.2).
#[inline]
fn port_access(info: u64, next_rip: u64) -> PortAccess {
    PortAccess {
        port: (info >> io_info::PORT_SHIFT) as u16,
        width: (info >> io_info::WIDTH_SHIFT & 7) as u8,
        read: info & io_info::IN != 0,
        string: info & io_info::STRING != 0,
        next_rip,
    }
}
