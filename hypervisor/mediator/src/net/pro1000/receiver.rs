//! The real receive ring: buffers of ours that the device fills, and the frames in them.

use super::descriptor::{
    BYTES, ERRORS_FRAME, STATUS_DONE, STATUS_END, STATUS_IGNORE, STATUS_TAGGED, high, low,
};
use super::spec::{RDBAH, RDBAL, RDH, RDLEN, RDT};
use crate::net::hold::Hold;
use crate::seam::{Buffer, Host, Lent, Registers, Shared};
use crate::window::halves;
use alloc::vec::Vec;

/// Descriptors of the ring, and a buffer for each.
pub(super) const ENTRIES: usize = 256;
/// Bytes of it.
pub(super) const RING_BYTES: usize = ENTRIES * BYTES;
/// Buffers that are given back together: each time takes a store to a register, and the device has three times as many left.
const TOGETHER: usize = ENTRIES / 4;
/// Bytes of a buffer: what RCTL.BSIZE zero says.
pub(super) const BUFFER_BYTES: usize = 2048;
/// Longest frame, jumbo and in several buffers, that is put together.
pub(super) const LONGEST: usize = 16 * 1024;

/// What the device says of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marks {
    /// Status, as a descriptor has it.
    pub(super) status: u8,
    /// Errors, as a descriptor has them.
    pub(super) errors: u8,
    /// The packet checksum.
    pub(super) sum: u16,
    /// The tag that was taken out.
    pub(super) tag: u16,
}

impl Marks {
    /// Of a frame that did not come by the wire: nobody looked at its checksums.
    pub(super) const MADE_HERE: Self = Self {
        status: STATUS_DONE | STATUS_END | STATUS_IGNORE,
        errors: 0,
        sum: 0,
        tag: 0,
    };

    /// The same, with a tag beside the frame.
    pub(super) const fn with_tag(self, tag: u16) -> Self {
        Self {
            status: self.status | STATUS_TAGGED,
            tag,
            ..self
        }
    }

    /// Whether a tag was taken out.
    pub(super) const fn is_tagged(self) -> bool {
        self.status & STATUS_TAGGED != 0
    }
}

/// The next thing in the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// A whole frame of so many bytes, with [`Receiver::read`].
    Frame(usize, Marks),
    /// A damaged one, or one that is too long: to be skipped.
    Damaged,
}

/// The ring.
pub(super) struct Receiver {
    ring: Shared,
    buffers: Vec<Option<Lent>>,
    next: usize,
    told: usize,
    /// The first parts of a frame in several buffers.
    parts: Vec<u8>,
    /// Of which something is lost.
    is_broken: Broken,
    /// Whether the frame at [`Self::next`] waits for the guest.
    pub(super) hold: Hold,
}

/// Whether the parts of the frame under way are all there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    No,
    Yes,
}

impl Receiver {
    pub(super) fn new(ring: Shared, buffers: Vec<Buffer>) -> Self {
        Self {
            ring,
            buffers: buffers.into_iter().map(|buffer| Some(buffer.lend())).collect(),
            next: 0,
            told: 0,
            parts: Vec::with_capacity(LONGEST),
            is_broken: Broken::No,
            hold: Hold::default(),
        }
    }

    /// Points a device that does not receive to the ring, all of which is its to fill.
    pub(super) fn place<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        for index in 0..self.buffers.len() {
            self.arm(index, host);
        }
        self.next = 0;
        self.told = self.buffers.len().saturating_sub(1);
        self.hold = Hold::default();
        self.forget_parts();
        let [low, high] = halves(self.ring.address().0);
        let length = u32::try_from(RING_BYTES).unwrap_or(0);
        for (register, value) in [(RDBAL, low), (RDBAH, high), (RDLEN, length), (RDH, 0)] {
            registers.write(register, value);
        }
        registers.write(RDT, index(self.told));
    }

    /// What came next. Parts of a frame are put together on the way.
    pub(super) fn peek<H: Host>(&mut self, host: &mut H) -> Option<Arrival> {
        // Each turn takes one buffer, so there are no more turns than buffers.
        for _ in 0..self.buffers.len() {
            let place = self.next * BYTES;
            let [status, errors, ..] = host.load(&self.ring, place + 12).to_le_bytes();
            if status & STATUS_DONE == 0 {
                return None;
            }
            let length_and_sum = host.load(&self.ring, place + 8);
            let length = usize::from(low(length_and_sum)).min(BUFFER_BYTES);
            if status & STATUS_END == 0 {
                self.keep_part(length, host);
                self.skip(host);
                continue;
            }
            let total = self.parts.len() + length;
            if errors & ERRORS_FRAME != 0 || self.is_broken == Broken::Yes || total > LONGEST {
                return Some(Arrival::Damaged);
            }
            let marks = Marks {
                status,
                errors,
                sum: high(length_and_sum),
                tag: high(host.load(&self.ring, place + 12)),
            };
            return Some(Arrival::Frame(total, marks));
        }
        None
    }

    /// Works on the bytes of the frame that [`Self::peek`] told of, its whole length.
    pub(super) fn read<H: Host, T>(
        &mut self,
        length: usize,
        host: &mut H,
        work: impl FnOnce(&[u8], &H::Guest) -> T,
    ) -> Option<T> {
        let part = length.checked_sub(self.parts.len())?;
        let mut buffer = self.buffers.get_mut(self.next)?.take()?.reclaim();
        let parts = &mut self.parts;
        let result = host.with(&mut buffer, |bytes, guest| {
            let bytes = bytes.get(..part)?;
            if parts.is_empty() {
                return Some(work(bytes, guest));
            }
            parts.extend_from_slice(bytes);
            Some(work(parts, guest))
        });
        if let Some(place) = self.buffers.get_mut(self.next) {
            *place = Some(buffer.lend());
        }
        result
    }

    /// Done with that frame: its buffer is the device's again, when [`Self::tell`] tells it.
    pub(super) fn finish<H: Host>(&mut self, host: &mut H) {
        self.forget_parts();
        self.skip(host);
    }

    /// Tells the device which buffers are its again, once they are enough.
    pub(super) fn tell<R: Registers>(&mut self, registers: &mut R) {
        let all = self.buffers.len().max(1);
        let last = (self.next + all - 1) % all;
        if (last + all - self.told) % all >= TOGETHER {
            self.told = last;
            registers.write(RDT, index(last));
        }
    }

    fn keep_part<H: Host>(&mut self, length: usize, host: &mut H) {
        if self.parts.len() + length > LONGEST {
            self.is_broken = Broken::Yes;
            return;
        }
        let Some(buffer) = self.buffers.get_mut(self.next).and_then(Option::take) else {
            return;
        };
        let mut buffer = buffer.reclaim();
        let parts = &mut self.parts;
        host.with(&mut buffer, |bytes, _| {
            parts.extend_from_slice(bytes.get(..length).unwrap_or_default());
        });
        if let Some(place) = self.buffers.get_mut(self.next) {
            *place = Some(buffer.lend());
        }
    }

    fn forget_parts(&mut self) {
        self.parts.clear();
        self.is_broken = Broken::No;
    }

    fn skip<H: Host>(&mut self, host: &mut H) {
        self.arm(self.next, host);
        self.next = (self.next + 1) % self.buffers.len().max(1);
    }

    /// Writes a descriptor for the buffer at `index`.
    fn arm<H: Host>(&self, index: usize, host: &mut H) {
        let Some(buffer) = self.buffers.get(index).and_then(Option::as_ref) else {
            return;
        };
        let [low, high] = halves(buffer.address().0);
        for (offset, word) in (index * BYTES..).step_by(4).zip([low, high, 0, 0]) {
            host.store(&self.ring, offset, word);
        }
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(0)
}
