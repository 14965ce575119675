//! HKDF with SHA-256 (RFC 5869): one key from another, for a purpose that `info` names.

use sha2::Sha256;

/// More than 8,160 bytes (255 times 32, RFC 5869, section 2.3) were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong {
    /// Bytes asked for.
    pub length: usize,
}

/// Fills `out` from `key`; `salt` may be empty.
///
/// # Errors
/// [`TooLong`].
pub fn derive(key: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), TooLong> {
    let length = out.len();
    hkdf::Hkdf::<Sha256>::new(Some(salt), key)
        .expand(info, out)
        .map_err(|_| TooLong { length })
}
