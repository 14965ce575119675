//! What the policy says about disks: volumes, sectors in clear, and how the keys are unlocked.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use gpt_disk_types::Guid;
use serde::{Deserialize, Serialize};

/// The appliance's folder on its own partition, from the root, folders separated by `/`.
pub const APPLIANCE_FOLDER: &str = "EFI/sekisho";

/// The sealed secrets, in the key store and in [`APPLIANCE_FOLDER`].
pub const SECRETS_FILE: &str = "secrets.sealed";

/// The header of a volume, in the key store and in [`APPLIANCE_FOLDER`], folders separated by `/`.
#[must_use]
pub fn header_file(volume: &str) -> String {
    format!("volumes/{volume}.luks2")
}

/// Everything about disks; empty where the policy binds no disk controller.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Storage {
    /// The rules that bind a disk controller, in the order of the selection.
    pub controllers: Vec<Controller>,
    /// Every volume, in the order of the file.
    pub volumes: Vec<Volume>,
    /// `[clear]`.
    pub clear: Clear,
    /// `[unlock]`.
    pub unlock: Unlock,
}

/// A rule with `driver = "ahci"` or `"ata"`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Controller {
    /// Index of its entry in [`crate::compiled::CompiledPolicy::selection`].
    pub entry: u32,
    /// Indices into [`Storage::volumes`] of the volumes on its disks.
    pub volumes: Vec<u32>,
    /// What becomes of ATAPI drives.
    pub atapi: Atapi,
}

/// What the guest may do with an ATAPI drive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Atapi {
    /// Nothing: every packet command is refused.
    #[default]
    Refuse,
    /// Read media.
    Read,
    /// Everything.
    Pass,
}

/// One region of one disk with one key and one LUKS2 header.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Volume {
    /// Its name, as in `[volume.NAME]`.
    pub name: String,
    /// Which disk; `None` where exactly one disk fits.
    pub disk: Option<Disk>,
    /// Where on the disk.
    pub place: Place,
    /// Bits of key: 256 or 512.
    pub key_bits: u16,
    /// Bytes a sector is encrypted in: 512 or 4096.
    pub sector_size: u16,
    /// TRIM goes through.
    pub discard: bool,
}

/// How a disk is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Disk {
    /// IDENTIFY words 10 to 19 without surrounding spaces.
    Serial(String),
    /// The port of its controller, counted from 0.
    Port(u8),
    /// The GUID of its GPT, in the bytes of the disk.
    Guid([u8; 16]),
}

/// Where a volume lies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Place {
    /// GPT partition, counted from 1.
    Partition(u32),
    /// GPT partition by label.
    Label(String),
    /// GPT partition by unique GUID, in the bytes of the disk.
    Guid([u8; 16]),
    /// Logical blocks, both included.
    Blocks {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
}

/// Sectors that stay in clear.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Clear {
    /// Partitions.
    pub partitions: Vec<ClearPartition>,
    /// The guest may write the partition tables.
    pub tables_writable: bool,
}

/// A partition in clear.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClearPartition {
    /// By the type of the EFI system partition. Never the appliance's own.
    Esp,
    /// By number, counted from 1.
    Number(u32),
    /// By unique GUID, in the bytes of the disk.
    Guid([u8; 16]),
    /// By label.
    Label(String),
}

impl fmt::Display for ClearPartition {
    /// As the policy writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Esp => f.write_str("\"esp\""),
            Self::Number(number) => write!(f, "{number}"),
            Self::Guid(guid) => write!(f, "\"{}\"", Guid::from_bytes(*guid)),
            Self::Label(label) => write!(f, "{label:?}"),
        }
    }
}

/// How keys are unlocked at boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unlock {
    /// By a passphrase.
    pub passphrase: bool,
    /// By the recovery key.
    pub recovery: bool,
    /// Wrong answers before the machine powers off.
    pub attempts: u8,
}

impl Default for Unlock {
    fn default() -> Self {
        Self {
            passphrase: true,
            recovery: true,
            attempts: 5,
        }
    }
}

/// Where a volume or a range in clear lay when the disk was encrypted, sealed with the keys.
///
/// At boot the partition tables must agree with it: who edits them moves no boundary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pin {
    /// The volume's name, or what the policy calls the partition in clear.
    pub name: String,
    /// What the range is.
    pub kind: PinKind,
    /// The disk.
    pub disk: DiskId,
    /// Bytes of a logical block of the disk.
    pub block_size: u32,
    /// Logical blocks of the whole disk.
    pub blocks: u64,
    /// Its first logical block.
    pub first: u64,
    /// Its last logical block.
    pub last: u64,
}

/// What a [`Pin`] is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PinKind {
    /// A volume.
    Volume,
    /// A range in clear.
    Clear,
}

/// A disk by what it says of itself, wherever it is plugged in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DiskId {
    /// IDENTIFY words 10 to 19 without surrounding spaces.
    Serial(String),
    /// The GUID of its GPT, in the bytes of the disk.
    Guid([u8; 16]),
}

impl fmt::Display for DiskId {
    /// As the policy writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(serial) => write!(f, "serial {serial:?}"),
            Self::Guid(guid) => write!(f, "disk-uuid \"{}\"", Guid::from_bytes(*guid)),
        }
    }
}

impl fmt::Display for PinKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Volume => "volume",
            Self::Clear => "in clear",
        })
    }
}
