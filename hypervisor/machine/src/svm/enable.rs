//! Whether this CPU can carry the hypervisor, and turning SVM on.
//!
//! Source: APM volume 2, 15.4 (enabling SVM), 15.30 (SVM-related MSRs); volume 3, appendix E (CPUID).

use core::arch::x86_64::__cpuid;
use sekisho_abi::boot::Status;
use x86_64::registers::control::Cr4;
use x86_64::registers::model_specific::Msr;

const EFER: u32 = 0xc000_0080;
/// EFER.SVME.
pub(super) const EFER_SVME: u64 = 1 << 12;
/// CR4.LA57: five levels of page tables, which cannot be left in long mode.
const CR4_LA57: u64 = 1 << 12;
const VM_CR: u32 = 0xc001_0114;
/// VM_CR.SVMDIS.
const SVM_DISABLED: u64 = 1 << 4;
const VM_HSAVE_PA: u32 = 0xc001_0117;

/// What the CPU's SVM offers beyond the minimum.
#[derive(Clone, Copy)]
pub(crate) struct Features {
    /// The CPU stores the next RIP on instruction exits (8000_000Ah EDX bit 3).
    pub(super) next_rip: bool,
    /// Physical address bits (8000_0008h EAX bits 7-0).
    pub(crate) physical_bits: u32,
}

/// What this CPU offers, or why it cannot carry the hypervisor. Changes nothing.
pub(crate) fn check() -> Result<Features, Status> {
    let extended = __cpuid(0x8000_0000).eax;
    if extended < 0x8000_000a || __cpuid(0x8000_0001).ecx & 1 << 2 == 0 {
        return Err(Status::NoSvm);
    }
    if Cr4::read_raw() & CR4_LA57 != 0 {
        return Err(Status::FiveLevels);
    }
    // SAFETY: VM_CR exists where CPUID reports SVM.
    if unsafe { Msr::new(VM_CR).read() } & SVM_DISABLED != 0 {
        return Err(Status::SvmDisabled);
    }
    if __cpuid(0x8000_0001).edx & 1 << 26 == 0 {
        return Err(Status::NoGigabytePages);
    }
    let revision = __cpuid(0x8000_000a);
    if revision.edx & 1 == 0 {
        return Err(Status::NoNestedPaging);
    }
    let physical_bits = __cpuid(0x8000_0008).eax & 0xff;
    Ok(Features {
        next_rip: revision.edx & 1 << 3 != 0,
        physical_bits,
    })
}

/// Turns SVM on for this CPU.
///
/// # Safety
/// [`check`] passed on this CPU; `save_area` is the physical address of a page that only this CPU uses, for ever.
pub(super) unsafe fn enable(save_area: u64) {
    let mut efer = Msr::new(EFER);
    // SAFETY: every 64-bit CPU has EFER.
    let present = unsafe { efer.read() };
    // SAFETY: SVM is there and not disabled (the caller checked); the other bits stay.
    unsafe { efer.write(present | EFER_SVME) };
    // SAFETY: the caller gives the page away.
    unsafe { Msr::new(VM_HSAVE_PA).write(save_area) };
}
