//! Puts loader, hypervisor and policy into one UEFI application, and seals it: a manifest with the digest of every
//! other section, so that damage is told before anything of it runs.
//!
//! The seal finds damage, not attackers: whoever can write the file can write a new seal. One signature over the
//! whole PE covers it against those.

use crate::elf::Program;
use crate::layout::{self, Hypervisor};
use crate::pe::{self, Data, HEADERS};
use crate::sections;
use sekisho_abi::boot::{
    Manifest, SECTION_HYPERVISOR, SECTION_LAYOUT, SECTION_MANIFEST, SECTION_POLICY, SectionDigest,
};
use sekisho_abi::compiled::CompiledPolicy;
use std::fmt;

/// The loader that `build.rs` built, an ELF file.
pub const LOADER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sekisho-loader.elf"));

/// The hypervisor that `build.rs` built, an ELF file.
pub const HYPERVISOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sekisho-hypervisor.elf"));

/// Why the image cannot be put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The loader cannot become a UEFI application, or the sections don't fit one.
    Pe(pe::Error),
    /// The hypervisor cannot be placed.
    Hypervisor(layout::Error),
    /// The application, read back, is not what was written.
    ReadBack(sections::Error),
    /// A part of the contract could not be serialised.
    Encoding,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pe(error) => write!(f, "{error}"),
            Self::Hypervisor(error) => write!(f, "{error}"),
            Self::ReadBack(error) => write!(f, "the image, read back, is damaged: {error}"),
            Self::Encoding => write!(f, "the layout or the manifest cannot be serialised"),
        }
    }
}

impl std::error::Error for Error {}

impl From<pe::Error> for Error {
    fn from(error: pe::Error) -> Self {
        Self::Pe(error)
    }
}

/// `sekisho.efi` with the binaries of this build and `policy`.
///
/// # Errors
/// [`Error`].
pub fn application(policy: &CompiledPolicy) -> Result<Vec<u8>, Error> {
    seal(LOADER, HYPERVISOR, policy)
}

/// A UEFI application from two ELF files and a policy.
///
/// # Errors
/// [`Error`].
pub fn seal(loader: &[u8], hypervisor: &[u8], policy: &CompiledPolicy) -> Result<Vec<u8>, Error> {
    let loader = Program::parse(loader, HEADERS).map_err(pe::Error::Elf)?;
    let hypervisor = Hypervisor::from_elf(hypervisor).map_err(Error::Hypervisor)?;
    let layout = postcard::to_allocvec(&hypervisor.layout).map_err(|_| Error::Encoding)?;
    let compiled = policy.to_bytes();
    let mut data: Vec<Data<'_>> = vec![
        (SECTION_LAYOUT, &layout),
        (SECTION_HYPERVISOR, &hypervisor.bytes),
        (SECTION_POLICY, &compiled),
    ];
    // Written without the seal and read back, so that what is digested is what a reader of the file will see.
    let unsealed = pe::write(&loader, &data)?;
    let manifest = manifest(&unsealed, policy).map_err(Error::ReadBack)?;
    let manifest = postcard::to_allocvec(&manifest).map_err(|_| Error::Encoding)?;
    data.push((SECTION_MANIFEST, &manifest));
    Ok(pe::write(&loader, &data)?)
}

/// The manifest of every section in `file`.
fn manifest(file: &[u8], policy: &CompiledPolicy) -> Result<Manifest, sections::Error> {
    let sections = sections::read(file)?.into_iter().map(|section| SectionDigest {
        // Virtual sizes are 32 bits in the file.
        size: u32::try_from(section.bytes.len()).unwrap_or(u32::MAX),
        sha256: section.sha256(),
        name: section.name,
    });
    Ok(Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        policy: policy.name.clone(),
        sections: sections.collect(),
    })
}
