//! The transmitter: legacy, context and data descriptors; what is left to the NIC is done.

use super::nic::{Flavour, Pro1000};
use super::offload::{Segment, Sums, finish};
use super::receive::TRANSMIT_OWNER;
use super::spec::{DESCRIPTOR, cause, command, control, register};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Claim;

/// Bytes in a descriptor that every member of the family takes.
const LONGEST_PIECE: usize = 4096 * 2;
/// Bytes of a frame in the device's memory.
const LONGEST: usize = 128 * 1024;

/// A context descriptor's words.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Context([u32; 4]);

impl Context {
    fn sum(self, word: usize) -> (usize, usize, usize) {
        let [start, place, low, high] = self.0.get(word).copied().unwrap_or(0).to_le_bytes();
        (start.into(), u16::from_le_bytes([low, high]).into(), place.into())
    }

    fn headers(self) -> usize {
        let [_, _, _, sizes] = self.0;
        bytes::size(u64::from(sizes >> 8 & 0xff))
    }

    fn payload(self) -> usize {
        let [_, _, _, sizes] = self.0;
        bytes::size(u64::from(sizes >> 16))
    }

    fn total(self) -> usize {
        let [_, _, control, _] = self.0;
        bytes::size(u64::from(control & 0xf_ffff))
    }
}

impl Pro1000 {
    /// Carries out one descriptor; whether there was one.
    pub(super) fn step_transmit(&mut self) -> bool {
        let (head, tail) = (self.value(register::TDH), self.value(register::TDT));
        let is_on = self.value(register::TCTL) & control::EN != 0 && self.is_linked();
        if !is_on || head == tail {
            return false;
        }
        let place = self.base(register::TDBAL) + u64::from(head) * DESCRIPTOR as u64;
        let count = self.value(register::TDLEN) / 16;
        self.set(register::TDH, (head + 1) % count.max(1));
        if let Some(descriptor) = self.memory.device_read(place, DESCRIPTOR) {
            self.carry_out(&descriptor, place, head);
        }
        self.memory.release(TRANSMIT_OWNER + head);
        if self.value(register::TDH) == tail {
            self.cause(cause::TXQE);
        }
        true
    }

    fn carry_out(&mut self, descriptor: &[u8], place: u64, index: u32) {
        let words = [0, 4, 8, 12].map(|at| bytes::dword(descriptor, at));
        let [_, _, control, upper] = words;
        let flags = bytes::byte(descriptor, 11);
        let kind = control >> 20 & 15;
        let is_extended = flags & command::DEXT != 0;
        let status = bytes::byte(descriptor, 12);
        if status != 0 || is_extended && kind > 1 || !is_extended && kind != 0 && flags & command::IC == 0 {
            self.memory.breach(Breach::BadDescriptor(index));
        }
        if is_extended && kind == 0 {
            self.set_context(words, flags);
        } else {
            let length = if is_extended {
                control & 0xf_ffff
            } else {
                control & 0xffff
            };
            let length = bytes::size(length.into());
            if length == 0 || length > LONGEST_PIECE || self.partial.len() + length > LONGEST {
                self.memory.breach(Breach::BadDescriptor(index));
            }
            if self.partial.is_empty() {
                self.options = if is_extended {
                    bytes::byte(descriptor, 13)
                } else {
                    0
                };
            }
            let content = self.memory.device_read(bytes::qword(descriptor, 0), length);
            self.partial.extend(content.unwrap_or_default());
            if flags & command::EOP != 0 {
                self.send(flags, control, upper, index);
            }
        }
        if flags & command::RS != 0 {
            self.memory.device_write(place + 12, &[1]);
            self.cause(cause::TXDW);
        }
    }

    fn set_context(&mut self, words: [u32; 4], flags: u8) {
        let context = Context(words);
        let is_segmenting = flags & command::TSE != 0;
        if is_segmenting || self.flavour == Flavour::E82574 {
            self.segments = context;
        }
        if !is_segmenting || self.flavour == Flavour::E82574 {
            self.sums = context;
        }
    }

    /// The frame is whole.
    fn send(&mut self, flags: u8, control: u32, upper: u32, index: u32) {
        let frame = core::mem::take(&mut self.partial);
        let is_extended = flags & command::DEXT != 0;
        let is_segmented = is_extended && flags & command::TSE != 0;
        let context = if is_segmented { self.segments } else { self.sums };
        let mut sums = Sums::default();
        if is_extended {
            sums.network = (self.options & 1 != 0).then(|| context.sum(0));
            sums.transport = (self.options & 2 != 0).then(|| context.sum(1));
        } else if flags & command::IC != 0 {
            let [_, _, place, _] = control.to_le_bytes();
            let [_, start, ..] = upper.to_le_bytes();
            sums.transport = Some((start.into(), 0, place.into()));
        }
        let mut is_bad = flags & command::IFCS == 0 || frame.len() < 14;
        for (start, last, place) in [sums.network, sums.transport].into_iter().flatten() {
            is_bad |= start >= frame.len() || place + 2 > frame.len() || last >= frame.len();
        }
        let (network, ..) = context.sum(0);
        let segment = is_segmented.then(|| Segment {
            headers: context.headers(),
            payload: context.payload(),
            network,
        });
        if is_segmented {
            let whole = context.headers() + context.total() == frame.len();
            is_bad |= !whole || context.payload() == 0 || context.headers() >= frame.len();
            is_bad |= sums.transport.is_none() || network < 14;
        }
        if is_bad {
            self.memory.breach(Breach::BadDescriptor(index));
            return;
        }
        let is_tagged = flags & command::VLE != 0 && self.value(register::CTRL) >> 30 & 1 != 0;
        let tag = is_tagged.then(|| bytes::low_word(u64::from(upper >> 16)));
        for mut piece in finish(&frame, sums, segment, tag) {
            piece.resize(piece.len().max(60), 0);
            self.sent.push(piece);
        }
    }

    /// Claims what a data descriptor points to.
    pub(super) fn claim_data(&self, owner: u32, place: u64) {
        let Some(descriptor) = self.memory.device_read(place, DESCRIPTOR) else {
            return;
        };
        let control = bytes::dword(&descriptor, 8);
        let is_extended = bytes::byte(&descriptor, 11) & command::DEXT != 0;
        if is_extended && control >> 20 & 15 == 0 {
            return;
        }
        let length = if is_extended {
            control & 0xf_ffff
        } else {
            control & 0xffff
        };
        let address = bytes::qword(&descriptor, 0);
        self.memory
            .claim(owner, Claim::Transfer, address, bytes::size(length.into()));
    }
}
