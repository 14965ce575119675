//! ChaCha20-Poly1305 (RFC 8439): sealed secrets at rest, packets in a tunnel.

use crate::secret::Secret;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};

/// Bytes of key.
pub const KEY_SIZE: usize = 32;
/// Bytes of a nonce, of which none may be used twice with one key.
pub const NONCE_SIZE: usize = 12;
/// Bytes by which sealing is longer than what is sealed.
pub const TAG_SIZE: usize = 16;

/// Why nothing was sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// More than 256 GiB (RFC 8439, section 2.8).
    TooLong,
    /// Key, nonce, associated data, text and tag do not belong together. The text is as it was.
    Forged,
}

/// Encrypts `text` in its place; the tag vouches for it and for `associated`.
///
/// # Errors
/// [`Error::TooLong`].
pub fn seal(
    key: &Secret<KEY_SIZE>,
    nonce: &[u8; NONCE_SIZE],
    associated: &[u8],
    text: &mut [u8],
) -> Result<[u8; TAG_SIZE], Error> {
    ChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(nonce.into(), associated, text.into())
        .map(Into::into)
        .map_err(|_| Error::TooLong)
}

/// Decrypts `text` in its place if the tag is right.
///
/// # Errors
/// [`Error::Forged`].
pub fn open(
    key: &Secret<KEY_SIZE>,
    nonce: &[u8; NONCE_SIZE],
    associated: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG_SIZE],
) -> Result<(), Error> {
    ChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into())
        .map_err(|_| Error::Forged)
}
