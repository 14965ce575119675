//! Model-specific registers.

use core::arch::asm;

/// Extended features: SVME is bit 12.
pub const EFER: u32 = 0xc000_0080;
/// The local APIC's base and enable bit.
pub const APIC_BASE: u32 = 0x1b;

/// RDMSR.
#[must_use]
pub fn read(index: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading a register changes no memory; a fault comes back through `attempt`.
    unsafe { asm!("rdmsr", in("ecx") index, out("eax") low, out("edx") high, options(nostack, nomem)) };
    u64::from(high) << 32 | u64::from(low)
}

/// WRMSR.
///
/// # Safety
/// The value must leave this program's code, stack and tables usable.
pub unsafe fn write(index: u32, value: u64) {
    // SAFETY: the caller's duty.
    unsafe {
        asm!(
            "wrmsr",
            in("ecx") index,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            options(nostack),
        );
    }
}
