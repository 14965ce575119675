//! The time of day, where the loader could learn it from the firmware.

use crate::seam::Instant;
use core::fmt;

/// A moment of the machine's clock whose time of day is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallClock {
    /// The moment.
    pub at: Instant,
    /// Nanoseconds since 1970 in UTC, without leap seconds, then.
    pub since_1970: u64,
}

/// A time of day in UTC, no later than the year 2554.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeOfDay {
    date: Date,
    seconds: u64,
    microseconds: u64,
}

/// A day of the Gregorian calendar; months and days count from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Date {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
}

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;
/// From the first of March of the year 0, where cycles of 400 years begin here, to 1970.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_OF_400_YEARS: u64 = 146_097;

impl WallClock {
    /// Nanoseconds since 1970 in UTC, now: what a time stamp that must never go back starts from.
    #[must_use]
    pub const fn nanoseconds(&self, now: Instant) -> u64 {
        self.since_1970.saturating_add(now.0.saturating_sub(self.at.0))
    }

    /// What time it is.
    pub(crate) fn time(&self, now: Instant) -> TimeOfDay {
        let nanoseconds = self.nanoseconds(now);
        let seconds = nanoseconds / SECOND;
        TimeOfDay {
            date: Date::of(seconds / DAY),
            seconds: seconds % DAY,
            microseconds: nanoseconds % SECOND / 1000,
        }
    }
}

impl Date {
    /// From days since 1970. Years begin in March here, so that the leap day is their last; months then have 153 days in
    /// each five.
    pub(crate) fn of(days: u64) -> Self {
        let shifted = days + DAYS_TO_1970;
        let day_of_era = shifted % DAYS_OF_400_YEARS;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - days_of_years(year_of_era);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: shifted / DAYS_OF_400_YEARS * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - days_of_months(month_from_march) + 1,
        }
    }

    /// Days since 1970; `None` before that, and for a day that no calendar has.
    pub(crate) fn days(self) -> Option<u64> {
        let month_from_march = self.month.checked_add(9)? % 12;
        let year = self.year.checked_sub(u64::from(self.month <= 2))?;
        let before = (year / 400).checked_mul(DAYS_OF_400_YEARS)? + days_of_years(year % 400);
        let day_of_year = self
            .day
            .checked_add(days_of_months(month_from_march))?
            .checked_sub(1)?;
        let days = before.checked_add(day_of_year)?.checked_sub(DAYS_TO_1970)?;
        (Self::of(days) == self).then_some(days)
    }
}

/// Days in the first years of a cycle of 400.
const fn days_of_years(years: u64) -> u64 {
    365 * years + years / 4 - years / 100
}

/// Days in the first months from March on.
const fn days_of_months(months: u64) -> u64 {
    (153 * months + 2) / 5
}

impl TimeOfDay {
    fn clock(&self) -> (u64, u64, u64) {
        (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60)
    }

    /// As RFC 3164, 4.1.2, has it.
    pub(crate) fn bsd(&self) -> impl fmt::Display {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let time = *self;
        fmt::from_fn(move |f| {
            let (hour, minute, second) = time.clock();
            let month = usize::try_from(time.date.month)
                .ok()
                .and_then(|month| MONTHS.get(month.checked_sub(1)?));
            let month = month.copied().unwrap_or("Jan");
            write!(f, "{month} {:2} {hour:02}:{minute:02}:{second:02}", time.date.day)
        })
    }
}

impl fmt::Display for TimeOfDay {
    /// As RFC 5424, 6.2.3, has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date { year, month, day } = self.date;
        let (hour, minute, second) = self.clock();
        let microseconds = self.microseconds;
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
            since_1970: seconds * SECOND,
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
    fn time_stands_at_its_end_and_never_goes_back() {
        let clock = WallClock {
            at: Instant(10),
            since_1970: u64::MAX - 1,
        };
        assert_eq!(clock.nanoseconds(Instant(9)), u64::MAX - 1);
        assert_eq!(clock.nanoseconds(Instant(u64::MAX)), u64::MAX);
        let text = clock.time(Instant(u64::MAX)).to_string();
        assert!(text.starts_with("2554-07-21T"), "{text}");
    }

    #[test]
    fn every_day_of_five_centuries_is_found_again() {
        for days in 0..200_000 {
            assert_eq!(Date::of(days).days(), Some(days));
        }
    }

    #[test]
    fn a_day_that_no_calendar_has_is_none() {
        let of = |year, month, day| Date { year, month, day }.days();
        for (year, month, day) in [
            (2023, 2, 29),
            (2100, 2, 29),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 0, 1),
        ] {
            assert_eq!(of(year, month, day), None, "{year}-{month}-{day}");
        }
        for (year, month, day) in [
            (1969, 12, 31),
            (2024, 1, 0),
            (0, 1, 1),
            (2024, u64::MAX, 1),
            (2024, 1, u64::MAX),
        ] {
            assert_eq!(of(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
