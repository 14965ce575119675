//! A disk image with one partition: a FAT file system of type ESP behind a GPT.
//!
//! What the firmware boots from, for the appliance (label `sekisho`) and for the guests of the system tests. The
//! times are fixed and the GUIDs come from a hash of the contents, so the same files give the same bytes.
//!
//! Source: UEFI 2.10, section 5.3 (GPT disk layout) and 13.3 (file system format).

use crate::fat;
use crate::table::{self, BLOCK, Table};
use sekisho_crypto::sha256;
use std::fmt;
use std::io;
use uuid::{Builder, Uuid};

/// Partitions start, and the disk's size is counted, in units of this, as partitioning tools do.
const ALIGNMENT: u64 = 1 << 20;

/// The smallest partition: large enough for FAT16's least number of clusters at any usual cluster size.
const LEAST_PARTITION: u64 = 8 << 20;

/// What a file can waste at most in its last cluster, and a folder take.
const PER_ENTRY: u64 = 32 << 10;

/// One file of the partition.
#[derive(Clone, Copy, Debug)]
pub struct File<'content> {
    /// Its path from the root, folders separated by `/`; folders are made as needed.
    pub path: &'content str,
    /// Its content.
    pub bytes: &'content [u8],
}

/// Why a disk image cannot be built.
#[derive(Debug)]
pub enum Error {
    /// The label has no, or more than eleven, characters, or others than letters, digits and dashes.
    Label,
    /// More bytes than a FAT file system of this builder holds.
    TooLarge,
    /// A file or folder could not be written.
    File {
        /// Its path.
        path: String,
        /// What the file system said.
        error: io::Error,
    },
    /// The file system could not be made.
    Format(io::Error),
    /// The partition table could not be written.
    Table(table::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label => write!(f, "a label is 1 to 11 letters, digits and dashes"),
            Self::TooLarge => write!(f, "the files need more than {} GiB", fat::LARGEST >> 30),
            Self::File { path, error } => write!(f, "{path} cannot be written to the image: {error}"),
            Self::Format(error) => write!(f, "the file system cannot be made: {error}"),
            Self::Table(error) => write!(f, "the partition table cannot be written: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// The bytes of a disk whose only partition, named `label`, holds `files`.
///
/// # Errors
/// [`Error`].
pub fn build(label: &str, files: &[File<'_>]) -> Result<Vec<u8>, Error> {
    if !is_label(label) {
        return Err(Error::Label);
    }
    let size = partition_size(files)?;
    let total = usize::try_from(size + 2 * ALIGNMENT).map_err(|_| Error::TooLarge)?;
    let first = usize::try_from(ALIGNMENT).map_err(|_| Error::TooLarge)?;
    let mut disk = vec![0; total];
    let identity = identity(label, files);
    let partition = disk.get_mut(first..total - first).ok_or(Error::TooLarge)?;
    fat::write(partition, label, volume_id(&identity), files)?;
    let table = Table {
        disk: guid(&identity, "disk"),
        partition: guid(&identity, "partition"),
        label: label.to_owned(),
        first: ALIGNMENT / BLOCK,
        last: (ALIGNMENT + size) / BLOCK - 1,
    };
    table.write(&mut disk).map_err(Error::Table)?;
    Ok(disk)
}

/// Whether `label` can be the name of both the partition and the file system.
fn is_label(label: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=11).contains(&label.len()) && label.bytes().all(usual)
}

/// Room for the files, their folders and the file allocation tables.
fn partition_size(files: &[File<'_>]) -> Result<u64, Error> {
    let content: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
    let entries: u64 = files.iter().map(|file| file.path.split('/').count() as u64).sum();
    let size = content + content / 64 + entries * PER_ENTRY + ALIGNMENT;
    let size = size.next_multiple_of(ALIGNMENT).max(LEAST_PARTITION);
    if size > fat::LARGEST {
        Err(Error::TooLarge)
    } else {
        Ok(size)
    }
}

/// A hash of everything in the image.
fn identity(label: &str, files: &[File<'_>]) -> [u8; 32] {
    let mut digests = sha256(label.as_bytes()).to_vec();
    for file in files {
        digests.extend_from_slice(&sha256(file.path.as_bytes()));
        digests.extend_from_slice(&sha256(file.bytes));
    }
    sha256(&digests)
}

/// The file system's serial number: the hash's first four bytes.
fn volume_id(identity: &[u8; 32]) -> u32 {
    identity
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A GUID for one `purpose`, of version 8 (RFC 9562, section 5.8: the content is the application's own).
fn guid(identity: &[u8; 32], purpose: &str) -> Uuid {
    let digest = sha256(&[identity, purpose.as_bytes()].concat());
    digest.first_chunk().map_or(Uuid::nil(), |bytes| {
        Builder::from_custom_bytes(*bytes).into_uuid()
    })
}
