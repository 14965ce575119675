//! Shadow buffers: where the data of the guest's commands lies while a device has it.
//!
//! There is a fixed number of chunks for a controller, and no more memory for a guest however large its commands are. A
//! command takes as many as its next piece needs, all at once, and gives them back when the device has done with them:
//! whoever waits holds none, so somebody always goes on. The port that found too few first is the next to get any, so
//! that small commands of another port cannot keep a large one waiting for ever.

use crate::seam::{Buffer, Lent};
use alloc::vec::Vec;

/// Bytes of a chunk: a multiple of every logical block.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// The chunks that no device has.
pub struct Pool {
    idle: Vec<Buffer>,
    /// The port that found too few first, and a bit for each that did.
    next: Option<u8>,
    starved: u32,
}

impl Pool {
    /// Of these buffers, each of [`CHUNK_BYTES`].
    #[must_use]
    pub const fn new(idle: Vec<Buffer>) -> Self {
        Self {
            idle,
            next: None,
            starved: 0,
        }
    }

    /// Whether `port` may now [`Self::take`] so many; if not, it is the next to.
    pub fn reserve(&mut self, port: u8, chunks: usize) -> bool {
        if chunks == 0 {
            return true;
        }
        let free = self.next.is_none_or(|next| next == port) && chunks <= self.idle.len();
        if free {
            self.forget(port);
        } else {
            self.next = self.next.or(Some(port));
            self.starved |= bit(port);
        }
        free
    }

    /// `port` waits no longer.
    pub fn forget(&mut self, port: u8) {
        if self.next == Some(port) {
            self.next = None;
        }
        self.starved &= !bit(port);
    }

    /// The port that is the next to get chunks.
    #[must_use]
    pub const fn next(&self) -> Option<u8> {
        self.next
    }

    /// A bit for each port that found too few.
    #[must_use]
    pub const fn starved(&self) -> u32 {
        self.starved
    }

    /// One chunk.
    pub fn take(&mut self) -> Option<Buffer> {
        self.idle.pop()
    }

    /// A chunk that the device has done with.
    pub fn give(&mut self, chunk: Lent) {
        self.put(chunk.reclaim());
    }

    /// A chunk that no device got.
    pub fn put(&mut self, chunk: Buffer) {
        self.idle.push(chunk);
    }
}

/// Ports are 32 at most; beyond, none is remembered.
const fn bit(port: u8) -> u32 {
    if port < 32 { 1 << port } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::DeviceAddress;

    fn pool(chunks: u64) -> Pool {
        let chunk = |index| Buffer::new(DeviceAddress(index * CHUNK_BYTES as u64), CHUNK_BYTES);
        Pool::new((0..chunks).map(chunk).collect())
    }

    #[test]
    fn who_found_too_few_first_is_the_next_to_get_any() {
        let mut pool = pool(4);
        let held: Vec<_> = (0..3).filter_map(|_| pool.take()).collect();
        assert!(!pool.reserve(1, 2));
        assert!(!pool.reserve(2, 1));
        for chunk in held {
            pool.put(chunk);
        }
        assert!(!pool.reserve(2, 1));
        assert!(pool.reserve(1, 2));
        assert!(pool.reserve(2, 1));
    }

    #[test]
    fn who_needs_none_waits_for_nobody() {
        let mut pool = pool(1);
        assert!(!pool.reserve(1, 2));
        assert!(pool.reserve(2, 0));
    }

    #[test]
    fn a_port_that_gave_up_keeps_nobody_waiting() {
        let mut pool = pool(1);
        assert!(!pool.reserve(1, 2));
        pool.forget(1);
        assert!(pool.reserve(2, 1));
    }
}
