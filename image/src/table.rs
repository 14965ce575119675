//! Writes and reads the partition table of an image: a protective MBR and both copies of a GPT.
//!
//! Reading trusts nothing. Only the one geometry that is written here is read, so that no field of a header is
//! followed out of the image.
//!
//! Source: UEFI 2.10, section 5.3, tables 5.5 (header) and 5.6 (partition entry).

use gpt::mbr::{MBRError, ProtectiveMBR};
use gpt::partition::Partition;
use gpt::{GptConfig, GptError, partition_types};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::{fmt, io};
use uuid::Uuid;

/// Bytes in a logical block: the emulators' disks and USB sticks have this size.
pub(crate) const BLOCK: u64 = 512;

/// Header fields `PartitionEntryLBA`, `NumberOfPartitionEntries` and `SizeOfPartitionEntry` (offset 72): the
/// entries behind the header, 128 of them, of 128 bytes.
const GEOMETRY: [u8; 16] = [2, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0];

/// Where [`GEOMETRY`] is in the disk: block 1, offset 72.
const GEOMETRY_OFFSET: usize = 512 + 72;

/// Bytes of the partition entries.
const ENTRIES: usize = 128 * 128;

/// Where the first copy of the partition entries is in the disk: block 2.
const ENTRIES_OFFSET: usize = 2 * 512;

/// The one partition, and what the disk calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    /// The disk's GUID.
    pub(crate) disk: Uuid,
    /// The partition's GUID.
    pub(crate) partition: Uuid,
    /// The partition's name.
    pub(crate) label: String,
    /// The partition's first block.
    pub(crate) first: u64,
    /// The partition's last block.
    pub(crate) last: u64,
}

/// Why a partition table cannot be written or read.
#[derive(Debug)]
pub enum Error {
    /// The disk is too small for two tables, or not whole blocks.
    Size,
    /// The protective MBR cannot be written.
    Protective(MBRError),
    /// The table's size or place is not the one that is written here.
    Geometry,
    /// A header or the entries are damaged, or cannot be written.
    Gpt(GptError),
    /// The second copy of the partition entries differs from the first.
    CopiesDiffer,
    /// There is not exactly one partition, of type ESP.
    Partition,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => write!(f, "the disk does not hold whole blocks and two tables"),
            Self::Protective(error) => write!(f, "the protective MBR: {error}"),
            Self::Geometry => write!(f, "the header does not say 128 entries of 128 bytes from block 2"),
            Self::Gpt(error) => write!(f, "{error}"),
            Self::CopiesDiffer => write!(f, "the two copies of the entries differ"),
            Self::Partition => write!(f, "there is not exactly one partition, of type ESP"),
        }
    }
}

impl std::error::Error for Error {}

impl From<GptError> for Error {
    fn from(error: GptError) -> Self {
        Self::Gpt(error)
    }
}

impl Table {
    /// Writes the table to both ends of `disk`, which holds whole blocks.
    pub(crate) fn write(self, disk: &mut [u8]) -> Result<(), Error> {
        let blocks = disk.len() as u64 / BLOCK;
        // Table 5.4: a disk too large for the MBR's field is said to be as large as the field can say.
        let protected = u32::try_from(blocks.checked_sub(1).ok_or(Error::Size)?).unwrap_or(u32::MAX);
        let mut device = Cursor::new(disk);
        ProtectiveMBR::with_lb_size(protected)
            .overwrite_lba0(&mut device)
            .map_err(Error::Protective)?;
        let partition = Partition {
            part_type_guid: partition_types::EFI,
            part_guid: self.partition,
            first_lba: self.first,
            last_lba: self.last,
            flags: 0,
            name: self.label,
        };
        let mut table = GptConfig::new()
            .writable(true)
            .create_from_device(device, Some(self.disk))?;
        table.update_partitions(BTreeMap::from([(1, partition)]))?;
        table.write()?;
        Ok(())
    }

    /// Reads the table of `disk` after both of its copies were verified.
    pub(crate) fn read(disk: &[u8]) -> Result<Self, Error> {
        verify_shape(disk)?;
        let config = GptConfig::new().only_valid_headers(true);
        let table = config.open_from_device(ReadOnly(Cursor::new(disk)))?;
        let mut partitions = table.partitions().values();
        let (Some(partition), None) = (partitions.next(), partitions.next()) else {
            return Err(Error::Partition);
        };
        if partition.part_type_guid != partition_types::EFI {
            return Err(Error::Partition);
        }
        Ok(Self {
            disk: *table.guid(),
            partition: partition.part_guid,
            label: partition.name.clone(),
            first: partition.first_lba,
            last: partition.last_lba,
        })
    }
}

/// Refuses everything that `gpt` would follow out of the image or stop at.
fn verify_shape(disk: &[u8]) -> Result<(), Error> {
    // The backup header is the last block, the backup entries stand before it.
    let backup_end = disk.len().checked_sub(512).ok_or(Error::Size)?;
    let backup = backup_end.checked_sub(ENTRIES).ok_or(Error::Size)?;
    if !disk.len().is_multiple_of(512) || backup < ENTRIES_OFFSET + ENTRIES {
        return Err(Error::Size);
    }
    if !disk
        .get(GEOMETRY_OFFSET..)
        .is_some_and(|bytes| bytes.starts_with(&GEOMETRY))
    {
        return Err(Error::Geometry);
    }
    if disk.get(ENTRIES_OFFSET..ENTRIES_OFFSET + ENTRIES) == disk.get(backup..backup_end) {
        Ok(())
    } else {
        Err(Error::CopiesDiffer)
    }
}

/// A disk in memory that is only read, though `gpt` asks for a device that can be written.
#[derive(Debug)]
struct ReadOnly<'disk>(Cursor<&'disk [u8]>);

impl io::Read for ReadOnly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for ReadOnly<'_> {
    fn write(&mut self, _buffer: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for ReadOnly<'_> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}
