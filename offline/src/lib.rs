//! Disks and images encrypted where they lie, while no hypervisor runs: `sekisho disk`.
//!
//! What the disk says of itself is hostile, and decided on by the same functions as at boot (`sekisho_abi::disk`). The
//! key store is trusted once its passphrase opens it. A power cut at any moment loses nothing.

pub mod convert;
pub mod folder;
pub mod journal;
pub mod medium;
pub mod session;
pub mod target;
pub mod verify;
pub mod work;
