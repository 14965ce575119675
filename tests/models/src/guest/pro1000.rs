//! A guest's driver for Intel's gigabit NICs: rings of its own, frames out and in, by interrupt.

use super::Window;
use crate::bytes;
use crate::memory::Memory;
use crate::pro1000::spec::{DESCRIPTOR, EXSTEN, command, control, ctrl, received, register};
use crate::pro1000::{Segment, Sums};

/// Descriptors of each ring, in units of sixteen bytes.
pub const UNITS: u32 = 64;
/// Where its things lie, from its base on.
const TRANSMIT: u64 = 0x1000;
const RECEIVE_DATA: u64 = 0x10_0000;
const TRANSMIT_DATA: u64 = 0x80_0000;
/// Bytes of guest memory for each buffer.
const RECEIVE_STEP: u64 = 0x4000;
const TRANSMIT_STEP: u64 = 0x2_0000;

/// Which receive descriptors it uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The old ones.
    Legacy,
    /// RFCTL.EXSTEN.
    Extended,
    /// Packet split: 256 bytes, then three pages.
    Split,
}

/// A frame that the driver received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// Its bytes, with the check sequence where the driver did not have it stripped.
    pub bytes: Vec<u8>,
    /// Status of its last descriptor.
    pub status: u8,
    /// Errors of its last descriptor.
    pub errors: u8,
    /// Tag of its last descriptor.
    pub tag: u16,
}

/// What the driver leaves to the NIC.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wanted {
    /// Checksums.
    pub sums: Sums,
    /// TCP in pieces; its network header is where that of Ethernet ends.
    pub segment: Option<Segment>,
    /// VLAN tag.
    pub tag: Option<u16>,
}

/// The driver.
#[derive(Clone, Debug)]
pub struct Pro1000Driver {
    memory: Memory,
    base: u64,
    form: Form,
    /// Settings of RCTL besides EN.
    receive: u32,
    next_received: u32,
    next_sent: u32,
    unreaped: u32,
}

impl Pro1000Driver {
    /// Resets the NIC and starts it, with the driver's things at `base` in guest memory, which takes 16 MiB; `receive` is
    /// RCTL besides EN and the size of buffers, which are 2 KiB.
    pub fn start(window: &mut impl Window, memory: &Memory, base: u64, form: Form, receive: u32) -> Self {
        let split = if form == Form::Split { 1 << 10 } else { 0 };
        let mut driver = Self {
            memory: memory.clone(),
            base,
            form,
            receive: receive | split,
            next_received: 0,
            next_sent: 0,
            unreaped: 0,
        };
        window.write(register::IMC, u32::MAX);
        let device = window.read(register::CTRL);
        window.write(register::CTRL, device | ctrl::RST);
        driver.set_up(window);
        driver
    }

    /// Gives the NIC its rings and switches it on.
    pub fn set_up(&mut self, window: &mut impl Window) {
        (self.next_received, self.next_sent, self.unreaped) = (0, 0, 0);
        let device = window.read(register::CTRL);
        window.write(register::CTRL, device | ctrl::SLU | ctrl::VME);
        window.write(register::RCTL, 0);
        window.write(register::TCTL, 0);
        if self.form != Form::Legacy {
            window.write(register::RFCTL, EXSTEN);
            window.write(register::PSRCTL, 0x0404_0402);
        }
        window.write(register::RXCSUM, 0x300);
        for index in 0..UNITS / self.units() {
            self.arm(index);
        }
        for (ring, place) in [
            (register::RDBAL, self.base),
            (register::TDBAL, self.base + TRANSMIT),
        ] {
            window.write(ring, bytes::low_dword(place));
            window.write(ring + 4, bytes::low_dword(place >> 32));
            window.write(ring + 8, UNITS * 16);
            window.write(ring + 0x10, 0);
            window.write(ring + 0x18, 0);
        }
        window.write(register::RCTL, self.receive | control::EN);
        window.write(register::RDT, UNITS - self.units());
        window.write(register::TCTL, control::EN | control::PSP | 0x3f0f0);
        window.write(register::IMS, 0x9d);
    }

    /// Sends a frame in one descriptor.
    pub fn send(&mut self, window: &mut impl Window, frame: &[u8]) {
        self.send_pieces(window, &[frame], Wanted::default());
    }

    /// Sends a frame in pieces, with what is wanted of the NIC.
    pub fn send_pieces(&mut self, window: &mut impl Window, pieces: &[&[u8]], wanted: Wanted) {
        self.post_pieces(pieces, wanted);
        self.tell(window);
    }

    /// Lays a frame out without telling the NIC.
    pub fn post_pieces(&mut self, pieces: &[&[u8]], wanted: Wanted) {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let is_extended = wanted.sums != Sums::default() || wanted.segment.is_some();
        let mut base_command = command::IFCS | command::RS;
        if is_extended {
            self.post(context(wanted, length));
            base_command |= command::DEXT;
        }
        if wanted.segment.is_some() {
            base_command |= command::TSE;
        }
        if wanted.tag.is_some() {
            base_command |= command::VLE;
        }
        let options =
            u32::from(wanted.sums.network.is_some()) | u32::from(wanted.sums.transport.is_some()) << 1;
        let upper = options << 8 | u32::from(wanted.tag.unwrap_or(0)) << 16;
        for (index, piece) in pieces.iter().enumerate() {
            let address = self.transmit_data(self.next_sent);
            self.memory.ram().store(address, piece);
            let end = if index + 1 == pieces.len() {
                command::EOP
            } else {
                0
            };
            let flags = u32::from(base_command | end) << 24;
            let kind = if is_extended { 1 << 20 } else { 0 };
            let length = bytes::low_dword(piece.len() as u64);
            self.post([
                bytes::low_dword(address),
                bytes::low_dword(address >> 32),
                flags | kind | length,
                upper,
            ]);
        }
    }

    /// Puts a descriptor into the transmit ring, whatever it says.
    pub fn post(&mut self, words: [u32; 4]) {
        let place = self.transmit_place(self.next_sent);
        self.memory
            .ram()
            .store(place, words.map(u32::to_le_bytes).as_flattened());
        self.next_sent = (self.next_sent + 1) % UNITS;
        self.unreaped += 1;
    }

    /// Tells the NIC of what was posted.
    pub fn tell(&self, window: &mut impl Window) {
        window.write(register::TDT, self.next_sent);
    }

    /// How many descriptors, the oldest first, are not done yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        let first = (self.next_sent + UNITS - self.unreaped % UNITS) % UNITS;
        let places = (0..self.unreaped.min(UNITS)).map(|index| self.transmit_place((first + index) % UNITS));
        places
            .filter(|place| self.memory.ram().bytes(place + 12, 1) != [1])
            .count()
    }

    /// Forgets descriptors that are done.
    pub const fn reap(&mut self) {
        self.unreaped = 0;
    }

    /// The interrupt handler: looks at the cause and takes what was received, if it says so.
    pub fn interrupt(&mut self, window: &mut impl Window) -> (u32, Vec<Received>) {
        let causes = window.read(register::ICR);
        (causes, self.take(window))
    }

    /// Takes what lies in the ring, and gives the buffers back.
    pub fn take(&mut self, window: &mut impl Window) -> Vec<Received> {
        let mut frames = Vec::new();
        let mut whole = Vec::new();
        let mut last = None;
        while let Some((mut part, is_end)) = self.part() {
            whole.append(&mut part.bytes);
            last = Some(self.next_received);
            self.arm(self.next_received);
            self.next_received = (self.next_received + 1) % (UNITS / self.units());
            if is_end {
                part.bytes = core::mem::take(&mut whole);
                frames.push(part);
            }
        }
        if let Some(last) = last {
            window.write(register::RDT, last * self.units());
        }
        frames
    }

    /// Where a transmit descriptor lies.
    #[must_use]
    pub fn transmit_place(&self, index: u32) -> u64 {
        self.base + TRANSMIT + u64::from(index) * DESCRIPTOR as u64
    }

    /// Where a receive descriptor lies.
    #[must_use]
    pub fn receive_place(&self, index: u32) -> u64 {
        self.base + u64::from(index * self.units()) * DESCRIPTOR as u64
    }

    /// The next transmit descriptor.
    #[must_use]
    pub const fn next_sent(&self) -> u32 {
        self.next_sent
    }

    /// Where the data of a transmit descriptor lies.
    #[must_use]
    pub fn transmit_data(&self, index: u32) -> u64 {
        self.base + TRANSMIT_DATA + u64::from(index) * TRANSMIT_STEP
    }

    const fn units(&self) -> u32 {
        match self.form {
            Form::Legacy | Form::Extended => 1,
            Form::Split => 2,
        }
    }

    fn buffer(&self, index: u32) -> u64 {
        self.base + RECEIVE_DATA + u64::from(index) * RECEIVE_STEP
    }

    /// Writes a receive descriptor.
    fn arm(&self, index: u32) {
        let buffer = self.buffer(index);
        let place = self.receive_place(index);
        let mut words = vec![buffer, 0];
        if self.form == Form::Split {
            words = [0, 0x400, 0x1400, 0x2400].map(|offset| buffer + offset).to_vec();
        }
        let content: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        self.memory.ram().store(place, &content);
    }

    /// What the next descriptor has, if it is done, and whether that is the end of its frame.
    fn part(&self) -> Option<(Received, bool)> {
        let place = self.receive_place(self.next_received);
        let buffer = self.buffer(self.next_received);
        let ram = self.memory.ram();
        let descriptor = ram.bytes(place, 32);
        let (status, errors, tag) = match self.form {
            Form::Legacy => (12, 13, 14),
            Form::Extended | Form::Split => (8, 11, 14),
        };
        let status = bytes::byte(&descriptor, status);
        if status & received::DD == 0 {
            return None;
        }
        let length = |at| usize::from(bytes::word(&descriptor, at));
        let content = match self.form {
            Form::Legacy => ram.bytes(buffer, length(8)),
            Form::Extended => ram.bytes(buffer, length(12)),
            Form::Split => [(0, 12), (0x400, 18), (0x1400, 20), (0x2400, 22)]
                .into_iter()
                .flat_map(|(offset, at)| ram.bytes(buffer + offset, length(at)))
                .collect(),
        };
        let frame = Received {
            bytes: content,
            status,
            errors: bytes::byte(&descriptor, errors),
            tag: bytes::word(&descriptor, tag),
        };
        Some((frame, status & received::EOP != 0))
    }
}

/// The context descriptor for a frame of `length` bytes.
fn context(wanted: Wanted, length: usize) -> [u32; 4] {
    let sum = |sum: Option<(usize, usize, usize)>| {
        let (start, last, place) = sum.unwrap_or_default();
        let low = |value: usize| bytes::low_dword(value as u64);
        low(start) & 0xff | (low(place) & 0xff) << 8 | low(last) << 16
    };
    let mut flags = command::DEXT | command::TCP;
    let mut control = 0;
    let mut sizes = 0;
    let mut network = sum(wanted.sums.network);
    if let Some(segment) = wanted.segment {
        flags |= command::TSE;
        control = bytes::low_dword((length - segment.headers) as u64);
        sizes = bytes::low_dword((segment.payload << 16 | segment.headers << 8) as u64);
        network |= bytes::low_dword(segment.network as u64);
    }
    if wanted.sums.network.is_some() {
        flags |= command::IP;
    }
    [
        network,
        sum(wanted.sums.transport),
        u32::from(flags) << 24 | control,
        sizes,
    ]
}
