//! The only crate that names cipher and hash libraries.
