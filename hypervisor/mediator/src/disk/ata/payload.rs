//! What the data of a command is, and what is done with it between the guest and a drive.

use super::Ports;
use super::registers::Position;
use super::wire::{Towards, Wire};
use crate::disk::command::{After, Content, Direction, PAGE_BYTES, clip_trim};
use crate::disk::drive::Drive;
use crate::disk::filter::Refused;
use crate::disk::incident::Incident;
use sekisho_abi::disk::BlockRange;

/// The data of one command, as far as it has moved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload {
    /// Content from the disk, from block `next` on.
    Read { next: u64 },
    /// Content to the disk, from block `next` on.
    Write { next: u64 },
    /// What the drive says of itself; how many pages of it have moved.
    Answer { after: After, pages: u16 },
    /// The ranges of a TRIM.
    Trim,
    /// What a packet device reads or writes.
    Packet(Towards),
}

impl Payload {
    pub(super) const fn of(content: Content) -> Self {
        match content.direction {
            Direction::Read => Self::Read { next: content.first },
            Direction::Write => Self::Write { next: content.first },
        }
    }

    /// Which way it goes.
    pub(super) const fn towards(self) -> Towards {
        match self {
            Self::Read { .. } | Self::Answer { .. } => Towards::Memory,
            Self::Write { .. } | Self::Trim => Towards::Drive,
            Self::Packet(towards) => towards,
        }
    }

    /// Makes of what the guest wrote what the drive gets, in its place.
    ///
    /// # Errors
    /// [`Refused`]: `data` must not go to the drive.
    pub(super) fn to_drive(self, drive: &Drive, data: &mut [u8]) -> Result<(), Refused> {
        match self {
            Self::Write { next } => drive.filter().to_disk(next, data),
            Self::Read { .. } | Self::Answer { .. } | Self::Trim | Self::Packet(_) => Ok(()),
        }
    }

    /// Makes of what the drive gave what the guest reads, in its place. How many blocks read as zeros.
    pub(super) fn to_guest(self, drive: &mut Drive, data: &mut [u8]) -> u64 {
        match self {
            Self::Read { next } => drive.filter().to_guest(next, data),
            Self::Answer { after, pages } => {
                drive.answered(after, pages, data);
                0
            }
            Self::Write { .. } | Self::Trim | Self::Packet(_) => 0,
        }
    }

    /// So many bytes of it have moved.
    pub(super) fn advance(&mut self, drive: &Drive, bytes: usize) {
        match self {
            Self::Read { next } | Self::Write { next } => {
                let blocks = bytes / usize::from(drive.filter().shape().block_size.bytes());
                *next = next.saturating_add(blocks as u64);
            }
            Self::Answer { pages, .. } => {
                let moved = u16::try_from(bytes / PAGE_BYTES).unwrap_or(u16::MAX);
                *pages = pages.saturating_add(moved);
            }
            Self::Trim | Self::Packet(_) => {}
        }
    }
}

/// Leaves of the ranges in the second half of `data` what may be discarded, in the first half.
pub(super) fn clip(drive: &Drive, data: &mut [u8], bytes: usize) {
    let (clipped, payload) = data.split_at_mut(data.len() / 2);
    if let (Some(clipped), Some(payload)) = (clipped.get_mut(..bytes), payload.get(..bytes)) {
        clip_trim(payload, clipped, |asked: BlockRange| drive.filter().clip(asked));
    }
}

/// Counts blocks that read as zeros.
pub(super) fn count_zeroed<P: Ports, H>(
    wire: &mut Wire<'_, P, H>,
    position: Position,
    payload: Payload,
    zeroed: u64,
) {
    if let (Payload::Read { next }, 1..) = (payload, zeroed) {
        let port = wire.channel.port(position);
        wire.incidents
            .add_many(Incident::ZeroedBlocks, port, next, zeroed);
    }
}
