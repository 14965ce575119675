//! The memory of one channel: where data lies between the guest and the drives, and the descriptor table over it.

use super::scatter::describe;
use super::spec::DESCRIPTOR_BYTES;
use crate::disk::command::LONGEST_ANSWER;
use crate::seam::{Buffer, DeviceAddress, Host, Shared};

/// Bytes of data: what the largest 28-bit command moves, and twice the ranges of the largest TRIM.
const DATA_BYTES: usize = 128 * 1024;
/// No region begins at an odd address, and one that begins at a boundary needs the fewest descriptors.
const DATA_ALIGNMENT: usize = 64 * 1024;
/// Bytes of a table over [`DATA_BYTES`] at any address, and its alignment: it must not cross a boundary.
const TABLE_BYTES: usize = 32;

/// The memory of a channel.
pub(super) struct Shadow {
    /// `None` while the bus master has it.
    pub(super) data: Option<Buffer>,
    table: Shared,
}

impl Shadow {
    /// Out of what `memory` gives: a length at an alignment, in bytes. `None` where it gives none, or none below 4 GiB.
    pub(super) fn new(memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>) -> Option<Self> {
        let mut low = |bytes, alignment| {
            let buffer = memory(bytes, alignment)?;
            let end = buffer.address().0.checked_add(buffer.length() as u64)?;
            (end <= 1 << 32 && buffer.length() >= bytes).then_some(buffer)
        };
        Some(Self {
            data: Some(low(DATA_BYTES, DATA_ALIGNMENT)?),
            table: low(TABLE_BYTES, TABLE_BYTES)?.share(),
        })
    }

    /// Bytes that move at once.
    pub(super) const CAPACITY: usize = DATA_BYTES;

    /// Writes the table over the first `length` bytes of `data`; where it lies.
    pub(super) fn describe(&self, host: &mut impl Host, data: DeviceAddress, length: usize) -> DeviceAddress {
        for (descriptor, offset) in describe(data, length).zip((0..).step_by(DESCRIPTOR_BYTES)) {
            let [a0, a1, a2, a3, rest @ ..] = descriptor.encode();
            host.store(&self.table, offset, u32::from_le_bytes([a0, a1, a2, a3]));
            host.store(&self.table, offset + 4, u32::from_le_bytes(rest));
        }
        self.table.address()
    }
}

// The ranges of a TRIM lie there twice.
const _: () = assert!(DATA_BYTES >= 2 * LONGEST_ANSWER as usize);
