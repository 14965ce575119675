//! EFER as the guest may have it: every bit but SVME, by the rules of a CPU without SVM.
//!
//! Nor is there LMSLE, which newer CPUs dropped: QEMU's VMRUN calls it reserved, and would refuse the guest.
//!
//! Source: AMD APM volume 2, section 3.1.7 (EFER), 14.6 (activating long mode).

use bitflags::bitflags;

/// Long mode enable.
pub const LME: u64 = 1 << 8;
/// Long mode active.
pub const LMA: u64 = 1 << 10;
/// Secure virtual machine enable: the hypervisor's.
pub const SVME: u64 = 1 << 12;

const SCE: u64 = 1 << 0;
const NXE: u64 = 1 << 11;
const FFXSR: u64 = 1 << 14;
const TCE: u64 = 1 << 15;
const MCOMMIT: u64 = 1 << 17;
const INTWB: u64 = 1 << 18;
const UAIE: u64 = 1 << 20;
const AIBRSE: u64 = 1 << 21;

const CR0_PG: u64 = 1 << 31;

bitflags! {
    /// What the CPU has, of that which decides over bits in model-specific registers.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Features: u32 {
        /// Long mode and SYSCALL (8000_0001 EDX bit 29).
        const LONG_MODE = 1 << 0;
        /// No-execute (8000_0001 EDX bit 20).
        const NO_EXECUTE = 1 << 1;
        /// Fast FXSAVE (8000_0001 EDX bit 25).
        const FAST_FXSAVE = 1 << 2;
        /// Translation cache extension (8000_0001 ECX bit 17).
        const TRANSLATION_CACHE = 1 << 3;
        /// MCOMMIT (8000_0008 EBX bit 8).
        const MCOMMIT = 1 << 4;
        /// Interruptible WBINVD (8000_0008 EBX bit 13).
        const INTERRUPTIBLE_WBINVD = 1 << 5;
        /// Upper address ignore (8000_0021 EAX bit 7).
        const UPPER_ADDRESS_IGNORE = 1 << 6;
        /// Automatic IBRS (8000_0021 EAX bit 8).
        const AUTOMATIC_IBRS = 1 << 7;
        /// x2APIC (1 ECX bit 21).
        const X2APIC = 1 << 8;
        /// IA32_TSC_ADJUST (7 EBX bit 1).
        const TSC_ADJUST = 1 << 9;
    }
}

/// A value that a CPU without SVM would refuse with #GP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

/// EFER after the guest writes `value`, where it reads `present` before; both without SVME.
///
/// LMA follows paging and is kept, whatever is written: some CPUs fault, and no guest relies on that.
///
/// # Errors
/// [`Refused`] for SVME, bits the CPU does not have, and LME changed while paging is on.
pub fn compose(value: u64, present: u64, cr0: u64, features: Features) -> Result<u64, Refused> {
    if value & !(allowed(features) | LMA) != 0 {
        return Err(Refused);
    }
    if (value ^ present) & LME != 0 && cr0 & CR0_PG != 0 {
        return Err(Refused);
    }
    Ok(value & !LMA | present & LMA)
}

fn allowed(features: Features) -> u64 {
    let bits = [
        (Features::LONG_MODE, SCE | LME),
        (Features::NO_EXECUTE, NXE),
        (Features::FAST_FXSAVE, FFXSR),
        (Features::TRANSLATION_CACHE, TCE),
        (Features::MCOMMIT, MCOMMIT),
        (Features::INTERRUPTIBLE_WBINVD, INTWB),
        (Features::UPPER_ADDRESS_IGNORE, UAIE),
        (Features::AUTOMATIC_IBRS, AIBRSE),
    ];
    bits.iter()
        .filter(|(feature, _)| features.contains(*feature))
        .fold(0, |all, (_, bit)| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGING: u64 = 1 << 31;

    #[test]
    fn svm_cannot_be_enabled() {
        assert_eq!(compose(SVME, 0, 0, Features::all()), Err(Refused));
    }

    #[test]
    fn bits_that_the_cpu_lacks_fault() {
        for (bit, feature) in [
            (SCE, Features::LONG_MODE),
            (NXE, Features::NO_EXECUTE),
            (FFXSR, Features::FAST_FXSAVE),
            (TCE, Features::TRANSLATION_CACHE),
            (MCOMMIT, Features::MCOMMIT),
            (INTWB, Features::INTERRUPTIBLE_WBINVD),
            (UAIE, Features::UPPER_ADDRESS_IGNORE),
            (AIBRSE, Features::AUTOMATIC_IBRS),
        ] {
            assert_eq!(compose(bit, 0, 0, feature), Ok(bit));
            assert_eq!(
                compose(bit, 0, 0, Features::all().difference(feature)),
                Err(Refused),
                "{bit:x}"
            );
        }
        assert_eq!(compose(1 << 1, 0, 0, Features::all()), Err(Refused));
        assert_eq!(compose(1 << 63, 0, 0, Features::all()), Err(Refused));
    }

    #[test]
    fn limits_of_segments_in_long_mode_do_not_exist() {
        assert_eq!(compose(1 << 13, 0, 0, Features::all()), Err(Refused));
    }

    #[test]
    fn long_mode_cannot_change_while_paging_is_on() {
        assert_eq!(compose(LME, 0, PAGING, Features::all()), Err(Refused));
        assert_eq!(compose(0, LME | LMA, PAGING, Features::all()), Err(Refused));
        assert_eq!(compose(LME, 0, 0, Features::all()), Ok(LME));
    }

    #[test]
    fn whether_long_mode_is_active_cannot_be_written() {
        assert_eq!(
            compose(LME | SCE, LME | LMA, PAGING, Features::all()),
            Ok(LME | LMA | SCE)
        );
        assert_eq!(compose(LMA, 0, 0, Features::all()), Ok(0));
    }
}
