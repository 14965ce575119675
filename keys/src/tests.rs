//! What this crate's tests share.

use crate::random::{NoRandomness, Random};

/// Bytes that are the same in every run: xorshift64 from a seed that is not 0.
pub(crate) struct Counting(u64);

impl Counting {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
        Ok(())
    }
}
