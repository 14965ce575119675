//! The time of day, where the loader could learn it from the firmware.

use crate::seam::Instant;
use core::fmt;

/// A moment of the machine's clock whose time of day is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallClock {
    /// The moment.
    pub at: Instant,
    /// Seconds since 1970 in UTC, without leap seconds, then.
    pub seconds: u64,
}

/// A time of day in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TimeOfDay {
    year: u64,
    month: u64,
    day: u64,
    seconds: u64,
    microseconds: u64,
}

const DAY: u64 = 86_400;

impl WallClock {
    /// What time it is.
    pub(super) fn time(&self, now: Instant) -> TimeOfDay {
        let since = now.0.saturating_sub(self.at.0);
        // The year 9999 ends before this: four digits are all there is room for.
        let total = self
            .seconds
            .saturating_add(since / 1_000_000_000)
            .min(253_402_300_799);
        let (year, month, day) = date(total / DAY);
        TimeOfDay {
            year,
            month,
            day,
            seconds: total % DAY,
            microseconds: since % 1_000_000_000 / 1000,
        }
    }
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01. Years begin in March here, so that the leap
/// day is their last; months then have 153 days in each five.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let shifted = days + 719_468;
    let day_of_era = shifted % DAYS_OF_400_YEARS;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = shifted / DAYS_OF_400_YEARS * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

impl TimeOfDay {
    fn clock(&self) -> (u64, u64, u64) {
        (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60)
    }

    /// As RFC 3164, 4.1.2, has it.
    pub(super) fn bsd(&self) -> impl fmt::Display {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let time = *self;
        fmt::from_fn(move |f| {
            let (hour, minute, second) = time.clock();
            let month = usize::try_from(time.month)
                .ok()
                .and_then(|month| MONTHS.get(month.checked_sub(1)?));
            let month = month.copied().unwrap_or("Jan");
            write!(f, "{month} {:2} {hour:02}:{minute:02}:{second:02}", time.day)
        })
    }
}

impl fmt::Display for TimeOfDay {
    /// As RFC 5424, 6.2.3, has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            microseconds,
            ..
        } = self;
        let (hour, minute, second) = self.clock();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{microseconds:06}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn at(seconds: u64) -> TimeOfDay {
        let clock = WallClock {
            at: Instant(5),
            seconds,
        };
        clock.time(Instant(1_500_000_005))
    }

    #[test]
    fn known_moments_have_their_dates() {
        // From `date -u -d @N`.
        assert_eq!(at(0).to_string(), "1970-01-01T00:00:01.500000Z");
        assert_eq!(at(951_782_398).to_string(), "2000-02-28T23:59:59.500000Z");
        assert_eq!(at(951_782_399).to_string(), "2000-02-29T00:00:00.500000Z");
        assert_eq!(at(1_709_251_199).to_string(), "2024-03-01T00:00:00.500000Z");
        assert_eq!(at(4_107_542_399).to_string(), "2100-03-01T00:00:00.500000Z");
        assert_eq!(at(1_795_377_644).bsd().to_string(), "Nov 22 20:00:45");
        assert_eq!(at(0).bsd().to_string(), "Jan  1 00:00:01");
    }

    #[test]
    fn no_moment_is_beyond_the_year_9999() {
        assert_eq!(at(u64::MAX).to_string(), "9999-12-31T23:59:59.500000Z");
    }
}
