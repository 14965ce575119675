//! Writes a UEFI application: PE32+ from a static PIE, with further read-only sections.
//!
//! ImageBase is 0, an RVA is the ELF address plus [`HEADERS`], each segment is a section with its one access, and
//! every relative relocation becomes a DIR64 base relocation. Nothing in the file depends on time or place.
//! The layout itself is `object`'s; what is decided here is what the headers say, and the checksum.
//!
//! Source: Microsoft PE Format (Optional Header, Section Table, The .reloc Section); UEFI 2.10, section 2.1.1.

use crate::elf::{self, Program, Segment};
use object::pe;
use object::write::pe::{NtHeaders, SectionRange, Writer};
use sekisho_abi::boot::{Access, PAGE};
use std::fmt;

/// Bytes before the first section, in memory.
pub const HEADERS: u32 = PAGE;

/// Sections start at a multiple of this in the file; the format's usual value.
const FILE_ALIGNMENT: u32 = 512;

/// Offset of `CheckSum` from the PE signature: the signature, the COFF file header, 64 bytes of optional header.
const CHECKSUM_OFFSET: usize = 4 + 20 + 64;

/// Why a PE file cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The ELF file has something a UEFI application cannot have.
    Elf(elf::Error),
    /// There are pages between two segments that no section would cover.
    Gap {
        /// The RVA where the gap begins.
        address: u32,
    },
    /// A further section is empty, or its name is longer than eight bytes.
    Section,
    /// More headers than fit before the first section, or more bytes than offsets can hold.
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => write!(f, "the ELF file cannot become a UEFI application: {error}"),
            Self::Gap { address } => write!(f, "no segment covers the pages from {address:#x}"),
            Self::Section => write!(f, "a section is empty or its name is longer than eight bytes"),
            Self::TooLarge => write!(f, "more sections or bytes than a PE file can hold"),
        }
    }
}

impl std::error::Error for Error {}

impl From<elf::Error> for Error {
    fn from(error: elf::Error) -> Self {
        Self::Elf(error)
    }
}

/// Read-only data to carry along: the section's name, and its bytes.
pub type Data<'bytes> = (&'static str, &'bytes [u8]);

/// The UEFI application that a static PIE is.
///
/// # Errors
/// [`Error`].
pub fn from_elf(elf: &[u8]) -> Result<Vec<u8>, Error> {
    write(&Program::parse(elf, HEADERS)?, &[])
}

/// A program parsed at base [`HEADERS`] as a UEFI application, followed by `data` in this order.
///
/// # Errors
/// [`Error`], but not [`Error::Elf`].
pub fn write(program: &Program, data: &[Data<'_>]) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut writer = Writer::new(true, PAGE, FILE_ALIGNMENT, &mut file);
    let placed = reserve(&mut writer, program, data)?;
    writer.write_empty_dos_header().map_err(|_| Error::TooLarge)?;
    writer.write_nt_headers(headers(program));
    writer.write_section_headers();
    let (segments, further) = placed.split_at(program.segments.len().min(placed.len()));
    for (segment, range) in program.segments.iter().zip(segments) {
        writer.write_section(range.file_offset, &segment.bytes);
    }
    writer.write_reloc_section();
    for ((_, bytes), range) in data.iter().zip(further) {
        writer.write_section(range.file_offset, bytes);
    }
    let signature = usize::try_from(writer.nt_headers_offset()).map_err(|_| Error::TooLarge)?;
    set_checksum(&mut file, signature + CHECKSUM_OFFSET)?;
    Ok(file)
}

/// Gives every section its place; returns those of the segments, then those of `data`.
fn reserve(
    writer: &mut Writer<'_>,
    program: &Program,
    data: &[Data<'_>],
) -> Result<Vec<SectionRange>, Error> {
    writer.reserve_dos_header();
    writer.reserve_nt_headers(pe::IMAGE_NUMBEROF_DIRECTORY_ENTRIES);
    let count = program.segments.len() + usize::from(!program.relocations.is_empty()) + data.len();
    writer.reserve_section_headers(u16::try_from(count).map_err(|_| Error::TooLarge)?);
    if writer.virtual_len() != HEADERS {
        return Err(Error::TooLarge);
    }
    let mut placed = Vec::new();
    for (index, segment) in program.segments.iter().enumerate() {
        placed.push(reserve_segment(writer, index, segment)?);
    }
    for address in &program.relocations {
        writer.add_reloc(*address, pe::IMAGE_REL_BASED_DIR64);
    }
    if writer.has_relocs() {
        writer.reserve_reloc_section();
    }
    for (name, bytes) in data {
        let size = length(bytes)?;
        let name = padded(name).filter(|_| size != 0).ok_or(Error::Section)?;
        placed.push(writer.reserve_section(name, DATA | pe::IMAGE_SCN_MEM_READ, size, size));
    }
    // `object` counts in 32 bits without checking: what would have wrapped is told by the 64-bit sum.
    let total = u64::from(program.end())
        + data
            .iter()
            .map(|(_, bytes)| bytes.len() as u64 + u64::from(PAGE))
            .sum::<u64>();
    if total > u64::from(u32::MAX / 2) {
        Err(Error::TooLarge)
    } else {
        Ok(placed)
    }
}

/// Initialised data.
const DATA: pe::SectionFlags = pe::IMAGE_SCN_CNT_INITIALIZED_DATA;

/// The place of one segment, which its addresses already say.
fn reserve_segment(writer: &mut Writer<'_>, index: usize, segment: &Segment) -> Result<SectionRange, Error> {
    let (name, flags) = match segment.access {
        Access::Read => (".rdata", DATA | pe::IMAGE_SCN_MEM_READ),
        Access::Execute => (
            ".text",
            pe::IMAGE_SCN_CNT_CODE | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_EXECUTE,
        ),
        Access::Write => (".data", DATA | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_WRITE),
    };
    if segment.address != writer.virtual_len() {
        return Err(Error::Gap {
            address: writer.virtual_len(),
        });
    }
    // Linkers may split read-only data around the code; the number keeps names, and so digests, apart.
    let name = padded(&format!("{name}{index}")).ok_or(Error::Section)?;
    Ok(writer.reserve_section(name, flags, segment.memory_size, length(&segment.bytes)?))
}

/// What every image built here says of itself.
fn headers(program: &Program) -> NtHeaders {
    NtHeaders {
        machine: pe::IMAGE_FILE_MACHINE_AMD64,
        time_date_stamp: 0,
        characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_LARGE_ADDRESS_AWARE,
        major_linker_version: 0,
        minor_linker_version: 0,
        address_of_entry_point: program.entry,
        image_base: 0,
        major_operating_system_version: 0,
        minor_operating_system_version: 0,
        major_image_version: 0,
        minor_image_version: 0,
        major_subsystem_version: 0,
        minor_subsystem_version: 0,
        subsystem: pe::IMAGE_SUBSYSTEM_EFI_APPLICATION,
        dll_characteristics: pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT
            | pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE,
        size_of_stack_reserve: 0,
        size_of_stack_commit: 0,
        size_of_heap_reserve: 0,
        size_of_heap_commit: 0,
    }
}

/// A section name in its eight bytes, padded with zeros.
fn padded(name: &str) -> Option<[u8; 8]> {
    let mut padded = [0; 8];
    padded.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    Some(padded)
}

/// A length that offsets in the file can hold.
fn length(bytes: &[u8]) -> Result<u32, Error> {
    u32::try_from(bytes.len()).map_err(|_| Error::TooLarge)
}

/// Stores the checksum in a file whose `CheckSum` field, at `offset`, is zero.
fn set_checksum(file: &mut [u8], offset: usize) -> Result<(), Error> {
    let sum = checksum(file, offset).ok_or(Error::TooLarge)?;
    let field = file
        .get_mut(offset..)
        .and_then(<[u8]>::first_chunk_mut)
        .ok_or(Error::TooLarge)?;
    *field = sum.to_le_bytes();
    Ok(())
}

/// Whether the file's checksum is the one that its bytes have.
pub(crate) fn has_valid_checksum(file: &[u8]) -> bool {
    let signature = file
        .get(0x3c..)
        .and_then(<[u8]>::first_chunk)
        .map(|at| u32::from_le_bytes(*at));
    let offset = signature.and_then(|at| usize::try_from(at).ok()?.checked_add(CHECKSUM_OFFSET));
    let stored = offset
        .and_then(|at| file.get(at..)?.first_chunk())
        .map(|sum| u32::from_le_bytes(*sum));
    stored.is_some() && stored == offset.and_then(|at| checksum(file, at))
}

/// The PE checksum of `file`, its own field at `offset` counted as zero: the 16-bit one's complement sum of the
/// file's words, plus its length. Every change of a single byte changes it.
fn checksum(file: &[u8], offset: usize) -> Option<u32> {
    let (before, rest) = file.split_at_checked(offset)?;
    let after = rest.get(4..)?;
    let mut sum = 0u64;
    for word in before.chunks(2).chain(after.chunks(2)) {
        let [low, high] = [word.first(), word.get(1)].map(|byte| u64::from(byte.copied().unwrap_or(0)));
        sum += high << 8 | low;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u32::try_from(sum)
        .ok()?
        .checked_add(u32::try_from(file.len()).ok()?)
}
