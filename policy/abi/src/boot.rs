//! What the image holds beside the loader: section names, the hypervisor's flat layout, the manifest.
//!
//! `sekisho.efi` is the loader's PE with four more sections, read-only data to the firmware:
//! [`SECTION_LAYOUT`] (a postcard [`HypervisorLayout`]), [`SECTION_HYPERVISOR`] (the bytes it describes),
//! [`SECTION_POLICY`] (a [`crate::compiled::CompiledPolicy`]) and [`SECTION_MANIFEST`] (a [`Manifest`]).

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// PE section holding the [`HypervisorLayout`].
pub const SECTION_LAYOUT: &str = ".hvlay";
/// PE section holding the hypervisor's file bytes, segment after segment.
pub const SECTION_HYPERVISOR: &str = ".hvimg";
/// PE section holding the compiled policy.
pub const SECTION_POLICY: &str = ".policy";
/// PE section holding the [`Manifest`]; the last section.
pub const SECTION_MANIFEST: &str = ".seal";

/// Page size of segments and of the hypervisor's region.
pub const PAGE: u32 = 4096;

/// How to place the hypervisor in memory: copy each segment, zero the rest, add the load address at each
/// relocation, give each segment its access, jump to `entry`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HypervisorLayout {
    /// Offset of the entry point from the load address.
    pub entry: u32,
    /// Bytes from the load address to the end of the last segment, a multiple of [`PAGE`].
    pub memory_size: u32,
    /// In ascending order of `offset`, each starting on a page, without overlap.
    pub segments: Vec<Segment>,
    /// Offsets of 64-bit words to which the load address is added.
    pub relocations: Vec<u32>,
}

/// One part of the hypervisor with one access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Segment {
    /// Offset from the load address, a multiple of [`PAGE`].
    pub offset: u32,
    /// Bytes taken from [`SECTION_HYPERVISOR`].
    pub file_size: u32,
    /// Bytes in memory; what exceeds `file_size` is zero.
    pub memory_size: u32,
    /// What the hypervisor's own page tables allow.
    pub access: Access,
}

/// Access of a segment: never both writable and executable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and execute.
    Execute,
    /// Read and write.
    Write,
}

/// What was built, and the digest of every other section, so that damage is told before it is run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the build, as in `Cargo.toml`.
    pub version: String,
    /// The policy's name.
    pub policy: String,
    /// One for each other section, in file order.
    pub sections: Vec<SectionDigest>,
}

/// Digest of one section's raw bytes (its virtual size, before relocation).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SectionDigest {
    /// The PE section name.
    pub name: String,
    /// Its virtual size in bytes.
    pub size: u32,
    /// SHA-256 of those bytes.
    pub sha256: [u8; 32],
}
