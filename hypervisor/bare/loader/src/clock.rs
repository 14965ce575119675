//! How fast the time-stamp counter runs, by the firmware's clock. The hypervisor has no other clock of its own.

use core::arch::x86_64::_rdtsc;
use core::time::Duration;
use uefi::boot;

/// What is measured: long against the cost of a firmware call, short for who waits.
const SPAN: Duration = Duration::from_millis(20);
/// Spans in a second.
const SPANS_A_SECOND: u64 = 50;
/// A span may be lengthened by what interrupts it, never shortened, so the shortest of some is right.
const TRIES: usize = 3;

/// Ticks of the time-stamp counter in a second, at least 1.
pub(crate) fn measure() -> u64 {
    let ticks = (0..TRIES).map(|_| {
        let start = now();
        boot::stall(SPAN);
        now().wrapping_sub(start)
    });
    ticks
        .min()
        .unwrap_or_default()
        .saturating_mul(SPANS_A_SECOND)
        .max(1)
}

#[expect(unsafe_code, reason = "an instruction that reads a counter")]
fn now() -> u64 {
    // SAFETY: every 64-bit CPU has a time-stamp counter, and firmware runs in ring 0, where it may be read.
    unsafe { _rdtsc() }
}
