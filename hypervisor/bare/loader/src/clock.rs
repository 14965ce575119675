//! How fast the time-stamp counter runs, and what time of day it is, by the firmware's clocks. The hypervisor has no other
//! clock of its own than that counter.

use core::arch::x86_64::_rdtsc;
use core::time::Duration;
use sekisho_mediator::boot::time::{FirmwareTime, Season};
use uefi::boot;
use uefi::runtime::{self, Daylight, Time};

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

/// Nanoseconds since 1970 in UTC, or zero where the firmware has no time of day; and the time-stamp counter then.
pub(crate) fn time_of_day() -> [u64; 2] {
    let time = runtime::get_time().ok();
    let since_1970 = time.and_then(|time| fields(&time).since_1970());
    [since_1970.unwrap_or(0), now()]
}

fn fields(time: &Time) -> FirmwareTime {
    FirmwareTime {
        year: time.year(),
        month: time.month(),
        day: time.day(),
        hour: time.hour(),
        minute: time.minute(),
        second: time.second(),
        nanosecond: time.nanosecond(),
        zone: time.time_zone(),
        season: if time.daylight().contains(Daylight::IN_DAYLIGHT) {
            Season::Summer
        } else {
            Season::Standard
        },
    }
}

#[expect(unsafe_code, reason = "an instruction that reads a counter")]
fn now() -> u64 {
    // SAFETY: every 64-bit CPU has a time-stamp counter, and firmware runs in ring 0, where it may be read.
    unsafe { _rdtsc() }
}
