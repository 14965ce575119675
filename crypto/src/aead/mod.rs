//! ChaCha20-Poly1305 (RFC 8439), in place: sealed secrets at rest, packets in a tunnel.
//!
//! There is no key schedule: a [`Secret`] is all that a session keeps. Texts and associated data may be anything.

mod avx2;
mod engine;
mod interleave;
mod keystream;
mod pair;
mod poly1305;
mod portable;
mod ssse3;
mod vectors;

use crate::secret::Secret;
use engine::Engine;
pub use vectors::{Lender, Vectors};

/// Bytes of key.
pub const KEY_SIZE: usize = 32;
/// Bytes of a nonce, of which none may be used twice with one key.
pub const NONCE_SIZE: usize = 12;
/// Bytes by which sealing is longer than what is sealed.
pub const TAG_SIZE: usize = 16;

/// Bytes of text that one nonce is enough for: blocks are counted in 32 bits, and the first is the tag's.
const MAX_TEXT: u64 = 64 * 0xffff_ffff;

/// Why nothing was sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// 256 GiB or more (RFC 8439, section 2.8).
    TooLong,
    /// Key, nonce, associated data, text and tag do not belong together. The text is as it was.
    Forged,
}

/// Encrypts `text` in its place; the tag vouches for it and for `associated`. No registers but `vectors` are changed.
///
/// # Errors
/// [`Error::TooLong`].
pub fn seal(
    vectors: Vectors,
    key: &Secret<KEY_SIZE>,
    nonce: &[u8; NONCE_SIZE],
    associated: &[u8],
    text: &mut [u8],
) -> Result<[u8; TAG_SIZE], Error> {
    if is_too_long(text) {
        return Err(Error::TooLong);
    }
    Engine::new(vectors, text.len()).seal(key, nonce, associated, text)
}

/// Decrypts `text` in its place, once the tag is found right, in constant time. No registers but `vectors` are changed.
///
/// # Errors
/// [`Error::Forged`].
pub fn open(
    vectors: Vectors,
    key: &Secret<KEY_SIZE>,
    nonce: &[u8; NONCE_SIZE],
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_SIZE],
) -> Result<(), Error> {
    if is_too_long(text) {
        return Err(Error::Forged);
    }
    Engine::new(vectors, text.len()).open(key, nonce, associated, text, tag)
}

fn is_too_long(text: &[u8]) -> bool {
    u64::try_from(text.len()).map_or(true, |length| length > MAX_TEXT)
}

#[cfg(test)]
mod tests;
