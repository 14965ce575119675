//! What a mediator did not carry out as the guest or a device would have had it: counted by kind, and told without
//! letting it flood the log.

use core::fmt;

/// The kinds of one sort of device: a small enum.
pub trait Kind: Copy + PartialEq + 'static {
    /// Every kind, at most [`MOST_KINDS`].
    const ALL: &'static [Self];
    /// What the number before a notice is the number of; `None` where there is none.
    const PLACE: Option<&'static str>;

    /// In a few words, as the log and the status page say it.
    fn name(self) -> &'static str;

    /// What the number beside it is; `None` where it is none.
    fn subject(self) -> Option<&'static str>;
}

/// More kinds than a sort of device has.
pub const MOST_KINDS: usize = 16;

/// An incident, told when the count of its kind reaches a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice<K> {
    /// What.
    pub incident: K,
    /// At which port, or channel and drive, of its controller.
    pub port: u8,
    /// Which block, opcode or register, where it has one.
    pub subject: u64,
    /// The how manieth of its kind.
    pub count: u64,
}

impl<K: Kind> fmt::Display for Notice<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = K::PLACE {
            write!(f, "{place} {}: ", self.port)?;
        }
        f.write_str(self.incident.name())?;
        if let Some(subject) = self.incident.subject() {
            write!(f, ", {subject} {:#x}", self.subject)?;
        }
        write!(f, ", {} so far", self.count)
    }
}

/// Notices that wait for the machine to take them; more than these in one access are only counted.
const WAITING: usize = 4;

/// Counts and waiting notices of one device.
pub struct Incidents<K> {
    counts: [u64; MOST_KINDS],
    waiting: [Option<Notice<K>>; WAITING],
}

impl<K: Kind> Default for Incidents<K> {
    fn default() -> Self {
        Self {
            counts: [0; MOST_KINDS],
            waiting: [None; WAITING],
        }
    }
}

impl<K: Kind> Incidents<K> {
    /// One more of its kind.
    #[cold]
    pub fn add(&mut self, incident: K, port: u8, subject: u64) {
        self.add_many(incident, port, subject, 1);
    }

    /// So many more of its kind; a notice for each power of two is left, the last of them where there are several.
    #[cold]
    pub fn add_many(&mut self, incident: K, port: u8, subject: u64, more: u64) {
        let Some(count) = place(incident).and_then(|place| self.counts.get_mut(place)) else {
            return;
        };
        let before = *count;
        *count = before.saturating_add(more);
        if count.checked_ilog2() == before.checked_ilog2() {
            return;
        }
        let notice = Notice {
            incident,
            port,
            subject,
            count: *count,
        };
        if let Some(place) = self.waiting.iter_mut().find(|place| place.is_none()) {
            *place = Some(notice);
        }
    }

    /// How many of a kind there were.
    #[must_use]
    pub fn count(&self, incident: K) -> u64 {
        let count = place(incident).and_then(|place| self.counts.get(place));
        count.copied().unwrap_or(0)
    }

    /// The oldest notice.
    pub fn take_notice(&mut self) -> Option<Notice<K>> {
        let first = self.waiting.first_mut()?.take()?;
        self.waiting.rotate_left(1);
        Some(first)
    }
}

/// Where a kind is counted.
fn place<K: Kind>(kind: K) -> Option<usize> {
    K::ALL.iter().position(|candidate| *candidate == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Mishap {
        Refused,
        Broken,
    }

    impl Kind for Mishap {
        const ALL: &'static [Self] = &[Self::Refused, Self::Broken];
        const PLACE: Option<&'static str> = Some("port");

        fn name(self) -> &'static str {
            match self {
                Self::Refused => "refused",
                Self::Broken => "broken",
            }
        }

        fn subject(self) -> Option<&'static str> {
            (self == Self::Refused).then_some("opcode")
        }
    }

    #[test]
    fn a_notice_is_left_whenever_a_power_of_two_is_reached_or_passed() {
        let mut incidents = Incidents::default();
        incidents.add(Mishap::Refused, 1, 0xf4);
        incidents.add_many(Mishap::Refused, 1, 0xf5, 2);
        incidents.add_many(Mishap::Refused, 1, 0xf6, 3);
        incidents.add(Mishap::Refused, 1, 0xf7);
        incidents.add(Mishap::Broken, 2, 0);
        let told: alloc::vec::Vec<_> = core::iter::from_fn(|| incidents.take_notice()).collect();
        let counts: alloc::vec::Vec<_> = told.iter().map(|notice| notice.count).collect();
        assert_eq!(counts, [1, 3, 6, 1]);
        let told: alloc::vec::Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told.first().map(alloc::string::String::as_str),
            Some("port 1: refused, opcode 0xf4, 1 so far")
        );
        assert_eq!(
            told.last().map(alloc::string::String::as_str),
            Some("port 2: broken, 1 so far")
        );
        assert_eq!(incidents.count(Mishap::Refused), 7);
    }
}
