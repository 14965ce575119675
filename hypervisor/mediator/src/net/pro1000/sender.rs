//! The real transmit ring: frames lie in buffers of ours, which the device has until it reports their last descriptor.
//!
//! A report (RS) raises the guest's cause too. It is asked for where the guest asks, and now and then where nobody does:
//! what has been sent is found in memory, without a look at a register.

use super::descriptor::{
    BYTES, COMMAND_CHECK, COMMAND_END, COMMAND_EXTENDED, COMMAND_IPV4, COMMAND_REPORT, COMMAND_SEGMENT,
    COMMAND_TAG, COMMAND_TCP, OPTION_NETWORK, OPTION_TRANSPORT, TRANSMIT_DONE, TYPE_CONTEXT, TYPE_DATA,
    TYPE_SHIFT, UNIT, Words, word,
};
use super::spec::{TDBAH, TDBAL, TDH, TDLEN, TDT};
use crate::net::frame::{Checksum, Network, Offload};
use crate::seam::{Buffer, Host, Lent, Registers, Shared};
use crate::window::halves;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Descriptors of the ring.
const ENTRIES: u32 = 256;
/// Bytes of it.
pub(super) const RING_BYTES: usize = ENTRIES as usize * BYTES;
/// Buffers for frames that fit into one descriptor, and their bytes.
pub(super) const SMALL: usize = 128;
pub(super) const SMALL_BYTES: usize = 2048;
/// Buffers for frames that are segmented, and jumbo ones: 64 KiB and headers.
pub(super) const LARGE: usize = 6;
pub(super) const LARGE_BYTES: usize = 68 * 1024;
/// Bytes in a descriptor at most: every member of the family takes as many.
const PIECE: usize = 4096;
/// A report at least after so many frames.
const REPORT_EVERY: u32 = 16;

/// What is asked of the device for one frame, besides its [`Offload`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wish(u8);

impl Wish {
    /// A frame that nobody waits for.
    pub(super) const QUIET: Self = Self(0);

    /// What a guest's command bits ask for.
    pub(super) const fn of(command: u8) -> Self {
        Self(command & (COMMAND_REPORT | super::descriptor::COMMAND_DELAY))
    }

    /// Whether a report is asked for.
    pub(super) const fn reports(self) -> bool {
        self.0 & COMMAND_REPORT != 0
    }
}

/// The ring.
pub(super) struct Sender {
    ring: Shared,
    small: Vec<Buffer>,
    large: Vec<Buffer>,
    flying: VecDeque<Flight>,
    /// The next descriptor to write, and the first that the device was not told of.
    next: u32,
    told: u32,
    used: u32,
    unreported: u32,
    /// What the device last had as its context for checksums.
    context: Option<Words>,
}

/// A frame that the device has.
struct Flight {
    buffer: Lent,
    descriptors: u32,
    last: u32,
    is_reported: bool,
}

/// There is no room now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoRoom;

impl Sender {
    pub(super) fn new(ring: Shared, small: Vec<Buffer>, large: Vec<Buffer>) -> Self {
        Self {
            ring,
            flying: VecDeque::with_capacity(small.len() + large.len()),
            small,
            large,
            next: 0,
            told: 0,
            used: 0,
            unreported: 0,
            context: None,
        }
    }

    /// Points a device that does not transmit to the ring, which is empty: whatever was under way is forgotten.
    pub(super) fn place<R: Registers>(&mut self, registers: &mut R) {
        while let Some(flight) = self.flying.pop_front() {
            self.put(flight.buffer.reclaim());
        }
        (self.next, self.told, self.used, self.unreported) = (0, 0, 0, 0);
        self.context = None;
        let [low, high] = halves(self.ring.address().0);
        for (register, value) in [
            (TDBAL, low),
            (TDBAH, high),
            (TDLEN, ENTRIES * UNIT),
            (TDH, 0),
            (TDT, 0),
        ] {
            registers.write(register, value);
        }
    }

    /// A buffer for a frame of `length` bytes, when its descriptors have room too.
    ///
    /// # Errors
    /// [`NoRoom`]: for now, or for ever where `length` is beyond [`LARGE_BYTES`].
    pub(super) fn take<H: Host>(&mut self, length: usize, host: &H) -> Result<Buffer, NoRoom> {
        if let Some(buffer) = self.pick(length) {
            return Ok(buffer);
        }
        self.reclaim(host);
        self.pick(length).ok_or(NoRoom)
    }

    fn pick(&mut self, length: usize) -> Option<Buffer> {
        // Besides the pieces a context, and one descriptor that stays free.
        let needed = u32::try_from(length.div_ceil(PIECE)).ok()?.checked_add(2)?;
        if self.used.checked_add(needed)? > ENTRIES {
            return None;
        }
        if length <= SMALL_BYTES {
            self.small.pop()
        } else if length <= LARGE_BYTES {
            self.large.pop()
        } else {
            None
        }
    }

    /// Gives back a buffer that is not sent.
    pub(super) fn put(&mut self, buffer: Buffer) {
        let pool = if buffer.length() == SMALL_BYTES {
            &mut self.small
        } else {
            &mut self.large
        };
        pool.push(buffer);
    }

    /// Hands the first `length` bytes of a buffer that [`Self::take`] gave to the device; [`Self::tell`] tells it.
    pub(super) fn send<H: Host>(
        &mut self,
        buffer: Buffer,
        length: usize,
        offload: Offload,
        wish: Wish,
        host: &mut H,
    ) {
        let before = self.used;
        self.set_context(length, offload, host);
        self.unreported += 1;
        let is_reported = wish.reports() || self.unreported >= REPORT_EVERY;
        let mut command = COMMAND_CHECK | wish.0;
        if is_reported {
            command |= COMMAND_REPORT;
            self.unreported = 0;
        }
        let buffer = buffer.lend();
        self.write_pieces(buffer.address().0, length, offload, command, host);
        self.flying.push_back(Flight {
            buffer,
            descriptors: self.used - before,
            last: self.next.checked_sub(1).unwrap_or(ENTRIES - 1),
            is_reported,
        });
    }

    /// Tells the device of what was sent since.
    pub(super) fn tell<R: Registers>(&mut self, registers: &mut R) {
        if self.told != self.next {
            self.told = self.next;
            registers.write(TDT, self.next);
        }
    }

    /// Takes back what the device reports as sent: reports come in order.
    fn reclaim<H: Host>(&mut self, host: &H) {
        let is_sent = |flight: &Flight| {
            let status = host.load(&self.ring, place(flight.last) + 12);
            status & u32::from(TRANSMIT_DONE) != 0
        };
        let reported = self
            .flying
            .iter()
            .enumerate()
            .filter(|(_, flight)| flight.is_reported);
        let sent = reported.take_while(|(_, flight)| is_sent(flight)).last();
        let sent = sent.map_or(0, |(index, _)| index + 1);
        for _ in 0..sent {
            let Some(flight) = self.flying.pop_front() else {
                return;
            };
            self.used = self.used.saturating_sub(flight.descriptors);
            self.put(flight.buffer.reclaim());
        }
    }

    fn set_context<H: Host>(&mut self, length: usize, offload: Offload, host: &mut H) {
        if offload.network.is_none() && offload.transport.is_none() {
            return;
        }
        let context = context(length, offload);
        // A segmented frame uses its context up.
        let is_segmented = offload.segmentation.is_some();
        if is_segmented || self.context != Some(context) {
            self.write(context, host);
            self.context = (!is_segmented).then_some(context);
        }
    }

    fn write_pieces<H: Host>(
        &mut self,
        address: u64,
        length: usize,
        offload: Offload,
        command: u8,
        host: &mut H,
    ) {
        let is_plain = offload.network.is_none() && offload.transport.is_none();
        let (mut command, mut options, mut kind) = (command, 0, 0);
        if !is_plain {
            command |= COMMAND_EXTENDED;
            kind = TYPE_DATA << TYPE_SHIFT;
            options |= if offload.network.is_some() {
                OPTION_NETWORK
            } else {
                0
            };
            options |= if offload.transport.is_some() {
                OPTION_TRANSPORT
            } else {
                0
            };
        }
        if offload.segmentation.is_some() {
            command |= COMMAND_SEGMENT;
        }
        if offload.tag.is_some() {
            command |= COMMAND_TAG;
        }
        let options = word(u16::from(options) << 8, offload.tag.unwrap_or(0));
        let mut at = 0;
        while at < length {
            let piece = (length - at).min(PIECE);
            let mut command = command;
            if at + piece < length {
                command &= !(COMMAND_REPORT | super::descriptor::COMMAND_DELAY);
            } else {
                command |= COMMAND_END;
            }
            let [low, high] = halves(address + at as u64);
            let size = u32::try_from(piece).unwrap_or(0);
            self.write([low, high, u32::from(command) << 24 | kind | size, options], host);
            at += piece;
        }
    }

    fn write<H: Host>(&mut self, words: Words, host: &mut H) {
        for (offset, word) in (place(self.next)..).step_by(4).zip(words) {
            host.store(&self.ring, offset, word);
        }
        self.next = (self.next + 1) % ENTRIES;
        self.used += 1;
    }
}

/// Where a descriptor lies in the ring.
const fn place(index: u32) -> usize {
    index as usize * BYTES
}

/// The context descriptor for `length` bytes (SDM 3.3.6, 82574 7.2.6).
fn context(length: usize, offload: Offload) -> Words {
    let sum = |sum: Option<Checksum>| {
        let sum = sum.unwrap_or(Checksum {
            start: 0,
            place: 0,
            last: None,
        });
        word(
            sum.start & 0xff | sum.place << 8,
            // Zero stands for the frame's last byte.
            sum.last.unwrap_or(0),
        )
    };
    let mut command = COMMAND_EXTENDED;
    let mut network = sum(offload.network);
    let mut tail = [0, 0];
    if let Some(segmentation) = offload.segmentation {
        command |= COMMAND_SEGMENT | COMMAND_TCP;
        if segmentation.network == Network::Ipv4 {
            command |= COMMAND_IPV4;
        }
        // Where the lengths are, with a checksum or without.
        network |= u32::from(segmentation.start & 0xff);
        let payload = length.saturating_sub(segmentation.headers.into());
        tail = [
            u32::try_from(payload).unwrap_or(0) & super::descriptor::LENGTH,
            word((segmentation.headers & 0xff) << 8, segmentation.payload),
        ];
    } else if offload.transport.is_some() {
        command |= COMMAND_TCP;
    }
    let [payload, sizes] = tail;
    [
        network,
        sum(offload.transport),
        u32::from(command) << 24 | TYPE_CONTEXT << TYPE_SHIFT | payload,
        sizes,
    ]
}
