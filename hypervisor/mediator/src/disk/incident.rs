//! What a disk mediator did not carry out as the guest or a disk would have had it: counted by kind, and told without
//! letting it flood the log.

use core::fmt;

/// One kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// A write to blocks that the guest may not write.
    RefusedWrite,
    /// A command that is not carried out.
    RefusedCommand,
    /// A command that its controller could not carry out: header, FIS, a slot in use.
    MalformedCommand,
    /// A list, table or region of a command where the guest has no memory.
    UnreachableMemory,
    /// An access to a register in a form that it does not have.
    MalformedAccess,
    /// Blocks that read as zeros because they are not the guest's.
    ZeroedBlocks,
    /// The device or its controller reported an error.
    DeviceError,
    /// A disk may have been exchanged.
    Exchanged,
    /// A disk that is not the one that was bound: closed.
    Foreign,
    /// A disk that does not answer, or nonsense: closed.
    Silent,
}

impl Incident {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::RefusedWrite,
        Self::RefusedCommand,
        Self::MalformedCommand,
        Self::UnreachableMemory,
        Self::MalformedAccess,
        Self::ZeroedBlocks,
        Self::DeviceError,
        Self::Exchanged,
        Self::Foreign,
        Self::Silent,
    ];

    /// In a few words, as the log and the status page say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefusedWrite => "write refused",
            Self::RefusedCommand => "command refused",
            Self::MalformedCommand => "malformed command",
            Self::UnreachableMemory => "command outside the guest's memory",
            Self::MalformedAccess => "malformed register access",
            Self::ZeroedBlocks => "blocks read as zeros",
            Self::DeviceError => "error of the device",
            Self::Exchanged => "disk may have been exchanged",
            Self::Foreign => "another disk, closed",
            Self::Silent => "disk does not say what it is, closed",
        }
    }

    /// What the number beside it is; `None` where it is none.
    const fn subject(self) -> Option<&'static str> {
        match self {
            Self::RefusedWrite | Self::ZeroedBlocks => Some("block"),
            Self::RefusedCommand => Some("opcode"),
            Self::MalformedAccess => Some("register"),
            Self::MalformedCommand
            | Self::UnreachableMemory
            | Self::DeviceError
            | Self::Exchanged
            | Self::Foreign
            | Self::Silent => None,
        }
    }
}

/// An incident, told when the count of its kind reaches a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What.
    pub incident: Incident,
    /// At which port, or channel and drive, of its controller.
    pub port: u8,
    /// Which block, opcode or register, where it has one.
    pub subject: u64,
    /// The how manieth of its kind.
    pub count: u64,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}: {}", self.port, self.incident.name())?;
        if let Some(subject) = self.incident.subject() {
            write!(f, ", {subject} {:#x}", self.subject)?;
        }
        write!(f, ", {} so far", self.count)
    }
}

/// Notices that wait for the machine to take them; more than these in one access are only counted.
const WAITING: usize = 4;

/// Counts and waiting notices of one controller.
#[derive(Default)]
pub struct Incidents {
    counts: [u64; Incident::ALL.len()],
    waiting: [Option<Notice>; WAITING],
}

impl Incidents {
    /// One more of its kind.
    #[cold]
    pub fn add(&mut self, incident: Incident, port: u8, subject: u64) {
        self.add_many(incident, port, subject, 1);
    }

    /// So many more of its kind; a notice for each power of two is left, the last of them where there are several.
    #[cold]
    pub fn add_many(&mut self, incident: Incident, port: u8, subject: u64, more: u64) {
        let Some(count) = self.counts.get_mut(incident as usize) else {
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
    pub fn count(&self, incident: Incident) -> u64 {
        self.counts.get(incident as usize).copied().unwrap_or(0)
    }

    /// The oldest notice.
    pub fn take_notice(&mut self) -> Option<Notice> {
        let first = self.waiting.first_mut()?.take()?;
        self.waiting.rotate_left(1);
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_kind_is_counted_in_its_own_place() {
        for (index, incident) in Incident::ALL.into_iter().enumerate() {
            assert_eq!(incident as usize, index);
        }
    }

    #[test]
    fn a_notice_is_left_whenever_a_power_of_two_is_reached_or_passed() {
        let mut incidents = Incidents::default();
        incidents.add(Incident::RefusedCommand, 1, 0xf4);
        incidents.add_many(Incident::RefusedCommand, 1, 0xf5, 2);
        incidents.add_many(Incident::RefusedCommand, 1, 0xf6, 3);
        incidents.add(Incident::RefusedCommand, 1, 0xf7);
        let told: alloc::vec::Vec<_> = core::iter::from_fn(|| incidents.take_notice()).collect();
        let counts: alloc::vec::Vec<_> = told.iter().map(|notice| notice.count).collect();
        assert_eq!(counts, [1, 3, 6]);
        assert_eq!(
            told.first().map(ToString::to_string).as_deref(),
            Some("port 1: command refused, opcode 0xf4, 1 so far")
        );
        assert_eq!(incidents.count(Incident::RefusedCommand), 7);
    }
}
