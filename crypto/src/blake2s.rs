//! BLAKE2s (RFC 7693) in the three forms that WireGuard uses: hash, keyed MAC of 16 bytes, and HKDF over its HMAC.
//!
//! WireGuard's paper, section 5.4, names them Hash, Mac and Kdf.

use crate::secret::Secret;
use blake2::digest::consts::U16;
use blake2::digest::{Digest, FixedOutput, Mac, Update};
use blake2::{Blake2s256, Blake2sMac};
use hmac::{KeyInit, SimpleHmac};

/// Bytes of a hash, and of each derived key.
pub const HASH_SIZE: usize = 32;
/// Bytes of a MAC.
pub const MAC_SIZE: usize = 16;
/// Bytes of a block: what HMAC fills a key up to.
const BLOCK_SIZE: usize = 64;

/// The hash of `parts`, one behind the other.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> [u8; HASH_SIZE] {
    let mut state = Blake2s256::new();
    for part in parts {
        Digest::update(&mut state, part);
    }
    state.finalize().into()
}

/// The keyed MAC of `parts`, one behind the other; not HMAC but the hash's own mode. A key has 1 to 32 bytes.
#[must_use]
pub fn mac<const K: usize>(key: &[u8; K], parts: &[&[u8]]) -> [u8; MAC_SIZE] {
    const { assert!(K >= 1 && K <= 32, "RFC 7693, section 2.1") };
    let Ok(mut state) = Blake2sMac::<U16>::new_with_salt_and_personal(Some(key), &[], &[]) else {
        unreachable!("the key's length was checked when this was compiled");
    };
    for part in parts {
        Update::update(&mut state, part);
    }
    state.finalize_fixed().into()
}

/// HKDF (RFC 5869) with `chaining` as salt, `input` as key and no info: the first `N` blocks. With `N` of 1, 2 and 3
/// these are Kdf1, Kdf2 and Kdf3.
#[must_use]
pub fn derive<const N: usize>(chaining: &Secret<HASH_SIZE>, input: &[u8]) -> [Secret<HASH_SIZE>; N] {
    const { assert!(N >= 1 && N <= 255, "RFC 5869, section 2.3") };
    let extracted = hmac(chaining.expose(), &[input]);
    let mut blocks = [const { Secret::zeroed() }; N];
    let mut previous = Secret::<HASH_SIZE>::zeroed();
    for (block, number) in blocks.iter_mut().zip(1_u8..) {
        let before: &[u8] = if number == 1 { &[] } else { previous.expose() };
        let next = hmac(extracted.expose(), &[before, &[number]]);
        *block.expose_mut() = *next.expose();
        previous = next;
    }
    blocks
}

fn hmac(key: &[u8; HASH_SIZE], parts: &[&[u8]]) -> Secret<HASH_SIZE> {
    let mut padded = Secret::<BLOCK_SIZE>::zeroed();
    for (to, from) in padded.expose_mut().iter_mut().zip(key) {
        *to = *from;
    }
    let mut state = SimpleHmac::<Blake2s256>::new(padded.expose().into());
    for part in parts {
        Mac::update(&mut state, part);
    }
    Secret::new(state.finalize().into_bytes().into())
}
