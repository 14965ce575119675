//! The hypervisor as the image carries it: its file bytes, and how to place them in memory.
//!
//! Only what is loaded is taken, so symbols and debug information stay behind.

use crate::elf::{self, Program};
use sekisho_abi::boot::{HypervisorLayout, REGION_SIZE, Segment};
use std::fmt;

/// A hypervisor ready to be put into an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hypervisor {
    /// How to place the bytes.
    pub layout: HypervisorLayout,
    /// The file bytes of each segment, one after the other.
    pub bytes: Vec<u8>,
}

/// Why an ELF file cannot be the hypervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// It is not a static PIE that can be placed.
    Elf(elf::Error),
    /// It needs more memory than the region that the loader reserves.
    TooLarge {
        /// Bytes it needs for its image alone.
        memory_size: u32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => write!(f, "the hypervisor's ELF file cannot be placed: {error}"),
            Self::TooLarge { memory_size } => {
                write!(
                    f,
                    "the hypervisor needs {memory_size} bytes, more than the region of {REGION_SIZE}"
                )
            }
        }
    }
}

impl std::error::Error for Error {}

impl Hypervisor {
    /// The hypervisor in a static PIE.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_elf(elf: &[u8]) -> Result<Self, Error> {
        let program = Program::parse(elf, 0).map_err(Error::Elf)?;
        let memory_size = program.end();
        if u64::from(memory_size) > REGION_SIZE {
            return Err(Error::TooLarge { memory_size });
        }
        let mut bytes = Vec::new();
        let mut segments = Vec::new();
        for segment in &program.segments {
            let file_size =
                u32::try_from(segment.bytes.len()).map_err(|_| Error::TooLarge { memory_size })?;
            segments.push(Segment {
                offset: segment.address,
                file_size,
                memory_size: segment.memory_size,
                access: segment.access,
            });
            bytes.extend_from_slice(&segment.bytes);
        }
        let layout = HypervisorLayout {
            entry: program.entry,
            memory_size,
            segments,
            relocations: program.relocations,
        };
        Ok(Self { layout, bytes })
    }
}
