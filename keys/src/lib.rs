//! Keys at rest: LUKS2 headers, sealed secrets, recovery keys.
//!
//! Everything is a function of bytes, passphrases and randomness; nothing is read from outside, and the same code unlocks
//! on the command line and in the loader. Bytes of headers and sealed files are hostile: whoever had the disk may have
//! written them. Passphrases are trusted only once a digest agrees.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod luks2;
pub mod passphrase;
mod random;
pub mod recovery;
pub mod secrets;
pub mod store;
#[cfg(test)]
mod tests;

pub use random::{NoRandomness, Random};
pub use sekisho_crypto::argon2::Costs;
pub use sekisho_crypto::secret::SecretBytes;
pub use sekisho_crypto::xts::SectorSize;
