//! PBKDF2 with HMAC (RFC 8018, section 5.2): the digest of a LUKS2 header, and keyslots of older ones.

use crate::Hash;
use core::num::NonZeroU32;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// Fills `out` with what `password` and `salt` give in `iterations` rounds of HMAC with `hash`.
pub fn derive(hash: Hash, password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    let iterations = iterations.get();
    match hash {
        Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, out),
        Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, out),
        Hash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, out),
    }
}
