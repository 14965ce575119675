//! Which kernel, for a CPU and a length. All of them are one cipher.

use super::interleave::{first, open, seal};
use super::keystream::Keystream;
use super::pair::{self, Pair};
use super::portable;
use super::ssse3::{self, Ssse3};
use super::{Error, KEY_SIZE, NONCE_SIZE, TAG_SIZE};
use crate::secret::Secret;

/// Groups of four blocks put aside before a tag is known, behind the first: enough for a packet of 1,472 bytes.
const AHEAD: usize = 5;

/// What seals and opens.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    /// Two blocks at once.
    Pair(Pair),
    /// Four blocks at once.
    Four(Ssse3),
    /// Any CPU.
    Portable,
}

impl Engine {
    /// The fastest for texts of `length` bytes.
    pub(super) fn detect(length: usize) -> Self {
        match Ssse3::detect() {
            Some(ssse3) if length <= const { first(pair::QUARTERS) } => Self::Pair(Pair(ssse3)),
            Some(ssse3) => Self::Four(ssse3),
            None => Self::Portable,
        }
    }

    pub(super) fn seal(
        self,
        key: &Secret<KEY_SIZE>,
        nonce: &[u8; NONCE_SIZE],
        associated: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_SIZE], Error> {
        let stream = || Keystream::new(key.expose(), nonce);
        match self {
            Self::Pair(kernel) => Ok(seal(kernel, stream(), associated, text)),
            Self::Four(kernel) => Ok(seal(kernel, stream(), associated, text)),
            Self::Portable => portable::seal(key, nonce, associated, text),
        }
    }

    pub(super) fn open(
        self,
        key: &Secret<KEY_SIZE>,
        nonce: &[u8; NONCE_SIZE],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_SIZE],
    ) -> Result<(), Error> {
        let stream = || Keystream::new(key.expose(), nonce);
        match self {
            Self::Pair(kernel) => open::<_, _, 0>(kernel, stream(), associated, text, tag),
            Self::Four(kernel) if text.len() <= const { first(ssse3::QUARTERS) } => {
                open::<_, _, 0>(kernel, stream(), associated, text, tag)
            }
            Self::Four(kernel) => open::<_, _, AHEAD>(kernel, stream(), associated, text, tag),
            Self::Portable => portable::open(key, nonce, associated, text, tag),
        }
    }
}
