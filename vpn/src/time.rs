//! Time as an argument: monotonic nanoseconds for timers, and TAI64N for the one message that carries a date.

use core::time::Duration;

/// Monotonic nanoseconds since a moment that the caller chose; wraps after 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(pub u64);

impl Instant {
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(delay)))
    }

    /// How long ago `earlier` was; nothing if it is yet to come.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Two clocks read at the same moment: from then on the monotonic one tells the date.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The monotonic one.
    pub now: Instant,
    /// The date: since the Unix epoch, in UTC.
    pub since_epoch: Duration,
}

/// Bytes of a [`Timestamp`].
pub(crate) const TIMESTAMP_SIZE: usize = 12;
/// TAI64's label of the Unix epoch, which was 10 s behind TAI. Leap seconds since are left out, as by every peer.
const EPOCH: u64 = (1 << 62) + 10;
/// How finely we tell a peer the time: the next power of two of nanoseconds below the least distance between two
/// initiations that a peer takes. Finer would only help to fingerprint the clock.
const GRANULARITY: u32 = 1 << 24;

/// TAI64N: seconds and nanoseconds, big endian, so that the later one is the greater one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) [u8; TIMESTAMP_SIZE]);

impl Timestamp {
    pub(crate) const EARLIEST: Self = Self([0; TIMESTAMP_SIZE]);

    pub(crate) fn at(clock: &Clock, now: Instant) -> Self {
        let date = clock.since_epoch.saturating_add(now.since(clock.now));
        let [a, b, c, d, e, f, g, h] = EPOCH.saturating_add(date.as_secs()).to_be_bytes();
        let [i, j, k, l] = (date.subsec_nanos() & !(GRANULARITY - 1)).to_be_bytes();
        Self([a, b, c, d, e, f, g, h, i, j, k, l])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The TAI64 page's example: 1992-06-02 08:06:43 TAI is 4000 0000 2a2b 2c2d; ten seconds less in Unix time.
    #[test]
    fn the_label_is_that_of_the_published_example() {
        let clock = Clock {
            now: Instant(5),
            since_epoch: Duration::from_secs(0x2a2b_2c2d - 10),
        };
        let label = Timestamp::at(&clock, Instant(5));
        assert_eq!(label.0, [0x40, 0, 0, 0, 0x2a, 0x2b, 0x2c, 0x2d, 0, 0, 0, 0]);
    }

    #[test]
    fn a_fiftieth_of_a_second_later_is_a_later_label() {
        let clock = Clock {
            now: Instant(0),
            since_epoch: Duration::from_millis(1_700_000_000_990),
        };
        let mut before = Timestamp::EARLIEST;
        for step in 0..1000 {
            let label = Timestamp::at(&clock, Instant(step * 20_000_000));
            assert!(label > before, "{step}");
            before = label;
        }
    }
}
