//! The two places of a channel, and what is at them.

use super::registers::Position;
use crate::disk::command::Kind;
use crate::disk::drive::Drive;

/// What is at a position.
pub(super) enum Slot {
    /// Nothing.
    Absent,
    /// Something that did not say what it is: it gets no command of the guest's.
    Broken,
    /// A drive.
    Present {
        /// The drive.
        drive: Drive,
        /// Bytes of a command descriptor block, where it is a packet device.
        packet_bytes: usize,
    },
}

/// What is at both.
pub(super) struct Slots {
    pub(super) first: Slot,
    pub(super) second: Slot,
}

impl Slot {
    /// The drive that is there.
    pub(super) const fn drive(&self) -> Option<&Drive> {
        match self {
            Self::Present { drive, .. } => Some(drive),
            Self::Absent | Self::Broken => None,
        }
    }
}

impl Slots {
    /// Both, with their positions.
    pub(super) const fn both(&self) -> [(Position, &Slot); 2] {
        [(Position::First, &self.first), (Position::Second, &self.second)]
    }

    /// What is at `position`.
    pub(super) const fn at(&mut self, position: Position) -> &mut Slot {
        match position {
            Position::First => &mut self.first,
            Position::Second => &mut self.second,
        }
    }

    /// The drive at `position`.
    pub(super) const fn drive(&mut self, position: Position) -> Option<&mut Drive> {
        match self.at(position) {
            Slot::Present { drive, .. } => Some(drive),
            Slot::Absent | Slot::Broken => None,
        }
    }

    /// Whether a packet device is at `position`.
    pub(super) fn is_packet_device(&mut self, position: Position) -> bool {
        self.drive(position)
            .is_some_and(|drive| drive.known().kind == Kind::Packet)
    }

    /// Both drives were reset.
    pub(super) fn reset(&mut self) {
        for position in Position::ALL {
            if let Some(drive) = self.drive(position) {
                drive.reset();
            }
        }
    }
}
