//! Reads a static PIE: its segments, and its relocations applied for a base address.
//!
//! The linker that made the file is trusted not to be malicious, but not to have done what it was told: whatever
//! the converters cannot express, or the loader would not do (an interpreter, thread-local storage, constructors,
//! relocations other than the relative ones, writable code), is refused here by name.
//!
//! Source: System V ABI, chapters 4 and 5; its AMD64 supplement, sections 4.4 and 5.

use object::LittleEndian;
use object::elf::{self, FileHeader64, ProgramHeader64, Rela64};
use object::pod::slice_from_all_bytes;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use sekisho_abi::boot::{Access, PAGE};
use std::fmt;

/// Little-endian, as AMD64 is.
const ENDIAN: LittleEndian = LittleEndian;

/// End of the highest segment: far above any binary of this project, and small enough for 32-bit offsets.
const LIMIT: u64 = 1 << 28;

/// A static PIE as it should stand in memory at its base address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Where to jump, an address inside an executable segment.
    pub entry: u32,
    /// In ascending order of address, each on pages of its own.
    pub segments: Vec<Segment>,
    /// Addresses of the 64-bit words that hold an address, ascending; they move with the program.
    pub relocations: Vec<u32>,
}

/// One loadable segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it starts, a multiple of [`PAGE`].
    pub address: u32,
    /// Its first bytes, relocated for the base address.
    pub bytes: Vec<u8>,
    /// Bytes in memory; what exceeds `bytes` is zero.
    pub memory_size: u32,
    /// Its one access.
    pub access: Access,
}

/// Why an ELF file is not a static PIE that can be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// Not a complete 64-bit little-endian ELF file for AMD64 of type `ET_DYN`.
    NotStaticPie,
    /// A header or table lies outside the file or a segment.
    Truncated,
    /// It asks for a dynamic linker (`PT_INTERP`).
    Interpreter,
    /// It has thread-local storage (`PT_TLS`), which nobody would set up.
    ThreadLocal,
    /// A segment would be writable and executable.
    WritableCode {
        /// Its address.
        address: u64,
    },
    /// A segment starts off a page, overlaps another, or ends beyond what offsets can hold.
    Placement {
        /// Its address.
        address: u64,
    },
    /// The dynamic section has an entry that needs a dynamic linker (a library, a constructor, packed relocations).
    Dynamic {
        /// The entry's tag.
        tag: i64,
    },
    /// A relocation other than `R_X86_64_RELATIVE`.
    RelocationType {
        /// Its type.
        kind: u32,
    },
    /// A relocation outside the file bytes of a writable segment (so also: in code), or with a target outside.
    Relocation {
        /// Where it applies.
        address: u64,
    },
    /// The entry point is not in an executable segment.
    Entry {
        /// The entry point.
        address: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStaticPie => write!(f, "not a 64-bit AMD64 ELF file of type DYN"),
            Self::Truncated => write!(f, "a header or table lies outside the file"),
            Self::Interpreter => write!(f, "it asks for a dynamic linker (PT_INTERP)"),
            Self::ThreadLocal => write!(f, "it uses thread-local storage (PT_TLS)"),
            Self::WritableCode { address } => write!(f, "segment {address:#x} is writable and executable"),
            Self::Placement { address } => write!(f, "segment {address:#x} has no pages of its own"),
            Self::Dynamic { tag } => write!(f, "dynamic entry {tag:#x} needs a dynamic linker"),
            Self::RelocationType { kind } => write!(f, "relocation type {kind} is not R_X86_64_RELATIVE"),
            Self::Relocation { address } => write!(f, "relocation at {address:#x} is not in writable data"),
            Self::Entry { address } => write!(f, "entry point {address:#x} is not code"),
        }
    }
}

impl std::error::Error for Error {}

impl Program {
    /// Reads `elf` as it should stand in memory when its address zero is at `base`, a multiple of [`PAGE`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(elf: &[u8], base: u32) -> Result<Self, Error> {
        let header = FileHeader64::<LittleEndian>::parse(elf).map_err(|_| Error::NotStaticPie)?;
        if header.e_type(ENDIAN) != elf::ET_DYN || header.e_machine(ENDIAN) != elf::EM_X86_64 {
            return Err(Error::NotStaticPie);
        }
        let headers = header
            .program_headers(ENDIAN, elf)
            .map_err(|_| Error::Truncated)?;
        let mut program = Self {
            entry: 0,
            segments: load(headers, elf, base)?,
            relocations: Vec::new(),
        };
        program.relocate(headers, elf, base)?;
        program.entry = program.entry_point(header.e_entry(ENDIAN), base)?;
        Ok(program)
    }

    /// Where the last segment ends, rounded up to a page.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.segments
            .last()
            .map_or(0, |last| (last.address + last.memory_size).next_multiple_of(PAGE))
    }

    /// Adds `base` to every word that holds an address.
    fn relocate(
        &mut self,
        headers: &[ProgramHeader64<LittleEndian>],
        elf: &[u8],
        base: u32,
    ) -> Result<(), Error> {
        for relocation in relocations(headers, elf)? {
            let kind = relocation.r_type(ENDIAN, false);
            if kind != elf::R_X86_64_RELATIVE {
                return Err(Error::RelocationType { kind: kind.0 });
            }
            let refused = Error::Relocation {
                address: relocation.r_offset.get(ENDIAN),
            };
            let target = u64::try_from(relocation.r_addend.get(ENDIAN))
                .ok()
                .and_then(|at| based(at, base));
            let address = based(relocation.r_offset.get(ENDIAN), base).ok_or(refused)?;
            let word = self.writable_word(address).ok_or(refused)?;
            *word = u64::from(target.ok_or(refused)?).to_le_bytes();
            self.relocations.push(address);
        }
        self.relocations.sort_unstable();
        // Two relocations of one word would be applied twice by whoever loads the program.
        let twice = self
            .relocations
            .iter()
            .zip(self.relocations.iter().skip(1))
            .find(|(one, next)| **next < **one + 8);
        twice.map_or(Ok(()), |(address, _)| {
            Err(Error::Relocation {
                address: u64::from(*address),
            })
        })
    }

    /// The 64-bit word at `address`, if the file holds it in a writable segment.
    fn writable_word(&mut self, address: u32) -> Option<&mut [u8; 8]> {
        let mut writable = self
            .segments
            .iter_mut()
            .filter(|segment| segment.access == Access::Write);
        writable.find_map(|segment| {
            let offset = usize::try_from(address.checked_sub(segment.address)?).ok()?;
            segment.bytes.get_mut(offset..)?.first_chunk_mut()
        })
    }

    /// The entry point, if it is code.
    fn entry_point(&self, entry: u64, base: u32) -> Result<u32, Error> {
        let refused = Error::Entry { address: entry };
        let address = based(entry, base).ok_or(refused)?;
        let holds = |segment: &&Segment| {
            let inside = address
                .checked_sub(segment.address)
                .and_then(|offset| usize::try_from(offset).ok());
            segment.access == Access::Execute && inside.is_some_and(|offset| offset < segment.bytes.len())
        };
        self.segments.iter().find(holds).map(|_| address).ok_or(refused)
    }
}

/// `address` moved by `base`, if it is below [`LIMIT`].
fn based(address: u64, base: u32) -> Option<u32> {
    let moved = address
        .checked_add(u64::from(base))
        .filter(|moved| *moved <= LIMIT)?;
    u32::try_from(moved).ok()
}

/// The `PT_LOAD` segments, in order.
fn load(headers: &[ProgramHeader64<LittleEndian>], elf: &[u8], base: u32) -> Result<Vec<Segment>, Error> {
    let mut segments: Vec<Segment> = Vec::new();
    for header in headers {
        match header.p_type(ENDIAN) {
            elf::PT_INTERP => return Err(Error::Interpreter),
            elf::PT_TLS => return Err(Error::ThreadLocal),
            elf::PT_LOAD if header.p_memsz(ENDIAN) != 0 => {
                let segment = read_segment(header, elf, base)?;
                let free = segments
                    .last()
                    .map_or(base, |last| last.address + last.memory_size);
                if segment.address < free.next_multiple_of(PAGE) {
                    return Err(Error::Placement {
                        address: header.p_vaddr(ENDIAN),
                    });
                }
                segments.push(segment);
            }
            _ => {}
        }
    }
    Ok(segments)
}

/// One segment with its access, which is never both writing and executing.
fn read_segment(header: &ProgramHeader64<LittleEndian>, elf: &[u8], base: u32) -> Result<Segment, Error> {
    let start = header.p_vaddr(ENDIAN);
    let flags = header.p_flags(ENDIAN);
    let access = match (flags.contains(elf::PF_W), flags.contains(elf::PF_X)) {
        (true, true) => return Err(Error::WritableCode { address: start }),
        (true, false) => Access::Write,
        (false, true) => Access::Execute,
        (false, false) => Access::Read,
    };
    let misplaced = Error::Placement { address: start };
    let address = based(start, base)
        .filter(|address| address.is_multiple_of(PAGE))
        .ok_or(misplaced)?;
    let end = start
        .checked_add(header.p_memsz(ENDIAN))
        .and_then(|end| based(end, base))
        .ok_or(misplaced)?;
    let bytes = header.data(ENDIAN, elf).map_err(|()| Error::Truncated)?.to_vec();
    if bytes.len() as u64 > header.p_memsz(ENDIAN) {
        return Err(misplaced);
    }
    Ok(Segment {
        address,
        bytes,
        memory_size: end - address,
        access,
    })
}

/// The relocation table that the dynamic section names.
fn relocations<'elf>(
    headers: &[ProgramHeader64<LittleEndian>],
    elf: &'elf [u8],
) -> Result<&'elf [Rela64<LittleEndian>], Error> {
    let (mut table, mut size) = (0, 0);
    for header in headers {
        let Some(entries) = header.dynamic(ENDIAN, elf).map_err(|_| Error::Truncated)? else {
            continue;
        };
        for entry in entries
            .iter()
            .take_while(|entry| entry.tag(ENDIAN) != elf::DT_NULL)
        {
            match entry.tag(ENDIAN) {
                elf::DT_RELA => table = entry.val(ENDIAN),
                elf::DT_RELASZ => size = entry.val(ENDIAN),
                tag if is_refused(tag, entry.val(ENDIAN)) => return Err(Error::Dynamic { tag: tag.0 }),
                _ => {}
            }
        }
    }
    if size == 0 {
        return Ok(&[]);
    }
    let loaded = headers
        .iter()
        .filter(|header| header.p_type(ENDIAN) == elf::PT_LOAD);
    let bytes = loaded
        .filter_map(|header| header.data_range(ENDIAN, elf, table, size).ok()?)
        .next();
    slice_from_all_bytes(bytes.ok_or(Error::Truncated)?).map_err(|()| Error::Truncated)
}

/// Whether a dynamic entry asks for something that only a dynamic linker does.
fn is_refused(tag: elf::DynamicTag, value: u64) -> bool {
    match tag {
        elf::DT_NEEDED | elf::DT_TEXTREL | elf::DT_RELR | elf::DT_REL | elf::DT_INIT | elf::DT_JMPREL => true,
        elf::DT_INIT_ARRAY | elf::DT_FINI_ARRAY | elf::DT_PREINIT_ARRAY | elf::DT_FINI => true,
        elf::DT_FLAGS => value & elf::DF_TEXTREL.0 != 0,
        _ => false,
    }
}
