//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): nonces of 24 bytes, long enough to be random. For what is sealed
//! seldom: the cookies of a tunnel.

use crate::aead::{Error, KEY_SIZE, TAG_SIZE};
use crate::secret::Secret;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

/// Bytes of a nonce.
pub const NONCE_SIZE: usize = 24;

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
    XChaCha20Poly1305::new(key.expose().into())
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
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into())
        .map_err(|_| Error::Forged)
}
