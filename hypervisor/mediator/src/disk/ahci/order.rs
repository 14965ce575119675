//! The structures through which a port is told what to do: its command list, command tables and received FIS area.
//!
//! They are ours, and the controller reads and writes them at any moment. What is read here was written by the device.

use super::spec::{
    HEADER_A, HEADER_BYTES, HEADER_CFL_REGISTER, MAX_SLOTS, PACKET_BYTES, RECEIVED_BYTES, RECEIVED_USED,
    REGION_BYTES, TABLE_PACKET, TABLE_REGIONS,
};
use crate::disk::command::FIS_BYTES;
use crate::seam::{DeviceAddress, Host, Lent, Shared};
use crate::window::halves;
use alloc::collections::VecDeque;

/// Region descriptors of a table: chunks that one command can have at once.
pub(super) const MAX_REGIONS: usize = 24;

const RECEIVED: usize = MAX_SLOTS * HEADER_BYTES;
const TABLES: usize = 2048;
const TABLE_BYTES: usize = TABLE_REGIONS + MAX_REGIONS * REGION_BYTES;
/// Bytes of a port's structures, and what their address is a multiple of.
pub(super) const STRUCTURE_BYTES: usize = TABLES + MAX_SLOTS * TABLE_BYTES;
pub(super) const STRUCTURE_ALIGNMENT: usize = 1024;

// The received FIS area lies behind the list, at a multiple of its size; tables at multiples of 128 (4.2).
const _: () = assert!(RECEIVED.is_multiple_of(RECEIVED_BYTES) && RECEIVED + RECEIVED_BYTES <= TABLES);
const _: () = assert!(FIS_BYTES == 4 * HEADER_CFL_REGISTER as usize);
const _: () = assert!(TABLES.is_multiple_of(128) && TABLE_BYTES.is_multiple_of(128));

/// What one slot tells the device.
pub(super) struct Order<'a> {
    /// The command.
    pub(super) fis: [u8; FIS_BYTES],
    /// The packet of a packet command.
    pub(super) packet: Option<[u8; PACKET_BYTES]>,
    /// Of the header's first word: R, C, W.
    pub(super) flags: u32,
    /// Where its data lies, `bytes` of it, an even number.
    pub(super) chunks: &'a VecDeque<Lent>,
    /// Bytes of data.
    pub(super) bytes: usize,
}

/// A port's structures.
pub(super) struct Structures(Shared);

impl Structures {
    pub(super) const fn new(memory: Shared) -> Self {
        Self(memory)
    }

    /// For PxCLB.
    pub(super) const fn list(&self) -> DeviceAddress {
        self.0.address()
    }

    /// For PxFB.
    pub(super) const fn received_area(&self) -> DeviceAddress {
        DeviceAddress(self.0.address().0 + RECEIVED as u64)
    }

    /// Writes the command of a slot that the controller is not looking at.
    pub(super) fn write<H: Host>(&self, slot: usize, order: &Order<'_>, host: &mut H) {
        let table = TABLES + slot * TABLE_BYTES;
        self.store_bytes(table, &order.fis, host);
        if let Some(packet) = &order.packet {
            self.store_bytes(table + TABLE_PACKET, packet, host);
        }
        let (mut left, mut regions) = (order.bytes, 0_u32);
        for chunk in order.chunks {
            let bytes = left.min(chunk.length());
            if bytes == 0 {
                break;
            }
            let descriptor = table + TABLE_REGIONS + regions as usize * REGION_BYTES;
            let [low, high] = halves(chunk.address().0);
            let last = u32::try_from(bytes - 1).unwrap_or_default();
            for (index, word) in [low, high, 0, last].into_iter().enumerate() {
                host.store(&self.0, descriptor + 4 * index, word);
            }
            left -= bytes;
            regions += 1;
        }
        let a = if order.packet.is_some() { HEADER_A } else { 0 };
        let first = regions << 16 | order.flags | a | HEADER_CFL_REGISTER;
        let [low, high] = halves(self.0.address().0 + table as u64);
        for (index, word) in [first, 0, low, high].into_iter().enumerate() {
            host.store(&self.0, slot * HEADER_BYTES + 4 * index, word);
        }
    }

    /// A controller that remembers PxCI over a stop finds nothing to carry out in `slot`.
    pub(super) fn clear<H: Host>(&self, slot: usize, host: &mut H) {
        host.store(&self.0, slot * HEADER_BYTES, 0);
        host.store(&self.0, TABLES + slot * TABLE_BYTES, 0);
    }

    /// PRDBC: bytes that the controller moved for a slot's command.
    pub(super) fn transferred<H: Host>(&self, slot: usize, host: &H) -> u32 {
        host.load(&self.0, slot * HEADER_BYTES + 4)
    }

    /// What the controller received.
    pub(super) fn received<H: Host>(&self, host: &H) -> [u8; RECEIVED_USED] {
        let mut bytes = [0; RECEIVED_USED];
        let (words, _) = bytes.as_chunks_mut::<4>();
        for (index, word) in words.iter_mut().enumerate() {
            *word = host.load(&self.0, RECEIVED + 4 * index).to_le_bytes();
        }
        bytes
    }

    fn store_bytes<H: Host>(&self, offset: usize, bytes: &[u8], host: &mut H) {
        let (words, _) = bytes.as_chunks::<4>();
        for (index, word) in words.iter().enumerate() {
            host.store(&self.0, offset + 4 * index, u32::from_le_bytes(*word));
        }
    }
}
