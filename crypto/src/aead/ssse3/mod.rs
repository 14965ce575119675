//! ChaCha20-Poly1305 by SSSE3: which bytes when. While the kernel computes four blocks of keystream in the vector
//! units, the authenticator works through text in the units for integers, and costs nothing.

mod kernel;

use super::poly1305::Poly1305;
use super::{Error, KEY_SIZE, NONCE_SIZE, TAG_SIZE};
use crate::secret::{self, Secret};
use kernel::{BLOCK, GROUP, Group, Keystream, QUARTER};
use zeroize::optimization_barrier;

pub(super) use kernel::Ssse3;

/// What the first group is worth: its first block is the tag's (RFC 8439, section 2.6).
const FIRST: usize = GROUP - BLOCK;
/// Further groups of keystream made before a tag is known: enough for a packet of 1,472 bytes.
const AHEAD: usize = 5;
/// No keystream.
const NONE: Group = [[0; QUARTER]; GROUP / QUARTER];

impl Ssse3 {
    /// A group is authenticated while the next one's keystream is computed.
    pub(super) fn seal(
        self,
        key: &Secret<KEY_SIZE>,
        nonce: &[u8; NONCE_SIZE],
        associated: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_SIZE] {
        let length = text.len();
        let mut stream = Keystream::new(self, key.expose(), nonce);
        let mut pads = Pads::<0>::new();
        stream.next(&mut pads.first, || ());
        let mut authenticator = pads.authenticator(associated);
        let (mut done, mut rest) = split(text, FIRST);
        pads.apply_first(done);
        while !rest.is_empty() {
            let mut blocks = done.as_chunks().0.iter();
            stream.next(&mut pads.first, || {
                if let Some(block) = blocks.next() {
                    authenticator.block(block);
                }
            });
            (done, rest) = split(rest, GROUP);
            apply(&pads.first, done);
        }
        authenticator.padded(done);
        authenticator.block(&lengths(associated, length));
        authenticator.tag()
    }

    /// Nothing is decrypted before the tag is found right, so the keystream that is computed meanwhile is put aside.
    pub(super) fn open(
        self,
        key: &Secret<KEY_SIZE>,
        nonce: &[u8; NONCE_SIZE],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_SIZE],
    ) -> Result<(), Error> {
        let stream = Keystream::new(self, key.expose(), nonce);
        if text.len() <= FIRST {
            open::<0>(stream, associated, text, tag)
        } else {
            open::<AHEAD>(stream, associated, text, tag)
        }
    }
}

/// With up to `N` groups of keystream put aside, behind the first.
fn open<const N: usize>(
    mut stream: Keystream,
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_SIZE],
) -> Result<(), Error> {
    let mut pads = Pads::<N>::new();
    stream.next(&mut pads.first, || ());
    let mut authenticator = pads.authenticator(associated);
    let (blocks, part) = text.as_chunks();
    let mut blocks = blocks.iter();
    let needed = text.len().saturating_sub(FIRST).div_ceil(GROUP);
    for pad in pads.ahead.iter_mut().take(needed) {
        stream.next(pad, || {
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

    let (head, rest) = split(text, FIRST);
    pads.apply_first(head);
    for (at, group) in rest.chunks_mut(GROUP).enumerate() {
        match pads.ahead.get(at) {
            Some(pad) => apply(pad, group),
            None => {
                stream.next(&mut pads.first, || ());
                apply(&pads.first, group);
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

/// Encrypts or decrypts.
fn apply(pad: &[[u8; QUARTER]], text: &mut [u8]) {
    for (text, pad) in text.iter_mut().zip(pad.as_flattened()) {
        *text ^= pad;
    }
}

/// Groups of keystream. With a ciphertext they are the plaintext, so they are wiped.
struct Pads<const N: usize> {
    first: Group,
    ahead: [Group; N],
}

impl<const N: usize> Pads<N> {
    const fn new() -> Self {
        Self {
            first: NONE,
            ahead: [NONE; N],
        }
    }

    /// From the block of keystream that is its key.
    fn authenticator(&self, associated: &[u8]) -> Poly1305 {
        let [r, pad, ..] = &self.first;
        let mut authenticator = Poly1305::new(*r, *pad);
        authenticator.padded(associated);
        authenticator
    }

    /// Encrypts or decrypts the first bytes of a text.
    fn apply_first(&self, text: &mut [u8]) {
        let [_, _, _, _, pad @ ..] = &self.first;
        apply(pad, text);
    }
}

impl<const N: usize> Drop for Pads<N> {
    fn drop(&mut self) {
        self.first = NONE;
        self.ahead = [NONE; N];
        optimization_barrier(self);
    }
}
