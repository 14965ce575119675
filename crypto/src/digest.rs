//! Hashes: SHA-256 for the image's seal and the policy's hash, and by name for LUKS2 headers.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroize;

/// The SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A hash that a LUKS2 header may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// FIPS 180-4, 20 bytes. In headers converted from LUKS1.
    Sha1,
    /// FIPS 180-4, 32 bytes.
    Sha256,
    /// FIPS 180-4, 64 bytes.
    Sha512,
}

impl Hash {
    /// Bytes of the longest.
    pub const MAX_SIZE: usize = 64;

    /// The one a header calls `name`; `None` for what is not supported.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|hash| hash.name() == name)
    }

    /// As headers call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Writes the first bytes of the hash of `parts`, one behind the other, into `out`: as many as there is room for,
    /// at most [`Self::size`]. Says how many.
    pub fn digest(self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        match self {
            Self::Sha1 => digest::<Sha1>(parts, out),
            Self::Sha256 => digest::<Sha256>(parts, out),
            Self::Sha512 => digest::<Sha512>(parts, out),
        }
    }
}

/// What was hashed may be a key, so the hash is wiped but for its copy in `out`.
fn digest<D: Digest>(parts: &[&[u8]], out: &mut [u8]) -> usize {
    let mut state = D::new();
    for part in parts {
        state.update(part);
    }
    let mut hash = state.finalize();
    let mut written = 0;
    for (to, from) in out.iter_mut().zip(&hash) {
        *to = *from;
        written += 1;
    }
    hash.as_mut_slice().zeroize();
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.2: two blocks.
    #[test]
    fn the_published_vector_is_met() {
        let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let expected = [
            0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
            0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1,
        ];
        assert_eq!(sha256(message), expected);
    }

    /// FIPS 180-2, appendices A.1, B.1 and C.1: "abc", here in two parts. The first 20 bytes of each.
    #[test]
    fn each_hash_of_two_parts_is_that_of_their_bytes() {
        let vectors = [
            (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Hash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a3"),
            (Hash::Sha512, "ddaf35a193617abacc417349ae20413112e6fa4e"),
        ];
        for (hash, expected) in vectors {
            let mut first = [0; 20];
            assert_eq!(hash.digest(&[b"a", b"bc"], &mut first), 20);
            let shown: alloc::string::String =
                first.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
            assert_eq!(shown, expected, "{}", hash.name());
        }
    }

    #[test]
    fn no_more_is_written_than_the_hash_has() {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            let mut out = [0x5a; Hash::MAX_SIZE + 1];
            assert_eq!(hash.digest(&[b"abc"], &mut out), hash.size());
            assert!(out[hash.size()..].iter().all(|byte| *byte == 0x5a));
            assert_eq!(Hash::named(hash.name()), Some(hash));
        }
        assert_eq!(Hash::named("whirlpool"), None);
    }
}
