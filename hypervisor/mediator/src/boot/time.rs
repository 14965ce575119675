//! What the firmware's clock says, as a moment in UTC.
//!
//! Nothing is protected by it: it dates messages, and is where time stamps start that have to grow from boot to boot.
//! So a clock that is plainly wrong is as good as none, and one that only says local time is taken for UTC.

use crate::clock::Date;

/// Before this year nothing of ours existed: a clock that says so lost its battery, and counts from some epoch of its own.
const FIRST_YEAR: u16 = 2024;
const NANOSECONDS: u64 = 1_000_000_000;
/// The furthest that a zone is from UTC, in minutes (UEFI 2.10, 8.3.1).
const FURTHEST_ZONE: i16 = 1440;

/// What GetTime returns (UEFI 2.10, 8.3.1, `EFI_TIME`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FirmwareTime {
    /// Of the Gregorian calendar.
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// Up to 23.
    pub hour: u8,
    /// Up to 59.
    pub minute: u8,
    /// Up to 59.
    pub second: u8,
    /// Below a thousand million.
    pub nanosecond: u32,
    /// Minutes that are added to local time to have UTC, without summer time; `None` where the firmware does not know.
    pub zone: Option<i16>,
    /// What was added for summer.
    pub season: Season,
}

/// Whether a clock was put forward.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Season {
    /// No.
    Standard,
    /// By an hour.
    Summer,
}

impl FirmwareTime {
    /// Nanoseconds since 1970 in UTC; `None` for what is no time, or lies before anything of ours.
    #[must_use]
    pub fn since_1970(&self) -> Option<u64> {
        let is_time =
            self.hour < 24 && self.minute < 60 && self.second < 60 && self.nanosecond < 1_000_000_000;
        if !is_time || self.year < FIRST_YEAR {
            return None;
        }
        let date = Date {
            year: self.year.into(),
            month: self.month.into(),
            day: self.day.into(),
        };
        let minutes = (date.days()? * 24 + u64::from(self.hour)) * 60 + u64::from(self.minute);
        let minutes = minutes.checked_add_signed(self.minutes_to_utc()?)?;
        let seconds = minutes * 60 + u64::from(self.second);
        seconds
            .checked_mul(NANOSECONDS)?
            .checked_add(self.nanosecond.into())
    }

    /// Minutes to add.
    fn minutes_to_utc(&self) -> Option<i64> {
        let Some(zone) = self.zone else {
            return Some(0);
        };
        let summer = match self.season {
            Season::Standard => 0,
            Season::Summer => -60,
        };
        (zone.unsigned_abs() <= FURTHEST_ZONE.unsigned_abs()).then_some(i64::from(zone) + summer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 20:00:45 in UTC, as `date -u -d @1795377645` has it.
    const TIME: FirmwareTime = FirmwareTime {
        year: 2026,
        month: 11,
        day: 22,
        hour: 20,
        minute: 0,
        second: 45,
        nanosecond: 0,
        zone: Some(0),
        season: Season::Standard,
    };
    const SECONDS: u64 = 1_795_377_645;

    fn seconds(time: FirmwareTime) -> Option<u64> {
        Some(time.since_1970()? / NANOSECONDS)
    }

    #[test]
    fn a_zone_is_what_is_missing_to_utc() {
        assert_eq!(seconds(TIME), Some(SECONDS));
        // The specification's own example: noon in the Pacific zone is 8 in the evening, and its zone is 480.
        let pacific = FirmwareTime {
            hour: 12,
            zone: Some(480),
            ..TIME
        };
        assert_eq!(seconds(pacific), Some(SECONDS));
        let summer = FirmwareTime {
            hour: 13,
            season: Season::Summer,
            ..pacific
        };
        assert_eq!(seconds(summer), Some(SECONDS));
        let tokyo = FirmwareTime {
            day: 23,
            hour: 5,
            zone: Some(-540),
            ..TIME
        };
        assert_eq!(seconds(tokyo), Some(SECONDS));
    }

    #[test]
    fn a_clock_that_knows_no_zone_is_taken_for_utc() {
        let unknown = FirmwareTime {
            zone: None,
            season: Season::Summer,
            ..TIME
        };
        assert_eq!(seconds(unknown), Some(SECONDS));
    }

    #[test]
    fn nanoseconds_are_kept() {
        let late = FirmwareTime {
            nanosecond: 999_999_999,
            ..TIME
        };
        assert_eq!(late.since_1970(), Some(SECONDS * NANOSECONDS + 999_999_999));
    }

    #[test]
    fn what_is_no_time_or_too_early_is_none() {
        let wrong = [
            FirmwareTime { year: 2023, ..TIME },
            FirmwareTime { year: 9999, ..TIME },
            FirmwareTime { month: 0, ..TIME },
            FirmwareTime { month: 13, ..TIME },
            FirmwareTime { day: 31, ..TIME },
            FirmwareTime { hour: 24, ..TIME },
            FirmwareTime { minute: 60, ..TIME },
            FirmwareTime { second: 60, ..TIME },
            FirmwareTime {
                nanosecond: 1_000_000_000,
                ..TIME
            },
            FirmwareTime {
                zone: Some(1441),
                ..TIME
            },
            FirmwareTime {
                zone: Some(i16::MIN),
                ..TIME
            },
        ];
        for time in wrong {
            assert_eq!(time.since_1970(), None, "{time:?}");
        }
    }
}
