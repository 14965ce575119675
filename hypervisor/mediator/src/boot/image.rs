//! Is the image in memory the one that was built? Checked before anything in it is used.
//!
//! The digests in `.seal` tell damage (a truncated file, a flipped bit), not forgery: whoever can write the
//! image can write a matching seal. Against that there is the signature, which the firmware checks.
//!
//! What is compared: every section of the PE as the firmware loaded it, except the loader's own that the
//! firmware changes (writable ones, which it relocates) or may drop (discardable ones, `.reloc`). The three
//! payload sections are compared whatever their header says. Headers are read with checked bounds.
//!
//! Source: Microsoft PE Format, "Section Table (Section Headers)".

use alloc::string::String;
use core::fmt;
use object::LittleEndian;
use object::pe::{
    IMAGE_SCN_MEM_DISCARDABLE, IMAGE_SCN_MEM_WRITE, ImageDosHeader, ImageNtHeaders64, ImageSectionHeader,
};
use object::read::pe::{ImageNtHeaders, SectionTable};
use sekisho_abi::boot::{HypervisorLayout, Manifest, SectionDigest};
use sekisho_abi::boot::{SECTION_HYPERVISOR, SECTION_LAYOUT, SECTION_MANIFEST, SECTION_POLICY};
use sekisho_abi::compiled::{CompiledPolicy, DecodeError};
use sekisho_crypto::sha256;

/// The payload: sections that no header flag exempts from the comparison.
const PAYLOAD: [&str; 3] = [SECTION_LAYOUT, SECTION_HYPERVISOR, SECTION_POLICY];

/// An image whose sections have the digests they were built with.
pub struct Verified<'image> {
    /// The policy's `name` and the build's version.
    pub manifest: Manifest,
    /// [`SECTION_LAYOUT`], decoded and as bytes.
    pub layout: HypervisorLayout,
    /// The bytes `layout` was decoded from.
    pub layout_bytes: &'image [u8],
    /// [`SECTION_HYPERVISOR`].
    pub hypervisor: &'image [u8],
    /// [`SECTION_POLICY`], decoded and as bytes.
    pub policy: CompiledPolicy,
    /// The bytes `policy` was decoded from.
    pub policy_bytes: &'image [u8],
}

/// Why an image is not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// No PE32+ header or section table can be read.
    NoHeaders,
    /// A section is not there.
    Missing(SectionName),
    /// A section reaches behind the end of the image, or has another size than when it was sealed.
    Truncated(SectionName),
    /// A section's bytes are not the ones that were sealed.
    Damaged(SectionName),
    /// The section is there but the seal does not mention it.
    Unsealed(SectionName),
    /// `.seal` cannot be decoded.
    SealUnreadable,
    /// `.hvlay` cannot be decoded.
    LayoutUnreadable,
    /// `.policy` cannot be decoded.
    Policy(DecodeError),
    /// The seal is of another version than the loader.
    OtherBuild {
        /// The version in the seal.
        sealed: String,
    },
}

/// The eight bytes of a section's name, NULs at the end left out when displayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SectionName([u8; 8]);

impl SectionName {
    /// The name of a section header, or as much of any other name as fits one.
    fn new(name: &[u8]) -> Self {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        write!(f, "{}", self.0.get(..length).unwrap_or_default().escape_ascii())
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeaders => write!(f, "the image has no readable PE headers"),
            Self::Missing(name) => write!(f, "the image has no section {name}"),
            Self::Truncated(name) => write!(f, "the image's section {name} is truncated"),
            Self::Damaged(name) => write!(
                f,
                "the image's section {name} is damaged: its SHA-256 is not the sealed one"
            ),
            Self::Unsealed(name) => write!(f, "the image's section {name} is not covered by its seal"),
            Self::SealUnreadable => write!(
                f,
                "the image's section {SECTION_MANIFEST} is damaged: it cannot be read"
            ),
            Self::LayoutUnreadable => write!(f, "the image's section {SECTION_LAYOUT} cannot be read"),
            Self::Policy(DecodeError::Format { found }) => write!(
                f,
                "the compiled policy has format {found}, this build reads format {}",
                sekisho_abi::compiled::FORMAT
            ),
            Self::Policy(_) => write!(f, "the image's section {SECTION_POLICY} cannot be read"),
            Self::OtherBuild { sealed } => {
                write!(
                    f,
                    "the image was sealed by version {sealed}, its loader is {}",
                    env!("CARGO_PKG_VERSION")
                )
            }
        }
    }
}

/// Checks the image that the firmware loaded, `image` being its memory from the PE header on.
///
/// # Errors
/// [`ImageError`] for the first section, in file order, that is not as it was built.
pub fn verify(image: &[u8]) -> Result<Verified<'_>, ImageError> {
    let sections = section_table(image).ok_or(ImageError::NoHeaders)?;
    let manifest = manifest(image, &sections)?;
    for sealed in &manifest.sections {
        verify_section(image, &sections, sealed)?;
    }
    let all_sealed = sections
        .iter()
        .filter(|header| is_compared(header))
        .map(|header| header.raw_name());
    for name in all_sealed
        .chain(PAYLOAD.map(str::as_bytes))
        .filter(|name| *name != SECTION_MANIFEST.as_bytes())
    {
        if !manifest
            .sections
            .iter()
            .any(|sealed| sealed.name.as_bytes() == name)
        {
            return Err(ImageError::Unsealed(SectionName::new(name)));
        }
    }
    let layout_bytes = loaded(image, find(&sections, SECTION_LAYOUT)?)?;
    let policy_bytes = loaded(image, find(&sections, SECTION_POLICY)?)?;
    Ok(Verified {
        layout: whole(layout_bytes).ok_or(ImageError::LayoutUnreadable)?,
        layout_bytes,
        hypervisor: loaded(image, find(&sections, SECTION_HYPERVISOR)?)?,
        policy: CompiledPolicy::from_bytes(policy_bytes).map_err(ImageError::Policy)?,
        policy_bytes,
        manifest,
    })
}

fn section_table(image: &[u8]) -> Option<SectionTable<'_>> {
    let mut offset = ImageDosHeader::parse(image).ok()?.nt_headers_offset().into();
    let (headers, _directories) = ImageNtHeaders64::parse(image, &mut offset).ok()?;
    headers.sections(image, offset).ok()
}

/// The seal, if it is of this build.
fn manifest(image: &[u8], sections: &SectionTable<'_>) -> Result<Manifest, ImageError> {
    let bytes = loaded(image, find(sections, SECTION_MANIFEST)?)?;
    let manifest: Manifest = whole(bytes).ok_or(ImageError::SealUnreadable)?;
    if manifest.version != env!("CARGO_PKG_VERSION") {
        return Err(ImageError::OtherBuild {
            sealed: manifest.version,
        });
    }
    Ok(manifest)
}

/// Compares one section with its digest; of a section that the firmware may change, only size and presence.
fn verify_section(
    image: &[u8],
    sections: &SectionTable<'_>,
    sealed: &SectionDigest,
) -> Result<(), ImageError> {
    let header = find(sections, &sealed.name)?;
    let name = SectionName::new(header.raw_name());
    if header.virtual_size.get(LittleEndian) != sealed.size {
        return Err(ImageError::Truncated(name));
    }
    if is_compared(header) && sha256(loaded(image, header)?) != sealed.sha256 {
        return Err(ImageError::Damaged(name));
    }
    Ok(())
}

/// Whether the section in memory must be byte for byte the one in the file.
fn is_compared(header: &ImageSectionHeader) -> bool {
    let changed = IMAGE_SCN_MEM_WRITE | IMAGE_SCN_MEM_DISCARDABLE;
    let is_payload = PAYLOAD.iter().any(|name| name.as_bytes() == header.raw_name());
    is_payload || !header.characteristics.get(LittleEndian).intersects(changed)
}

fn find<'table>(
    sections: &SectionTable<'table>,
    name: &str,
) -> Result<&'table ImageSectionHeader, ImageError> {
    let wanted = |header: &&ImageSectionHeader| header.raw_name() == name.as_bytes();
    sections
        .iter()
        .find(wanted)
        .ok_or_else(|| ImageError::Missing(SectionName::new(name.as_bytes())))
}

/// The section's bytes where the firmware loaded them.
fn loaded<'image>(image: &'image [u8], header: &ImageSectionHeader) -> Result<&'image [u8], ImageError> {
    let address = usize::try_from(header.virtual_address.get(LittleEndian)).ok();
    let size = usize::try_from(header.virtual_size.get(LittleEndian)).ok();
    let bytes = address
        .and_then(|address| image.get(address..))
        .and_then(|rest| rest.get(..size?));
    bytes.ok_or(ImageError::Truncated(SectionName::new(header.raw_name())))
}

/// A value that takes all of `bytes`.
fn whole<'bytes, T: serde::Deserialize<'bytes>>(bytes: &'bytes [u8]) -> Option<T> {
    postcard::take_from_bytes(bytes)
        .ok()
        .filter(|(_, rest)| rest.is_empty())
        .map(|(value, _)| value)
}

#[cfg(test)]
mod tests;
