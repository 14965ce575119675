//! What is in an image, after everything in it was verified: the partition table, the file system, the digest of
//! each section, the layout, the policy, and whether the key store fits it.
//!
//! Takes a disk image or a bare `sekisho.efi`. Nothing in it is trusted; it may be cut short or changed anywhere.

mod error;
mod report;

pub use error::{Error, NotThere};
pub use report::{Disk, HeaderSummary, HypervisorMemory, PolicySummary, Report, SectionSummary};

use crate::fat::{self, Content};
use crate::pe::has_valid_checksum;
use crate::sections::{self, Section};
use crate::table::{BLOCK, Table};
use sekisho_abi::boot::{
    HypervisorLayout, Manifest, SECTION_HYPERVISOR, SECTION_LAYOUT, SECTION_MANIFEST, SECTION_POLICY,
};
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::storage::APPLIANCE_FOLDER;
use sekisho_keys::store::Store;

/// The partition's name, which only an image of the appliance has.
pub const LABEL: &str = sekisho_abi::disk::resolve::APPLIANCE_LABEL;

/// Where the appliance's own boot entry points.
pub const APPLICATION: &str = "/EFI/sekisho/sekisho.efi";

/// Where firmware looks on a removable disk.
pub const FALLBACK: &str = "/EFI/BOOT/BOOTX64.EFI";

/// Verifies an image, a disk's or a bare application, and says what is in it.
///
/// # Errors
/// [`Error`]: the first thing found that is not as `image build` makes it.
pub fn inspect(file: &[u8]) -> Result<Report, Error> {
    if file.starts_with(b"MZ") {
        return Ok(inspect_application(file)?.0);
    }
    let (disk, files) = open_disk(file)?;
    let application = content(&files, APPLICATION).ok_or(Error::MissingFile { path: APPLICATION })?;
    if content(&files, FALLBACK).ok_or(Error::MissingFile { path: FALLBACK })? != application {
        return Err(Error::CopiesDiffer);
    }
    let (report, policy) = inspect_application(application)?;
    Ok(Report {
        disk: Some(disk),
        keys: keys(&policy, &files)?,
        ..report
    })
}

/// The headers in the key store, which fit the policy; none where it names no keys.
fn keys(policy: &CompiledPolicy, files: &[Content]) -> Result<Vec<HeaderSummary>, Error> {
    if !policy.needs_keys() {
        return Ok(Vec::new());
    }
    let store = Store::read(&policy.storage, |path| {
        let found = content(files, &format!("/{APPLIANCE_FOLDER}/{path}"));
        found.map(<[u8]>::to_vec).ok_or(NotThere)
    });
    let store = store.map_err(Error::Store)?;
    Ok(store
        .files()
        .map(|(path, header, _)| HeaderSummary::of(path, header))
        .collect())
}

/// The content of a file of the file system.
fn content<'files>(files: &'files [Content], path: &str) -> Option<&'files [u8]> {
    let found = files.iter().find(|(name, _)| name.eq_ignore_ascii_case(path));
    found.map(|(_, content)| content.as_slice())
}

/// Verifies the partition table and the file system; returns the files in it.
fn open_disk(image: &[u8]) -> Result<(Disk, Vec<Content>), Error> {
    if image.get(510..512) != Some(&[0x55, 0xaa]) {
        return Err(Error::UnknownFormat);
    }
    let table = Table::read(image).map_err(Error::Table)?;
    if table.label != LABEL {
        return Err(Error::Label);
    }
    let bytes = blocks(image, table.first, table.last).ok_or(Error::Partition)?;
    let files = fat::read(bytes).map_err(Error::FileSystem)?;
    let disk = Disk {
        size: image.len() as u64,
        disk_guid: table.disk.to_string(),
        partition_guid: table.partition.to_string(),
        first_lba: table.first,
        last_lba: table.last,
        files: files
            .iter()
            .map(|(path, content)| (path.clone(), content.len() as u64))
            .collect(),
    };
    Ok((disk, files))
}

/// The bytes of logical blocks `first` to `last`.
fn blocks(image: &[u8], first: u64, last: u64) -> Option<&[u8]> {
    let start = usize::try_from(first.checked_mul(BLOCK)?).ok()?;
    let end = usize::try_from(last.checked_add(1)?.checked_mul(BLOCK)?).ok()?;
    image.get(start..end)
}

/// Verifies one `sekisho.efi`; returns its policy too.
fn inspect_application(file: &[u8]) -> Result<(Report, CompiledPolicy), Error> {
    let sections = sections::read(file).map_err(Error::Sections)?;
    let Some((seal, sealed)) = sections
        .split_last()
        .filter(|(last, _)| last.name == SECTION_MANIFEST)
    else {
        return Err(Error::MissingSection {
            section: SECTION_MANIFEST,
        });
    };
    let manifest: Manifest = decode(seal)?;
    verify_digests(&manifest, sealed)?;
    let layout: HypervisorLayout = decode(find(sealed, SECTION_LAYOUT)?)?;
    let hypervisor = find(sealed, SECTION_HYPERVISOR)?;
    let placed: u64 = layout
        .segments
        .iter()
        .map(|segment| u64::from(segment.file_size))
        .sum();
    if placed != hypervisor.bytes.len() as u64 {
        return Err(Error::Damaged {
            section: SECTION_HYPERVISOR.to_owned(),
        });
    }
    let policy = CompiledPolicy::from_bytes(&find(sealed, SECTION_POLICY)?.bytes).map_err(Error::Policy)?;
    if policy.name != manifest.policy {
        return Err(Error::Damaged {
            section: SECTION_MANIFEST.to_owned(),
        });
    }
    // Last, because a section's name tells more than a checksum over everything.
    if !has_valid_checksum(file) {
        return Err(Error::Checksum);
    }
    let report = Report {
        disk: None,
        keys: Vec::new(),
        size: file.len() as u64,
        version: manifest.version,
        policy: PolicySummary::of(&policy),
        hypervisor: HypervisorMemory::of(&layout),
        sections: sections.iter().map(SectionSummary::of).collect(),
    };
    Ok((report, policy))
}

/// A section's postcard content, with nothing behind it.
fn decode<'section, T: serde::Deserialize<'section>>(section: &'section Section) -> Result<T, Error> {
    match postcard::take_from_bytes(&section.bytes) {
        Ok((content, [])) => Ok(content),
        _ => Err(Error::Damaged {
            section: section.name.clone(),
        }),
    }
}

/// The section of this name.
fn find<'sections>(sections: &'sections [Section], name: &'static str) -> Result<&'sections Section, Error> {
    sections
        .iter()
        .find(|section| section.name == name)
        .ok_or(Error::MissingSection { section: name })
}

/// Compares each section with the manifest, which lists them all in file order.
fn verify_digests(manifest: &Manifest, sections: &[Section]) -> Result<(), Error> {
    for (section, sealed) in sections.iter().zip(&manifest.sections) {
        let same_size = u32::try_from(section.bytes.len()) == Ok(sealed.size);
        if section.name != sealed.name || !same_size || section.sha256() != sealed.sha256 {
            return Err(Error::Damaged {
                section: section.name.clone(),
            });
        }
    }
    if sections.len() == manifest.sections.len() {
        Ok(())
    } else {
        Err(Error::Damaged {
            section: SECTION_MANIFEST.to_owned(),
        })
    }
}
