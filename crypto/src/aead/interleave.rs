//! ChaCha20-Poly1305 by a kernel: which bytes when. While the kernel computes a group of blocks of keystream in the
//! vector units, the authenticator works through text in the units for integers, and costs nothing.

use super::keystream::{BLOCK, Keystream, QUARTER, WORDS};
use super::poly1305::Poly1305;
use super::{Error, TAG_SIZE};
use crate::secret;
use zeroize::optimization_barrier;

/// Blocks that are computed together, in quarters.
pub(super) type Group<const QUARTERS: usize> = [[u8; QUARTER]; QUARTERS];

/// What computes `QUARTERS` quarters of blocks together.
pub(super) trait Kernel<const QUARTERS: usize>: Copy {
    /// How many blocks these are.
    const BLOCKS: u32;

    /// The blocks from the one with the number in `words` on. `meanwhile` is called at least as often as there are
    /// quarters, or never by a kernel for one group.
    fn compute(self, words: &[u32; WORDS], group: &mut Group<QUARTERS>, meanwhile: impl FnMut());

    /// Encrypts or decrypts `text`, or what of it `pad` is enough for.
    #[inline(always)]
    fn apply(self, pad: &[u8], text: &mut [u8]) {
        for (text, pad) in text.iter_mut().zip(pad) {
            *text ^= pad;
        }
    }
}

/// Bytes of a group.
const fn size(quarters: usize) -> usize {
    quarters * QUARTER
}

/// What the first group is worth: its first block is the tag's (RFC 8439, section 2.6).
pub(super) const fn first(quarters: usize) -> usize {
    size(quarters) - BLOCK
}

/// A group is authenticated while the next one's keystream is computed.
#[inline(always)]
pub(super) fn seal<const QUARTERS: usize>(
    kernel: impl Kernel<QUARTERS>,
    mut stream: Keystream,
    associated: &[u8],
    text: &mut [u8],
) -> [u8; TAG_SIZE] {
    let length = text.len();
    let mut pads = Pads::<QUARTERS, 0>::new();
    stream.next(kernel, &mut pads.first, || ());
    let mut authenticator = pads.authenticator(associated);
    let (mut done, mut rest) = split(text, first(QUARTERS));
    kernel.apply(pads.first_text(), done);
    while !rest.is_empty() {
        let mut blocks = done.as_chunks().0.iter();
        stream.next(kernel, &mut pads.first, || {
            if let Some(block) = blocks.next() {
                authenticator.block(block);
            }
        });
        (done, rest) = split(rest, size(QUARTERS));
        kernel.apply(pads.first.as_flattened(), done);
    }
    authenticator.padded(done);
    authenticator.block(&lengths(associated, length));
    authenticator.tag()
}

/// Nothing is decrypted before the tag is found right, so the keystream that is computed meanwhile is put aside: up to
/// `AHEAD` groups behind the first.
#[inline(always)]
pub(super) fn open<const QUARTERS: usize, const AHEAD: usize>(
    kernel: impl Kernel<QUARTERS>,
    mut stream: Keystream,
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_SIZE],
) -> Result<(), Error> {
    let mut pads = Pads::<QUARTERS, AHEAD>::new();
    stream.next(kernel, &mut pads.first, || ());
    let mut authenticator = pads.authenticator(associated);
    let (blocks, part) = text.as_chunks();
    let mut blocks = blocks.iter();
    let needed = text
        .len()
        .saturating_sub(first(QUARTERS))
        .div_ceil(size(QUARTERS));
    for pad in pads.ahead.iter_mut().take(needed) {
        stream.next(kernel, pad, || {
            if let Some(block) = blocks.next() {
                authenticator.block(block);
            }
        });
    }
    for block in blocks {
        authenticator.block(block);
    }
    authenticator.padded(part);
    authenticator.block(&lengths(associated, text.len()));
    if !secret::same(&authenticator.tag(), tag) {
        return Err(Error::Forged);
    }

    let (head, rest) = split(text, first(QUARTERS));
    kernel.apply(pads.first_text(), head);
    for (at, group) in rest.chunks_mut(size(QUARTERS)).enumerate() {
        match pads.ahead.get(at) {
            Some(pad) => kernel.apply(pad.as_flattened(), group),
            None => {
                stream.next(kernel, &mut pads.first, || ());
                kernel.apply(pads.first.as_flattened(), group);
            }
        }
    }
    Ok(())
}

/// The last block (section 2.8).
fn lengths(associated: &[u8], text: usize) -> [u8; QUARTER] {
    // A slice has less than 2^64 bytes.
    ((text as u128) << 64 | associated.len() as u128).to_le_bytes()
}

/// The first `length` bytes, or all, and the others.
fn split(text: &mut [u8], length: usize) -> (&mut [u8], &mut [u8]) {
    text.split_at_mut(length.min(text.len()))
}

/// Groups of keystream. With a ciphertext they are the plaintext, so they are wiped.
struct Pads<const QUARTERS: usize, const AHEAD: usize> {
    first: Group<QUARTERS>,
    ahead: [Group<QUARTERS>; AHEAD],
}

impl<const QUARTERS: usize, const AHEAD: usize> Pads<QUARTERS, AHEAD> {
    const NONE: Group<QUARTERS> = [[0; QUARTER]; QUARTERS];

    const fn new() -> Self {
        Self {
            first: Self::NONE,
            ahead: [Self::NONE; AHEAD],
        }
    }

    /// From the block of keystream that is its key.
    fn authenticator(&self, associated: &[u8]) -> Poly1305 {
        let mut halves = self.first.iter().copied();
        let [r, pad] = [halves.next(), halves.next()].map(Option::unwrap_or_default);
        let mut authenticator = Poly1305::new(r, pad);
        authenticator.padded(associated);
        authenticator
    }

    /// The first group but for the tag's block.
    fn first_text(&self) -> &[u8] {
        self.first.as_flattened().get(BLOCK..).unwrap_or_default()
    }
}

impl<const QUARTERS: usize, const AHEAD: usize> Drop for Pads<QUARTERS, AHEAD> {
    fn drop(&mut self) {
        self.first = Self::NONE;
        self.ahead = [Self::NONE; AHEAD];
        optimization_barrier(self);
    }
}
