//! Which kernel, for a CPU, the registers that may be changed, and a length. All of them are one cipher.

use super::avx2::{self, Avx2};
use super::interleave::{self, first};
use super::keystream::Keystream;
use super::pair::{self, Pair};
use super::portable;
use super::ssse3::{self, Ssse3};
use super::{Error, KEY_SIZE, NONCE_SIZE, TAG_SIZE, Vectors};
use crate::secret::Secret;

/// Groups of four blocks put aside before a tag is known, behind the first: enough for a packet of 1,472 bytes.
const AHEAD_FOUR: usize = 5;
/// Groups of eight blocks, for the same.
const AHEAD_EIGHT: usize = 2;

/// What seals and opens.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    /// The tag's block and one more.
    Pair(Pair),
    /// Four blocks at once.
    Four(Ssse3),
    /// Eight blocks at once.
    Eight(Avx2),
    /// Any CPU.
    Portable,
}

impl Engine {
    /// The fastest for texts of `length` bytes that changes no more than `vectors`.
    pub(super) fn new(vectors: Vectors, length: usize) -> Self {
        let Some(ssse3) = Ssse3::detect() else {
            return Self::Portable;
        };
        if length <= const { first(pair::QUARTERS) } {
            return Self::Pair(Pair(ssse3));
        }
        if length <= const { first(ssse3::QUARTERS) } {
            return Self::Four(ssse3);
        }
        vectors.wide().map_or(Self::Four(ssse3), Self::Eight)
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
            Self::Pair(kernel) => Ok(interleave::seal(kernel, stream(), associated, text)),
            Self::Four(kernel) => Ok(interleave::seal(kernel, stream(), associated, text)),
            Self::Eight(kernel) => Ok(interleave::seal(kernel, stream(), associated, text)),
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
        use interleave::open;
        let stream = || Keystream::new(key.expose(), nonce);
        match self {
            Self::Pair(kernel) => open::<{ pair::QUARTERS }, 0>(kernel, stream(), associated, text, tag),
            Self::Four(kernel) if text.len() <= const { first(ssse3::QUARTERS) } => {
                open::<{ ssse3::QUARTERS }, 0>(kernel, stream(), associated, text, tag)
            }
            Self::Four(kernel) => {
                open::<{ ssse3::QUARTERS }, AHEAD_FOUR>(kernel, stream(), associated, text, tag)
            }
            Self::Eight(kernel) => {
                open::<{ avx2::QUARTERS }, AHEAD_EIGHT>(kernel, stream(), associated, text, tag)
            }
            Self::Portable => portable::open(key, nonce, associated, text, tag),
        }
    }
}
