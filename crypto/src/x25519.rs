//! X25519 (RFC 7748): the keys of WireGuard.

use crate::secret::Secret;
use x25519_dalek::{PublicKey, StaticSecret};

/// Bytes of a private and of a public key.
pub const KEY_SIZE: usize = 32;

/// The public key of `private`, which may be any 32 random bytes (section 5: decoding clears and sets what must be).
#[must_use]
pub fn public_key(private: &Secret<KEY_SIZE>) -> [u8; KEY_SIZE] {
    PublicKey::from(&StaticSecret::from(*private.expose())).to_bytes()
}

/// What `private` and the owner of `public` have in common; `None` for a public key of low order, with which everyone
/// has the same (section 6.1).
#[must_use]
pub fn agree(private: &Secret<KEY_SIZE>, public: &[u8; KEY_SIZE]) -> Option<Secret<KEY_SIZE>> {
    let shared = StaticSecret::from(*private.expose()).diffie_hellman(&PublicKey::from(*public));
    shared.was_contributory().then(|| Secret::new(shared.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748, section 6.1: Alice's keys.
    #[test]
    fn the_published_public_key_is_met() {
        let private = [
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
            0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ];
        let public = [
            0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
            0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
        ];
        assert_eq!(public_key(&Secret::new(private)), public);
    }
}
