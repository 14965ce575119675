//! ChaCha20-Poly1305 by the `chacha20poly1305` crate: for CPUs without SSSE3, and the judge of our own kernel.
//!
//! The crate is constant-time on every CPU. It wipes its keys when dropped.

use super::{Error, KEY_SIZE, NONCE_SIZE, TAG_SIZE};
use crate::secret::Secret;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};

pub(super) fn seal(
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

pub(super) fn open(
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
