//! Numbers that the network outside should not guess: sequence numbers, ports, the name of a boot.
//!
//! [`seed`] is not for keys: a CPU without RDRAND gives its time-stamp counter. [`draw`] is, together with what the firmware
//! gave.

use core::arch::asm;
use core::arch::x86_64::{__cpuid, _rdtsc};
use sekisho_keys::SecretBytes;

/// CPUID leaf 1, ECX: RDRAND.
const RDRAND: u32 = 1 << 30;
/// Numbers for one seed: twice the bits of a key, since a CPU may stretch what it has (NIST SP 800-90C).
const DRAWN: usize = 8;
/// RDRAND that fails so often is broken (Intel SDM volume 1, 7.3.17.1).
const TRIES: usize = 10;

/// One such number.
pub(crate) fn seed() -> u64 {
    // SAFETY: RDTSC reads a counter; every CPU in long mode has it.
    let time = unsafe { _rdtsc() };
    number().map_or(time, |value| value ^ time)
}

/// Bytes of the CPU's for keys; fewer where it fails, none where it has no source.
pub(crate) fn draw() -> SecretBytes {
    let mut drawn = SecretBytes::with_capacity(DRAWN * size_of::<u64>());
    let numbers = (0..DRAWN).map_while(|_| number());
    for byte in numbers.flat_map(u64::to_le_bytes) {
        // There is room for all of them.
        let _ = drawn.push(byte);
    }
    drawn
}

/// A number of the CPU's.
fn number() -> Option<u64> {
    if __cpuid(1).ecx & RDRAND == 0 {
        return None;
    }
    (0..TRIES).find_map(|_| {
        let (value, done): (u64, u8);
        // SAFETY: the CPU has the instruction; it changes a register and flags.
        unsafe {
            asm!("rdrand {}", "setc {}", out(reg) value, out(reg_byte) done, options(nomem, nostack));
        }
        (done != 0).then_some(value)
    })
}
