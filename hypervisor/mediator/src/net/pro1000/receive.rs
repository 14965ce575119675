//! The guest's receive ring: frames are copied into its buffers, with what the NIC would say of them.

use super::descriptor::{BYTES, ERRORS_DATA, SPLIT_BYTES, STATUS_DONE, STATUS_END, word};
use super::receiver::Marks;
use super::ring::Ring;
use super::spec::{
    RCTL_BSEX, RCTL_BSIZE, RCTL_BSIZE_SHIFT, RCTL_DTYP, RCTL_DTYP_SPLIT, RCTL_FLXBUF, RCTL_FLXBUF_SHIFT,
    RFCTL_EXSTEN,
};
use crate::cpu::walk::GuestMemory;
use crate::net::incident::{Incident, Incidents};

/// Units of a ring that a packet split descriptor takes (82574 7.1.5).
const SPLIT_UNITS: u32 = 2;
/// Buffers of such a descriptor.
const SPLIT_BUFFERS: usize = 4;

/// How the guest's descriptors look, as its registers say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// Legacy, with buffers of so many bytes.
    Legacy(usize),
    /// Extended (82574 7.1.4), with buffers of so many bytes.
    Extended(usize),
    /// Packet split, with the bytes of each buffer. No frame is split by its headers: the buffers are filled in turn.
    Split([usize; SPLIT_BUFFERS]),
}

impl Layout {
    /// What RCTL, RFCTL and PSRCTL say.
    pub(super) fn of(control: u32, filters: u32, split: u32) -> Self {
        let is_extended = filters & RFCTL_EXSTEN != 0;
        if is_extended && control & RCTL_DTYP == RCTL_DTYP_SPLIT {
            let [first, second, third, fourth] = split.to_le_bytes();
            let pages = |field: u8| usize::from(field & 0x3f) * 1024;
            let first = usize::from(first & 0x7f) * 128;
            return Self::Split([first, pages(second), pages(third), pages(fourth)]);
        }
        let buffer = buffer_bytes(control);
        if is_extended {
            Self::Extended(buffer)
        } else {
            Self::Legacy(buffer)
        }
    }

    const fn units(self) -> u32 {
        match self {
            Self::Legacy(_) | Self::Extended(_) => 1,
            Self::Split(_) => SPLIT_UNITS,
        }
    }

    /// Bytes that a descriptor holds.
    fn capacity(self) -> usize {
        match self {
            Self::Legacy(buffer) | Self::Extended(buffer) => buffer,
            Self::Split(buffers) => buffers.iter().sum(),
        }
    }
}

/// RCTL.BSIZE, BSEX and FLXBUF.
fn buffer_bytes(control: u32) -> usize {
    let flexible = (control & RCTL_FLXBUF) >> RCTL_FLXBUF_SHIFT;
    if flexible != 0 {
        return usize::try_from(flexible).unwrap_or(0) * 1024;
    }
    let size = 2048 >> ((control & RCTL_BSIZE) >> RCTL_BSIZE_SHIFT);
    // With BSEX the size of 2048 is reserved.
    if control & RCTL_BSEX == 0 { size } else { size * 16 }
}

/// The ring has no descriptors for a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoBuffers;

/// Whether the ring holds a frame of `length` bytes.
pub(super) fn has_room(ring: &Ring, layout: Layout, length: usize) -> bool {
    let descriptors = length.div_ceil(layout.capacity().max(1));
    let units = u32::try_from(descriptors)
        .unwrap_or(u32::MAX)
        .saturating_mul(layout.units());
    ring.waiting() >= units && layout.capacity() > 0
}

/// Copies a frame, given in two parts, into the ring.
///
/// # Errors
/// [`NoBuffers`]: nothing was done.
pub(super) fn deliver<G: GuestMemory>(
    ring: &mut Ring,
    layout: Layout,
    parts: [&[u8]; 2],
    marks: Marks,
    guest: &G,
    incidents: &mut Incidents,
) -> Result<(), NoBuffers> {
    let mut rest = Rest(parts);
    if !has_room(ring, layout, rest.length()) {
        return Err(NoBuffers);
    }
    let mut is_first = true;
    while is_first || rest.length() > 0 {
        is_first = false;
        let place = ring.place().ok_or(NoBuffers)?;
        ring.advance(layout.units());
        if let Err(address) = fill(place, layout, &mut rest, marks, guest) {
            incidents.add(Incident::UnreachableMemory, 0, address);
            // What cannot be stored is a frame with an error: its descriptor is used up.
            rest = Rest::default();
        }
    }
    Ok(())
}

/// What of a frame is still to be copied.
#[derive(Clone, Copy, Default)]
struct Rest<'a>([&'a [u8]; 2]);

impl Rest<'_> {
    fn length(&self) -> usize {
        self.0.iter().map(|part| part.len()).sum()
    }

    /// Copies as much as fits into `size` bytes; how many those were, or the address that is not the guest's.
    fn copy<G: GuestMemory>(&mut self, address: u64, size: usize, guest: &G) -> Result<usize, u64> {
        let mut copied = 0;
        for part in &mut self.0 {
            let (now, later) = part.split_at(part.len().min(size - copied));
            if now.is_empty() {
                continue;
            }
            let place = address.checked_add(copied as u64).ok_or(address)?;
            guest.write(place, now).map_err(|_| place)?;
            copied += now.len();
            *part = later;
        }
        Ok(copied)
    }
}

/// Fills the buffers of the descriptor at `place` and writes it back.
fn fill<G: GuestMemory>(
    place: u64,
    layout: Layout,
    rest: &mut Rest<'_>,
    marks: Marks,
    guest: &G,
) -> Result<(), u64> {
    match layout {
        Layout::Legacy(size) => {
            let buffer = guest.read_word(place).map_err(|_| place)?;
            let copied = rest.copy(buffer, size, guest);
            let [status, errors] = ends(marks, rest, &copied);
            let [low, high] = length(&copied).to_le_bytes();
            let [sum_low, sum_high] = marks.sum.to_le_bytes();
            let [tag_low, tag_high] = marks.tag.to_le_bytes();
            let back = [low, high, sum_low, sum_high, 0, errors, tag_low, tag_high];
            guest.write(place + 8, &back).map_err(|_| place)?;
            finish(place + 12, status, guest)?;
            copied.map(|_| ())
        }
        Layout::Extended(size) => {
            let buffer = guest.read_word(place).map_err(|_| place)?;
            let copied = rest.copy(buffer, size, guest);
            let [status, errors] = ends(marks, rest, &copied);
            let back = extended(marks, errors, length(&copied));
            guest.write(place, back.as_flattened()).map_err(|_| place)?;
            finish(place + 8, status, guest)?;
            copied.map(|_| ())
        }
        Layout::Split(sizes) => {
            let mut buffers = [0; SPLIT_BYTES];
            guest.read(place, &mut buffers).map_err(|_| place)?;
            split(place, sizes, &buffers, rest, marks, guest)
        }
    }
}

/// Packet split (82574 7.1.5): four buffers, and a length of each.
fn split<G: GuestMemory>(
    place: u64,
    sizes: [usize; SPLIT_BUFFERS],
    buffers: &[u8; SPLIT_BYTES],
    rest: &mut Rest<'_>,
    marks: Marks,
    guest: &G,
) -> Result<(), u64> {
    let mut lengths = [0u16; SPLIT_BUFFERS];
    let mut failure = None;
    let (addresses, _) = buffers.as_chunks::<8>();
    for ((buffer, size), length) in addresses.iter().zip(sizes).zip(&mut lengths) {
        match rest.copy(u64::from_le_bytes(*buffer), size, guest) {
            Ok(copied) => *length = u16::try_from(copied).unwrap_or(u16::MAX),
            Err(address) => failure = Some(address),
        }
    }
    let [first, second, third, fourth] = lengths;
    let copied = failure.map_or(Ok(usize::from(first)), Err);
    let [status, errors] = ends(marks, rest, &copied);
    let [a, b, c, d] = extended(marks, errors, first);
    let pair = |low, high| word(low, high).to_le_bytes();
    // The headers' length and the reserved words are zero.
    let behind = [pair(0, second), pair(third, fourth), [0; 4], [0; 4]];
    let [e, f, g, h] = behind;
    guest
        .write(place, [a, b, c, d, e, f, g, h].as_flattened())
        .map_err(|_| place)?;
    finish(place + 8, status, guest)?;
    copied.map(|_| ())
}

/// The byte with "done" comes last, alone: another CPU of the guest's may be waiting for it.
fn finish<G: GuestMemory>(place: u64, status: u8, guest: &G) -> Result<(), u64> {
    guest.write(place, &[status]).map_err(|_| place)
}

/// The extended form (82574 7.1.4.2), without a hash, not done yet.
fn extended(marks: Marks, errors: u8, length: u16) -> [[u8; 4]; 4] {
    [
        [0; 4],
        word(0, marks.sum).to_le_bytes(),
        [0, 0, 0, errors],
        word(length, marks.tag).to_le_bytes(),
    ]
}

/// Status and errors of a descriptor: those of the frame are in its last one.
fn ends(marks: Marks, rest: &Rest<'_>, copied: &Result<usize, u64>) -> [u8; 2] {
    if copied.is_err() {
        [STATUS_DONE | STATUS_END, ERRORS_DATA]
    } else if rest.length() > 0 {
        [STATUS_DONE, 0]
    } else {
        [marks.status | STATUS_DONE | STATUS_END, marks.errors]
    }
}

fn length(copied: &Result<usize, u64>) -> u16 {
    u16::try_from(copied.unwrap_or(0)).unwrap_or(u16::MAX)
}

const _: () = assert!(SPLIT_BYTES == SPLIT_UNITS as usize * BYTES);
