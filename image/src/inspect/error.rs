//! Why an image is refused, each naming the place.

use crate::fat::ReadError;
use crate::{sections, table};
use sekisho_abi::compiled::DecodeError;
use sekisho_keys::store::StoreError;
use std::fmt;

/// A file of the key store is not on the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotThere;

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is not on the image")
    }
}

/// Why an image is refused.
#[derive(Debug)]
pub enum Error {
    /// Neither a UEFI application nor a partitioned disk.
    UnknownFormat,
    /// A copy of the partition table is damaged or missing.
    Table(table::Error),
    /// The partition is not named as the appliance's.
    Label,
    /// The partition is not inside the disk.
    Partition,
    /// The file system in the partition is damaged.
    FileSystem(ReadError),
    /// A file that the firmware starts is missing.
    MissingFile {
        /// Its path.
        path: &'static str,
    },
    /// The two files that the firmware may start are not the same.
    CopiesDiffer,
    /// The application's headers or a section cannot be read.
    Sections(sections::Error),
    /// A section that every image has is missing, or not in its place.
    MissingSection {
        /// Its name.
        section: &'static str,
    },
    /// A section is not what the seal says, or cannot be decoded.
    Damaged {
        /// Its name.
        section: String,
    },
    /// The policy section cannot be decoded, though its digest fits.
    Policy(DecodeError),
    /// The key store is not that of the policy.
    Store(StoreError<NotThere>),
    /// The sections are whole, but something between them is not: headers or padding.
    Checksum,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat => write!(
                f,
                "neither a UEFI application nor a disk image with a partition table"
            ),
            Self::Table(error) => write!(f, "the partition table: {error}"),
            Self::Label => write!(f, "the partition is not named `sekisho`"),
            Self::Partition => write!(f, "the partition is not inside the disk"),
            Self::FileSystem(error) => write!(f, "the file system: {error}"),
            Self::MissingFile { path } => write!(f, "{path} is missing"),
            Self::CopiesDiffer => write!(f, "the two copies of the application in the file system differ"),
            Self::Sections(error) => write!(f, "{error}"),
            Self::MissingSection { section } => write!(f, "section {section} is missing"),
            Self::Damaged { section } => write!(f, "section {section} is damaged: it is not what was sealed"),
            Self::Policy(DecodeError::Format { found }) => {
                write!(
                    f,
                    "section .policy has format {found}, which this version does not read"
                )
            }
            Self::Policy(DecodeError::Malformed | DecodeError::Origins) => {
                write!(f, "section .policy is not a compiled policy of this version")
            }
            Self::Store(error) => write!(f, "{error}"),
            Self::Checksum => write!(
                f,
                "the headers or the padding are damaged: the PE checksum does not fit"
            ),
        }
    }
}

impl std::error::Error for Error {}
