//! Frames that wait: a ring of slots, taken once. What does not fit is refused, never kept elsewhere.

use alloc::boxed::Box;
use alloc::vec;

/// Bytes of the longest frame of the appliance's own: 1,500 of payload, and the header (IEEE 802.3, 3.2.7).
pub(crate) const LONGEST: usize = 1514;
/// Bytes of the shortest frame on a wire, without its checksum; senders fill up to it.
pub(crate) const SHORTEST: usize = 60;

/// Why a frame does not wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Every slot is taken.
    Full,
    /// Longer than [`LONGEST`].
    TooLong,
}

struct Slot {
    length: usize,
    bytes: [u8; LONGEST],
}

/// One slot is always free, for a frame that is being written.
const SPARE: usize = 1;

/// First in, first out.
pub(crate) struct Queue {
    slots: Box<[Slot]>,
    first: usize,
    taken: usize,
}

impl Queue {
    /// An empty one of this many frames.
    pub(crate) fn new(frames: usize) -> Self {
        let mut slots = vec![];
        slots.resize_with(frames + SPARE, || Slot {
            length: 0,
            bytes: [0; LONGEST],
        });
        Self {
            slots: slots.into_boxed_slice(),
            first: 0,
            taken: 0,
        }
    }

    /// How many more fit.
    pub(crate) fn room(&self) -> usize {
        self.slots.len().saturating_sub(SPARE + self.taken)
    }

    /// Whether no frame waits.
    pub(crate) const fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Zeros to write the next frame over: `length` of them, none where that is too long. [`Self::commit`] makes it wait.
    pub(crate) fn begin(&mut self, length: usize) -> &mut [u8] {
        let place = (self.first + self.taken) % self.slots.len();
        let slot = self.slots.get_mut(place);
        let bytes = slot.and_then(|slot| {
            slot.length = length;
            slot.bytes.get_mut(..length)
        });
        let bytes = bytes.unwrap_or_default();
        bytes.fill(0);
        bytes
    }

    /// Appends what was written since [`Self::begin`].
    pub(crate) fn commit(&mut self) -> Result<(), Refused> {
        if self.room() == 0 {
            return Err(Refused::Full);
        }
        self.taken += 1;
        Ok(())
    }

    /// Appends a copy of a frame given in two parts.
    pub(crate) fn push(&mut self, head: &[u8], tail: &[u8]) -> Result<(), Refused> {
        if self.room() == 0 {
            return Err(Refused::Full);
        }
        let bytes = self.begin(head.len() + tail.len());
        let (first, second) = bytes.split_at_mut_checked(head.len()).ok_or(Refused::TooLong)?;
        if second.len() != tail.len() {
            return Err(Refused::TooLong);
        }
        first.copy_from_slice(head);
        second.copy_from_slice(tail);
        self.commit()
    }

    /// The one that waits longest.
    pub(crate) fn front(&self) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let slot = self.slots.get(self.first)?;
        slot.bytes.get(..slot.length)
    }

    /// The one that came last.
    pub(crate) fn last_mut(&mut self) -> Option<&mut [u8]> {
        let last = (self.first + self.taken.checked_sub(1)?) % self.slots.len();
        let slot = self.slots.get_mut(last)?;
        slot.bytes.get_mut(..slot.length)
    }

    /// Lets the one that waits longest go.
    pub(crate) fn pop(&mut self) {
        if self.taken > 0 {
            self.first = (self.first + 1) % self.slots.len();
            self.taken -= 1;
        }
    }

    /// Lets all go.
    pub(crate) fn clear(&mut self) {
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_in_their_order_and_a_full_queue_takes_none() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.push(&[1], &[2]), Ok(()));
        assert_eq!(queue.push(&[3], &[]), Ok(()));
        assert_eq!(queue.push(&[4], &[]), Err(Refused::Full));
        assert_eq!(queue.front(), Some(&[1, 2][..]));
        queue.pop();
        assert_eq!(queue.push(&[5], &[6]), Ok(()));
        assert_eq!(queue.front(), Some(&[3][..]));
        queue.pop();
        assert_eq!(queue.front(), Some(&[5, 6][..]));
        queue.pop();
        assert_eq!(queue.front(), None);
        queue.pop();
        assert_eq!(queue.room(), 2);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_and_none_shows_what_another_left() {
        let mut queue = Queue::new(1);
        assert_eq!(queue.push(&[1; LONGEST], &[2]), Err(Refused::TooLong));
        assert_eq!(queue.push(&[1; LONGEST], &[]), Ok(()));
        queue.pop();
        assert_eq!(queue.begin(4), [0; 4]);
        assert_eq!(queue.commit(), Ok(()));
        assert_eq!(queue.front(), Some(&[0; 4][..]));
    }
}
