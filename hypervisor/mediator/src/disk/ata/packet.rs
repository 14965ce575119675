//! Packet commands: the command descriptor block passes through here, and is judged before the drive gets it.
//!
//! A packet device holds no volume, so its data is the guest's as it is: by programmed I/O it passes, by bus master it
//! goes through the buffer like any other, so that a drive never reaches memory by the guest's descriptors.

use super::Ports;
use super::registers::Position;
use super::wire::Wire;
use crate::disk::command::packet::{PACKET_BYTES, PacketVerdict, judge, refused};
use crate::disk::incident::Incident;
use crate::seam::Host;
use sekisho_abi::storage::Atapi;

/// A packet command under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) position: Position,
    /// How its data moves.
    pub(super) movement: Movement,
    /// The descriptor block, as far as the guest has written it.
    block: [u8; PACKET_BYTES],
    written: usize,
    /// Bytes of the drive's descriptor blocks.
    length: usize,
}

/// How data moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Movement {
    /// By the data port.
    Port,
    /// By the bus master.
    BusMaster,
}

impl Packet {
    pub(super) const fn new(position: Position, movement: Movement, length: usize) -> Self {
        Self {
            position,
            movement,
            block: [0; PACKET_BYTES],
            written: 0,
            length,
        }
    }

    /// Whether the drive has its descriptor block.
    pub(super) const fn is_given(&self) -> bool {
        self.written >= self.length
    }

    /// The guest reads the data port.
    pub(super) fn read<P: Ports, H: Host>(&self, wire: &mut Wire<'_, P, H>, bytes: &mut [u8]) {
        if self.is_given() {
            wire.ports.read_data(wire.channel, bytes);
        } else {
            bytes.fill(u8::MAX);
        }
    }

    /// The guest writes the data port.
    pub(super) fn write<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        allowed: Atapi,
        bytes: &[u8],
    ) {
        if self.is_given() {
            wire.ports.write_data(wire.channel, bytes);
            return;
        }
        if !wire.is_ready() {
            return;
        }
        let free = self.block.get_mut(self.written..self.length).unwrap_or_default();
        for (place, byte) in free.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.written = self.length.min(self.written.saturating_add(bytes.len()));
        if self.is_given() {
            self.give(wire, allowed);
        }
    }

    fn give<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, allowed: Atapi) {
        if judge(&self.block, allowed) == PacketVerdict::Refuse {
            let [operation, ..] = self.block;
            wire.count(Incident::RefusedCommand, self.position, operation.into());
            self.block = refused();
        }
        let block = self.block.get(..self.length).unwrap_or_default();
        wire.ports.write_data(wire.channel, block);
        wire.settled();
    }
}
