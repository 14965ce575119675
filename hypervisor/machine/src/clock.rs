//! The hypervisor's own clock: 64 bits of nanoseconds from the time-stamp counter, which the guest cannot set here.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};
use sekisho_mediator::seam::Instant;

const NANOSECONDS: u64 = 1_000_000_000;

/// Nanoseconds since the counter was zero. Never goes back, even where the counters of two CPUs differ.
pub(crate) struct Clock {
    hertz: u64,
    latest: AtomicU64,
}

impl Clock {
    /// For a counter with this many ticks in a second.
    pub(crate) fn new(hertz: u64) -> Self {
        Self {
            hertz: hertz.max(1),
            latest: AtomicU64::new(0),
        }
    }

    /// When the counter was at `ticks`.
    pub(crate) fn at(&self, ticks: u64) -> Instant {
        Instant(nanoseconds(ticks, self.hertz))
    }

    /// Now.
    pub(crate) fn now(&self) -> Instant {
        // SAFETY: RDTSC reads a counter; every CPU in long mode has it.
        let now = self.at(unsafe { _rdtsc() }).0;
        Instant(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

fn nanoseconds(ticks: u64, hertz: u64) -> u64 {
    let (seconds, rest) = (ticks / hertz, ticks % hertz);
    // Below 18 GHz the product fits; above, time goes slower than it should, never back.
    let part = rest.saturating_mul(NANOSECONDS) / hertz;
    seconds.saturating_mul(NANOSECONDS).saturating_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_without_overflow() {
        assert_eq!(nanoseconds(0, 1), 0);
        assert_eq!(nanoseconds(3_600_000_001, 2_400_000_000), 1_500_000_000);
        assert_eq!(nanoseconds(u64::MAX, 5_000_000_000), 3_689_348_814_741_910_323);
        assert_eq!(nanoseconds(7, 1), 7 * NANOSECONDS);
    }

    #[test]
    fn the_clock_never_goes_back() {
        let clock = Clock::new(1_000_000);
        let ahead = clock.now().0 + 3_600 * NANOSECONDS;
        clock.latest.store(ahead, Ordering::Relaxed);
        assert_eq!(clock.now(), Instant(ahead));
    }
}
