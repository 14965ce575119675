//! Types that secrets live in: nothing prints or copies them, they are wiped when dropped, and compared in constant time.
//!
//! Moving a value may leave its bytes behind, so a secret that lives long is filled in its place (`zeroed` or
//! `with_capacity`, then `expose_mut` or `push`).

use alloc::vec::Vec;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A secret of `N` bytes.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes over; the caller's copy, if there is one, is the caller's to wipe.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All zeros, to be filled.
    #[must_use]
    pub const fn zeroed() -> Self {
        Self([0; N])
    }

    /// A copy of `bytes`; `None` unless there are `N`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled.
    #[must_use]
    pub const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A secret whose length is known at run time: a passphrase, a volume key, key material.
///
/// Its memory is taken once and never grows, since growing would leave a copy behind.
pub struct SecretBytes(Vec<u8>);

/// A [`SecretBytes`] has no room left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl SecretBytes {
    /// Empty, with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// `length` zeros, to be filled.
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        Self(alloc::vec![0; length])
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be changed.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a byte.
    ///
    /// # Errors
    /// [`Full`].
    pub fn push(&mut self, byte: u8) -> Result<(), Full> {
        if self.0.len() == self.0.capacity() {
            return Err(Full);
        }
        self.0.push(byte);
        Ok(())
    }

    /// Takes the last byte off and wipes it.
    pub fn pop(&mut self) -> Option<u8> {
        let byte = self.0.pop();
        self.0.spare_capacity_mut().zeroize();
        byte
    }
}

impl From<Vec<u8>> for SecretBytes {
    /// Takes the memory over, and wipes it later.
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for SecretBytes {
    /// In constant time for a length.
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for SecretBytes {}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether `left` and `right` are the same, in a time that depends on their lengths alone.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Overwrites `bytes` with zeros, in a way that the compiler keeps.
pub fn wipe(bytes: &mut [u8]) {
    bytes.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_only_in_every_byte() {
        let secret = Secret::new([1, 2, 3]);
        assert!(secret == Secret::new([1, 2, 3]));
        assert!(secret != Secret::new([1, 2, 4]));
        assert!(SecretBytes::from_slice(b"ab") != SecretBytes::from_slice(b"abc"));
        assert!(SecretBytes::from_slice(b"ab") == SecretBytes::from(alloc::vec![b'a', b'b']));
    }

    #[test]
    fn a_secret_of_another_length_is_refused() {
        assert!(Secret::<3>::from_slice(&[1, 2]).is_none());
        assert!(Secret::<3>::from_slice(&[1, 2, 3]).is_some_and(|secret| secret.expose() == &[1, 2, 3]));
    }

    #[test]
    fn a_secret_never_grows_past_the_room_it_took() {
        let mut passphrase = SecretBytes::with_capacity(2);
        let room = passphrase.0.capacity();
        for _ in 0..room {
            passphrase.push(b'x').unwrap();
        }
        assert_eq!(passphrase.push(b'x'), Err(Full));
        assert_eq!(passphrase.pop(), Some(b'x'));
        assert_eq!(passphrase.length(), room - 1);
    }
}
