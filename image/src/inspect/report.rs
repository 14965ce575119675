//! What `image inspect` tells, for people and for programs.

use crate::sections::Section;
use sekisho_abi::boot::{HypervisorLayout, REGION_SIZE};
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_keys::luks2::Header;
use serde::Serialize;
use std::fmt::{self, Write};

/// What is in an image.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The disk around the application, if the file is one.
    pub disk: Option<Disk>,
    /// The headers of the key store on that disk, the sealed secrets' first.
    pub keys: Vec<HeaderSummary>,
    /// Bytes of the application.
    pub size: u64,
    /// The version it was built by.
    pub version: String,
    /// The policy it enforces.
    pub policy: PolicySummary,
    /// The memory it takes.
    pub hypervisor: HypervisorMemory,
    /// Every section, in file order.
    pub sections: Vec<SectionSummary>,
}

/// A disk image.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Disk {
    /// Bytes of the image.
    pub size: u64,
    /// The disk's GUID.
    pub disk_guid: String,
    /// The partition's GUID.
    pub partition_guid: String,
    /// The partition's first block of 512 bytes.
    pub first_lba: u64,
    /// The partition's last block.
    pub last_lba: u64,
    /// Path and size of each file.
    pub files: Vec<(String, u64)>,
}

/// A policy as the image carries it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// SHA-256 of the policy file it was compiled from, in hex.
    pub source_sha256: String,
    /// Version of the compiled form.
    pub format: u16,
    /// Its selection string.
    pub selection: String,
    /// Where each entry of that was written: `FILE:LINE RULE`.
    pub origins: Vec<String>,
}

/// The hypervisor's memory, in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HypervisorMemory {
    /// What the loader reserves in the firmware's map.
    pub reserved: u64,
    /// What of it the program takes, before stacks, tables and heap.
    pub program: u32,
    /// Words that are relocated.
    pub relocations: usize,
}

/// One section of the application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SectionSummary {
    /// Its name.
    pub name: String,
    /// Its address from the image's base.
    pub address: u32,
    /// Bytes in memory.
    pub memory_size: usize,
    /// Bytes in the file.
    pub file_size: u32,
    /// `r--`, `r-x` or `rw-`.
    pub access: String,
    /// SHA-256 of its bytes in memory before relocation, in hex.
    pub sha256: String,
}

/// One LUKS2 header, as anyone may see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HeaderSummary {
    /// Its path in the key store.
    pub file: String,
    /// Its UUID.
    pub uuid: String,
    /// By what a person knows its key.
    pub key_id: String,
    /// Whether both copies of it are whole, in words.
    pub condition: String,
    /// Each keyslot's number and how a passphrase becomes its key.
    pub slots: Vec<(u32, String)>,
}

impl HeaderSummary {
    pub(super) fn of(file: String, header: &Header) -> Self {
        Self {
            file,
            uuid: header.uuid().to_owned(),
            key_id: header.key_id().to_string(),
            condition: header.condition().to_string(),
            slots: header
                .slots()
                .map(|(slot, derivation)| (slot, derivation.to_string()))
                .collect(),
        }
    }
}

impl PolicySummary {
    pub(super) fn of(policy: &CompiledPolicy) -> Self {
        Self {
            name: policy.name.clone(),
            source_sha256: hex(&policy.source_hash),
            format: policy.format,
            selection: policy.selection.to_string(),
            origins: policy.origins.places().map(|place| place.to_string()).collect(),
        }
    }
}

impl HypervisorMemory {
    pub(super) fn of(layout: &HypervisorLayout) -> Self {
        Self {
            reserved: REGION_SIZE,
            program: layout.memory_size,
            relocations: layout.relocations.len(),
        }
    }
}

impl SectionSummary {
    pub(super) fn of(section: &Section) -> Self {
        Self {
            name: section.name.clone(),
            address: section.address,
            memory_size: section.bytes.len(),
            file_size: section.file_size,
            access: section.access.to_string(),
            sha256: hex(&section.sha256()),
        }
    }
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string grows or aborts; it never refuses.
        let _never = write!(text, "{byte:02x}");
        text
    })
}

/// The form for people: everything on lines of its own, names as in the JSON form.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version      {}", self.version)?;
        writeln!(f, "policy       {}", self.policy.name)?;
        writeln!(f, "  sha256     {}", self.policy.source_sha256)?;
        writeln!(f, "  format     {}", self.policy.format)?;
        writeln!(f, "  selection  {}", self.policy.selection)?;
        for origin in &self.policy.origins {
            writeln!(f, "  by         {origin}")?;
        }
        let HypervisorMemory {
            reserved,
            program,
            relocations,
        } = self.hypervisor;
        writeln!(
            f,
            "hypervisor   {} KiB reserved, {} KiB program",
            reserved >> 10,
            program >> 10
        )?;
        writeln!(f, "  relocations {relocations}")?;
        writeln!(f, "application  {} bytes", self.size)?;
        writeln!(f, "  section     address    memory      file access sha256")?;
        for section in &self.sections {
            let SectionSummary {
                name,
                address,
                memory_size,
                file_size,
                access,
                sha256,
            } = section;
            writeln!(
                f,
                "  {name:<8} {address:#10x} {memory_size:>9} {file_size:>9} {access:<6} {sha256}"
            )?;
        }
        if let Some(disk) = &self.disk {
            disk.fmt(f)?;
        }
        self.keys.iter().try_for_each(|header| header.fmt(f))
    }
}

impl fmt::Display for HeaderSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            uuid,
            key_id,
            condition,
            slots,
        } = self;
        writeln!(f, "header       {file}: {condition}")?;
        writeln!(f, "  key        {key_id}")?;
        writeln!(f, "  uuid       {uuid}")?;
        slots
            .iter()
            .try_for_each(|(slot, derivation)| writeln!(f, "  slot {slot}     {derivation}"))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "disk         {} bytes, GUID {}", self.size, self.disk_guid)?;
        writeln!(
            f,
            "  partition  blocks {} to {}, GUID {}",
            self.first_lba, self.last_lba, self.partition_guid
        )?;
        let width = self
            .files
            .iter()
            .map(|(path, _)| path.len())
            .max()
            .unwrap_or_default();
        self.files
            .iter()
            .try_for_each(|(path, size)| writeln!(f, "  {path:<width$} {size:>9} bytes"))
    }
}
