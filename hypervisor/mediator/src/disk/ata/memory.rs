//! The memory of one channel: where data lies between the guest and the drives, and the descriptor table over it.

use super::scatter::describe;
use super::spec::{BOUNDARY, DESCRIPTOR_BYTES};
use crate::disk::command::LONGEST_ANSWER;
use crate::disk::seam::{Buffer, DeviceAddress, Host, Shared};

/// Bytes of data that suit every driver: what the largest 28-bit command moves.
pub const DATA_BYTES: usize = 128 * 1024;
/// Bytes of a table over [`DATA_BYTES`] at any address.
pub const TABLE_BYTES: usize = 32;

/// What the machine gives for one channel, both below 4 GiB.
pub struct Memory {
    /// Where data lies on its way: [`DATA_BYTES`].
    pub data: Buffer,
    /// For the descriptor table: [`TABLE_BYTES`], which begin at a multiple of that.
    pub table: Buffer,
}

/// Memory with which a channel cannot work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryError {
    /// Not all of it lies below 4 GiB, or at an even address.
    Place(DeviceAddress),
    /// It is too small, the table for the data.
    Size(usize),
}

/// The memory of a channel whose drives are mediated.
pub(super) struct Shadow {
    /// `None` while the bus master has it.
    pub(super) data: Option<Buffer>,
    table: Shared,
    capacity: usize,
}

impl Shadow {
    pub(super) fn new(memory: Memory) -> Result<Self, MemoryError> {
        let Memory { data, table } = memory;
        // The ranges of a TRIM lie there twice.
        if data.length() < 2 * LONGEST_ANSWER as usize {
            return Err(MemoryError::Size(data.length()));
        }
        // One more for each boundary that it crosses.
        let descriptors = (data.length() as u64).div_ceil(BOUNDARY) + 1;
        let places = (table.length() / DESCRIPTOR_BYTES) as u64;
        if places < descriptors || table.length() as u64 > BOUNDARY {
            return Err(MemoryError::Size(table.length()));
        }
        for (buffer, alignment) in [(&data, 2), (&table, table.length().next_power_of_two() as u64)] {
            let start = buffer.address().0;
            let end = start.checked_add(buffer.length() as u64);
            if end.is_none_or(|end| end > 1 << 32) || !start.is_multiple_of(alignment) {
                return Err(MemoryError::Place(buffer.address()));
            }
        }
        Ok(Self {
            capacity: data.length(),
            data: Some(data),
            table: table.share(),
        })
    }

    /// Bytes that move at once.
    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

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
