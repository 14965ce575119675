//! The only crate that names cipher and hash libraries: sector cipher, hashes, key derivation, transport AEAD, and
//! the types that secrets live in.
//!
//! Randomness is an argument and nothing is read from outside. Whoever calls is trusted with keys; data, headers and
//! lengths may be hostile and come back as errors.
#![no_std]

extern crate alloc;

pub mod aead;
pub mod argon2;
pub mod blake2s;
mod digest;
pub mod hkdf;
pub mod pbkdf2;
pub mod secret;
pub mod x25519;
pub mod xchacha;
pub mod xts;

pub use digest::{Hash, sha256};
