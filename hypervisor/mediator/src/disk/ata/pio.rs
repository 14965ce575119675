//! Programmed I/O: the data of a command, one block between two interrupts at a time.
//!
//! The drive carries out the guest's command as it is, so its interrupts and its status are those that the guest waits
//! for. Only the data port is ours: a block from the drive is taken whole, and given to the guest as it reads; a block
//! of the guest's is given to the drive when it is whole. While the guest reads a block, the drive may already have the
//! next one, and say so: the guest finds it when it has read to the end.

use super::Ports;
use super::payload::{Payload, count_zeroed};
use super::registers::Position;
use super::spec::status;
use super::wire::{Towards, Wire};
use crate::disk::drive::Drive;
use crate::disk::filter::Refused;
use crate::disk::incident::Incident;
use crate::seam::{Buffer, Host};

/// What the guest reads in the status while it takes a block: ready, not busy, data. Bit 4 is set in every drive that
/// still has it.
const TAKING: u8 = status::READY | 1 << 4 | status::DATA_REQUEST;

/// A transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pio {
    pub(super) position: Position,
    pub(super) payload: Payload,
    /// Bytes between two interrupts.
    pub(super) unit: usize,
    /// Bytes that have not moved between the drive and the buffer.
    pub(super) left: usize,
    pub(super) block: Block,
}

/// The block in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Block {
    /// None: the drive is at work, or has data, or waits for data.
    None,
    /// The guest has moved `at` of its `end` bytes.
    Open { at: usize, end: usize },
}

/// Whether a transfer goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// It does.
    Going,
    /// What is left of it is between the guest and the drive.
    Over,
    /// It cannot go on: what the drive waits for is not for it to have.
    Failed,
}

impl Pio {
    /// What the guest sees in place of the drive's status.
    pub(super) const fn status(&self) -> Option<u8> {
        match (self.block, self.payload.towards()) {
            (Block::Open { .. }, Towards::Memory) => Some(TAKING),
            _ => None,
        }
    }

    /// The guest reads the data port.
    pub(super) fn read<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        buffer: &mut Buffer,
        bytes: &mut [u8],
    ) -> Progress {
        let mut rest = bytes;
        while !rest.is_empty() && self.payload.towards() == Towards::Memory {
            let Some((at, end)) = self.open(wire, drive, buffer) else {
                break;
            };
            let (part, behind) = rest.split_at_mut(rest.len().min(end - at));
            wire.host.with(buffer, |block, _| {
                if let Some(source) = block.get(at..at + part.len()) {
                    part.copy_from_slice(source);
                }
            });
            if self.close(at + part.len(), end) && self.left == 0 {
                behind.fill(u8::MAX);
                return Progress::Over;
            }
            rest = behind;
        }
        rest.fill(u8::MAX);
        Progress::Going
    }

    /// The guest writes the data port.
    pub(super) fn write<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        buffer: &mut Buffer,
        bytes: &[u8],
    ) -> Progress {
        let mut rest = bytes;
        while !rest.is_empty() && self.payload.towards() == Towards::Drive {
            let Some((at, end)) = self.open(wire, drive, buffer) else {
                break;
            };
            let (part, behind) = rest.split_at(rest.len().min(end - at));
            wire.host.with(buffer, |block, _| {
                if let Some(place) = block.get_mut(at..at + part.len()) {
                    place.copy_from_slice(part);
                }
            });
            if self.close(at + part.len(), end) {
                match self.give(wire, drive, buffer, end) {
                    Progress::Going => {}
                    ended => return ended,
                }
            }
            rest = behind;
        }
        Progress::Going
    }

    /// The block that the guest is at, opened if the drive is ready for it.
    fn open<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        buffer: &mut Buffer,
    ) -> Option<(usize, usize)> {
        if let Block::Open { at, end } = self.block {
            return Some((at, end));
        }
        if !wire.is_ready() {
            return None;
        }
        let end = self.unit.min(self.left);
        if self.payload.towards() == Towards::Memory {
            self.take(wire, drive, buffer, end);
        }
        self.block = Block::Open { at: 0, end };
        Some((0, end))
    }

    /// Takes a block from the drive.
    fn take<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        buffer: &mut Buffer,
        length: usize,
    ) {
        // A block with an error in it is the last (ATA/ATAPI-7 volume 2, 11.6).
        let failed = wire.alternate() & (status::ERROR | status::FAULT) != 0;
        let (ports, channel, payload) = (&mut *wire.ports, wire.channel, self.payload);
        let zeroed = wire.host.with(buffer, |bytes, _| {
            let Some(block) = bytes.get_mut(..length) else {
                return 0;
            };
            ports.read_data(channel, block);
            payload.to_guest(drive, block)
        });
        count_zeroed(wire, self.position, payload, zeroed);
        self.payload.advance(drive, length);
        self.left = if failed { 0 } else { self.left - length };
    }

    /// Gives a whole block to the drive.
    fn give<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &Drive,
        buffer: &mut Buffer,
        length: usize,
    ) -> Progress {
        let (ports, channel, payload) = (&mut *wire.ports, wire.channel, self.payload);
        let given = wire.host.with(buffer, |bytes, _| -> Result<(), Refused> {
            let block = bytes.get_mut(..length).unwrap_or_default();
            payload.to_drive(drive, block)?;
            ports.write_data(channel, block);
            Ok(())
        });
        if let Err(refused) = given {
            wire.count(Incident::RefusedWrite, self.position, refused.block);
            return Progress::Failed;
        }
        wire.settled();
        self.payload.advance(drive, length);
        self.left -= length;
        if self.left == 0 {
            Progress::Over
        } else {
            Progress::Going
        }
    }

    /// The guest has moved the block up to `at`; whether that is all of it.
    const fn close(&mut self, at: usize, end: usize) -> bool {
        let closed = at == end;
        self.block = if closed {
            Block::None
        } else {
            Block::Open { at, end }
        };
        closed
    }
}
