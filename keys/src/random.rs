//! Randomness, which whoever calls brings: the operating system's on the command line, fixed bytes in tests.

/// A source of bytes that nobody can guess.
pub trait Random {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`NoRandomness`]; what `bytes` hold then must not be used.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The source failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRandomness;

impl core::fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the system gives no randomness")
    }
}

impl core::error::Error for NoRandomness {}
