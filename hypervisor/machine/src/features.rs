//! What the CPU has, where registers that are ours depend on it.

use core::arch::x86_64::{__cpuid, __cpuid_count};
use sekisho_mediator::cpu::efer::Features;

/// From CPUID; the leaf and bit of each is told with the flag.
pub(crate) fn guest() -> Features {
    let (basic, extended) = (__cpuid(0).eax, __cpuid(0x8000_0000).eax);
    let leaf = |number: u32| {
        let exists = number <= if number < 0x8000_0000 { basic } else { extended };
        exists.then(|| __cpuid_count(number, 0))
    };
    let mut features = Features::empty();
    let mut note = |feature, present: bool| features.set(feature, present);
    if let Some(leaf) = leaf(1) {
        note(Features::X2APIC, leaf.ecx & 1 << 21 != 0);
    }
    if let Some(leaf) = leaf(7) {
        note(Features::TSC_ADJUST, leaf.ebx & 1 << 1 != 0);
    }
    if let Some(leaf) = leaf(0x8000_0001) {
        note(Features::LONG_MODE, leaf.edx & 1 << 29 != 0);
        note(Features::NO_EXECUTE, leaf.edx & 1 << 20 != 0);
        note(Features::FAST_FXSAVE, leaf.edx & 1 << 25 != 0);
        note(Features::TRANSLATION_CACHE, leaf.ecx & 1 << 17 != 0);
    }
    if let Some(leaf) = leaf(0x8000_0008) {
        note(Features::MCOMMIT, leaf.ebx & 1 << 8 != 0);
        note(Features::INTERRUPTIBLE_WBINVD, leaf.ebx & 1 << 13 != 0);
    }
    if let Some(leaf) = leaf(0x8000_0021) {
        note(Features::UPPER_ADDRESS_IGNORE, leaf.eax & 1 << 7 != 0);
        note(Features::AUTOMATIC_IBRS, leaf.eax & 1 << 8 != 0);
    }
    features
}
