//! The only crate that names cipher and hash libraries.
#![no_std]

mod digest;

pub use digest::sha256;
