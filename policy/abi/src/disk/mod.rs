//! Disks, decided by the same functions where they are encrypted and where they are used.
//!
//! [`gpt::read`] says what a disk says of itself, [`resolve::resolve`] where the policy's volumes lie on it, and
//! [`pin::agree`] whether they still lie where they were encrypted. What a disk says is hostile.

pub mod gpt;
pub mod map;
pub mod pin;
pub mod resolve;

pub use map::{BlockRange, DiskMap, Fate, Region};

use crate::storage::{self, DiskId};
use alloc::string::String;

/// Bytes of a disk's logical block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BlockSize {
    /// 512 bytes.
    B512,
    /// 4,096 bytes.
    B4096,
}

impl BlockSize {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::B512 => 512,
            Self::B4096 => 4096,
        }
    }

    /// From bytes; disks with any other size are not supported.
    #[must_use]
    pub const fn from_bytes(bytes: u32) -> Option<Self> {
        match bytes {
            512 => Some(Self::B512),
            4096 => Some(Self::B4096),
            _ => None,
        }
    }
}

/// How large a disk is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Bytes of a logical block.
    pub block_size: BlockSize,
    /// Logical blocks; the first is 0.
    pub blocks: u64,
}

/// A disk, as far as it can be told apart from others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// IDENTIFY words 10 to 19 without surrounding spaces; `None` for an image, which has none.
    pub serial: Option<String>,
    /// The port of its controller; `None` where the operator named the disk.
    pub port: Option<u8>,
    /// Its size.
    pub shape: Shape,
    /// Its partition table, if it has one.
    pub gpt: Option<gpt::Gpt>,
}

impl Disk {
    /// What pins know it by: the GUID of its GPT, which moves with its contents, else its serial number.
    #[must_use]
    pub fn identity(&self) -> Option<DiskId> {
        let guid = self.gpt.as_ref().map(|table| DiskId::Guid(table.disk));
        guid.or_else(|| self.serial.clone().map(DiskId::Serial))
    }

    /// Whether the policy may mean it. Where the operator named the disk, a serial number or port that is not known is
    /// not held against it.
    #[must_use]
    pub fn may_be(&self, selector: &storage::Disk) -> bool {
        match selector {
            storage::Disk::Serial(serial) => self.serial.as_ref().is_none_or(|it| it == serial),
            storage::Disk::Port(port) => self.port.is_none_or(|it| it == *port),
            storage::Disk::Guid(guid) => self.gpt.as_ref().is_some_and(|it| it.disk == *guid),
        }
    }
}
