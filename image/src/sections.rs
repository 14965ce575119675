//! Reads the section table of a UEFI application, and each section's bytes. Nothing in the file is trusted.

use object::LittleEndian;
use object::pe;
use object::read::pe::PeFile64;
use sekisho_crypto::sha256;
use std::fmt;

/// Most bytes of memory that an image may ask for: far above any image built here.
const LARGEST: u32 = 1 << 26;

/// One section, as the file says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its address from the image's base.
    pub address: u32,
    /// Its bytes in memory, before relocation.
    pub bytes: Vec<u8>,
    /// Where they are in the file.
    pub file_offset: u32,
    /// How many of them the file holds.
    pub file_size: u32,
    /// Its access.
    pub access: SectionAccess,
}

/// Access of a section, as its flags say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SectionAccess {
    /// Read only.
    Read,
    /// Read and execute.
    Execute,
    /// Read and write.
    Write,
    /// Writable and executable: never built here.
    WriteExecute,
}

impl fmt::Display for SectionAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "r--",
            Self::Execute => "r-x",
            Self::Write => "rw-",
            Self::WriteExecute => "rwx",
        })
    }
}

/// Why a file is not a UEFI application that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The headers are damaged, cut short, or of another kind of file.
    Headers,
    /// A section's bytes are outside the file.
    Truncated {
        /// The section's name.
        section: String,
    },
    /// With this section, the image asks for more memory than any needs.
    TooLarge {
        /// The section's name.
        section: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers => write!(
                f,
                "the headers are damaged, cut short, or not those of a UEFI application"
            ),
            Self::Truncated { section } => write!(f, "section {section} is cut short"),
            Self::TooLarge { section } => {
                write!(f, "section {section} asks for more memory than any image needs")
            }
        }
    }
}

impl Section {
    /// SHA-256 of the section's bytes in memory, before relocation.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }
}

/// The sections of a UEFI application, in file order.
///
/// # Errors
/// [`Error`].
pub fn read(file: &[u8]) -> Result<Vec<Section>, Error> {
    let parsed = PeFile64::parse(file).map_err(|_| Error::Headers)?;
    let mut left = LARGEST;
    let mut sections = Vec::new();
    for header in parsed.section_table().iter() {
        let section = read_section(file, header, &mut left)?;
        sections.push(section);
    }
    Ok(sections)
}

/// One section, its tail filled with zeros as in memory. `left` is what the image may still ask for.
fn read_section(file: &[u8], header: &pe::ImageSectionHeader, left: &mut u32) -> Result<Section, Error> {
    let name = String::from_utf8_lossy(header.raw_name()).into_owned();
    let memory_size = header.virtual_size.get(LittleEndian);
    let (Some(remaining), Ok(length)) = (left.checked_sub(memory_size), usize::try_from(memory_size)) else {
        return Err(Error::TooLarge { section: name });
    };
    *left = remaining;
    let Ok(raw) = header.pe_data(file) else {
        return Err(Error::Truncated { section: name });
    };
    let (file_offset, file_size) = header.pe_file_range();
    let mut bytes = raw.to_vec();
    bytes.resize(length, 0);
    Ok(Section {
        name,
        address: header.virtual_address.get(LittleEndian),
        bytes,
        file_offset,
        file_size,
        access: access(header.characteristics.get(LittleEndian)),
    })
}

/// What the flags allow.
fn access(flags: pe::SectionFlags) -> SectionAccess {
    match (
        flags.contains(pe::IMAGE_SCN_MEM_WRITE),
        flags.contains(pe::IMAGE_SCN_MEM_EXECUTE),
    ) {
        (true, true) => SectionAccess::WriteExecute,
        (true, false) => SectionAccess::Write,
        (false, true) => SectionAccess::Execute,
        (false, false) => SectionAccess::Read,
    }
}
