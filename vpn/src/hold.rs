//! Packets of the guest that wait for a handshake: a fixed number of slots, made once.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use sekisho_crypto::secret::wipe;

/// Packets held for one peer. Enough for what a guest sends while a handshake runs; of more the oldest is dropped.
pub(crate) const HELD_PACKETS: usize = 32;

/// The packets that wait for one peer, in the order in which they came.
pub(crate) struct Hold {
    waiting: VecDeque<Vec<u8>>,
    free: Vec<Vec<u8>>,
}

/// Whether room was made by dropping the oldest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    InFreeSlot,
    InPlaceOfOldest,
}

impl Hold {
    /// With room for packets of `mtu` bytes.
    pub(crate) fn new(mtu: usize) -> Self {
        Self {
            waiting: VecDeque::with_capacity(HELD_PACKETS),
            free: (0..HELD_PACKETS).map(|_| Vec::with_capacity(mtu)).collect(),
        }
    }

    /// Keeps a copy of `packet`, which is no longer than the MTU.
    pub(crate) fn push(&mut self, packet: &[u8]) -> Kept {
        let (mut slot, kept) = match self.free.pop() {
            Some(slot) => (slot, Kept::InFreeSlot),
            None => (
                self.waiting.pop_front().unwrap_or_default(),
                Kept::InPlaceOfOldest,
            ),
        };
        slot.clear();
        slot.extend_from_slice(packet);
        self.waiting.push_back(slot);
        kept
    }

    /// The oldest, to be given back with [`Self::recycle`].
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        self.waiting.pop_front()
    }

    /// Takes back what [`Self::pop`] gave.
    pub(crate) fn recycle(&mut self, mut slot: Vec<u8>) {
        wipe(&mut slot);
        self.free.push(slot);
    }

    /// Drops everything and says how many packets that were.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.waiting.len();
        while let Some(slot) = self.pop() {
            self.recycle(slot);
        }
        count
    }

    pub(crate) fn length(&self) -> usize {
        self.waiting.len()
    }
}
