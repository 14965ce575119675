//! Reads a disk's GUID partition table. Everything on the disk is hostile: no field is followed out of the disk, and
//! nothing is taken from a copy whose checksums do not hold.
//!
//! Source: UEFI 2.10, sections 5.2.3 (protective MBR), 5.3.2 (header) and 5.3.3 (partition entries).

use super::{BlockRange, Shape};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use gpt_disk_types::crc::{Crc, Digest};
use gpt_disk_types::{
    Crc32, GptHeader, GptHeaderRevision, GptPartitionEntry, GptPartitionType, MasterBootRecord,
};

/// Partition entries of a table that is read: eight times what tools make.
const MAX_ENTRIES: u32 = 1024;
/// Bytes of a partition entry that is read. It is no more than the smallest block, so none spans two blocks.
const MAX_ENTRY_SIZE: u32 = 512;
/// `OSType` of the protective MBR's one record.
const PROTECTIVE: u8 = 0xEE;
/// Where the primary header is.
const PRIMARY: u64 = 1;

static CHECKSUM: Crc<u32> = Crc::<u32>::new(&Crc32::ALGORITHM);

/// What a disk says of its partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gpt {
    /// The disk's GUID, in the bytes of the disk.
    pub disk: [u8; 16],
    /// Those in use, in the order of the table.
    pub partitions: Vec<Partition>,
    /// Whether the second copy says the same.
    pub copies: Copies,
    /// Where the intact copies lie: headers and entries, without LBA 0.
    pub tables: Vec<BlockRange>,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Its place in the table, counted from 1.
    pub number: u32,
    /// The GUID of its type, in the bytes of the disk.
    pub kind: [u8; 16],
    /// Its own GUID, in the bytes of the disk.
    pub guid: [u8; 16],
    /// Its name; what is no character of UCS-2 is U+FFFD.
    pub label: String,
    /// Where it is.
    pub blocks: BlockRange,
}

impl Partition {
    /// Its type is the EFI system partition.
    #[must_use]
    pub fn is_esp(&self) -> bool {
        self.kind == GptPartitionType::EFI_SYSTEM.0.to_bytes()
    }
}

/// How the two copies of the table are to each other. The primary is believed where both are intact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// They say the same.
    Agree,
    /// Both are intact and say different things.
    Differ,
    /// The backup is damaged.
    PrimaryOnly(Fault),
    /// The primary is damaged.
    BackupOnly(Fault),
}

/// Why there is no table to go by, though the MBR says there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error<E> {
    /// The first block could not be read: whether there is a table is not known.
    Read(E),
    /// No copy is intact.
    Damaged {
        /// What is wrong with the primary.
        primary: Fault,
        /// What is wrong with the backup.
        backup: Fault,
    },
}

impl<E> From<E> for Error<E> {
    fn from(error: E) -> Self {
        Self::Read(error)
    }
}

/// What is wrong with a copy of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Its place is behind the end of the disk.
    Outside,
    /// A block of it cannot be read.
    Unreadable,
    /// No `EFI PART`, or not revision 1.0 with a header of 92 bytes.
    Header,
    /// The header's checksum, or its own block number in it.
    HeaderChecksum,
    /// Headers, entries and the usable blocks overlap, or leave the disk.
    Layout,
    /// Entries of a size or number that is not read.
    Entries,
    /// The checksum of the entries.
    EntriesChecksum,
    /// The partition of this number is empty or not within the usable blocks.
    Partition(u32),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside => f.write_str("it would be behind the end of the disk"),
            Self::Unreadable => f.write_str("a block of it cannot be read"),
            Self::Header => f.write_str("there is no header of revision 1.0"),
            Self::HeaderChecksum => f.write_str("the header's checksum or block number is wrong"),
            Self::Layout => f.write_str("headers, entries and usable blocks overlap or leave the disk"),
            Self::Entries => f.write_str("the size or number of its entries is not supported"),
            Self::EntriesChecksum => f.write_str("the checksum of its entries is wrong"),
            Self::Partition(number) => write!(f, "partition {number} is not within the usable blocks"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the disk cannot be read: {error}"),
            Self::Damaged { primary, backup } => {
                write!(
                    f,
                    "both copies of the GPT are damaged: the first: {primary}; the second: {backup}"
                )
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for Error<E> {}

/// Reads the table of a disk; `None` without a protective MBR, whatever else is there: no operating system looks. A copy
/// with a block that cannot be read is a damaged one.
///
/// `read_block` fills its buffer, which is one block long, with the block of that number.
///
/// # Errors
/// [`Error`].
pub fn read<E>(
    shape: Shape,
    mut read_block: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
) -> Result<Option<Gpt>, Error<E>> {
    let Some(last) = shape.blocks.checked_sub(1) else {
        return Ok(None);
    };
    let mut block = vec![0; usize::from(shape.block_size.bytes())];
    read_block(0, &mut block)?;
    if !is_protective(&block) {
        return Ok(None);
    }
    let primary = TableCopy::read(shape, PRIMARY, &mut block, &mut read_block);
    let backup_at = primary.as_ref().map_or(last, |copy| copy.alternate);
    let backup = TableCopy::read(shape, backup_at, &mut block, &mut read_block);
    let (believed, other, copies) = match (primary, backup) {
        (Ok(primary), Ok(backup)) if primary.says_the_same(&backup) => (primary, Some(backup), Copies::Agree),
        (Ok(primary), Ok(backup)) => (primary, Some(backup), Copies::Differ),
        (Ok(primary), Err(fault)) => (primary, None, Copies::PrimaryOnly(fault)),
        (Err(fault), Ok(backup)) => (backup, None, Copies::BackupOnly(fault)),
        (Err(primary), Err(backup)) => return Err(Error::Damaged { primary, backup }),
    };
    let usable = believed.usable;
    // Where they differ, the other may claim blocks that partitions of the believed one have.
    let other = other.map(|copy| copy.tables).into_iter().flatten();
    let other = other.filter(|range| range.common(usable).is_none());
    Ok(Some(Gpt {
        disk: believed.disk,
        partitions: believed.partitions,
        copies,
        tables: believed.tables.into_iter().chain(other).collect(),
    }))
}

fn is_protective(block: &[u8]) -> bool {
    let record = block.get(..size_of::<MasterBootRecord>());
    let record = record.and_then(|bytes| bytemuck::try_pod_read_unaligned::<MasterBootRecord>(bytes).ok());
    record.is_some_and(|mbr| {
        mbr.signature == [0x55, 0xAA] && mbr.partitions.iter().any(|it| it.os_indicator == PROTECTIVE)
    })
}

/// One intact copy.
struct TableCopy {
    disk: [u8; 16],
    usable: BlockRange,
    partitions: Vec<Partition>,
    own: u64,
    alternate: u64,
    tables: [BlockRange; 2],
}

impl TableCopy {
    fn read<E>(
        shape: Shape,
        at: u64,
        block: &mut [u8],
        read_block: &mut impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<Self, Fault> {
        if at >= shape.blocks {
            return Err(Fault::Outside);
        }
        let mut read = |number, block: &mut [u8]| read_block(number, block).map_err(|_| Fault::Unreadable);
        read(at, block)?;
        let header = Header::parse(shape, at, block)?;
        let mut entries = Entries::new(&header);
        for number in header.entries.first()..=header.entries.last() {
            read(number, block)?;
            entries.take(block)?;
        }
        Ok(Self {
            disk: header.disk,
            usable: header.usable,
            partitions: entries.finish()?,
            own: at,
            alternate: header.alternate,
            tables: [header.place, header.entries],
        })
    }

    fn says_the_same(&self, backup: &Self) -> bool {
        self.disk == backup.disk
            && self.usable == backup.usable
            && self.partitions == backup.partitions
            && backup.alternate == self.own
    }
}

/// A header whose checksum holds and whose places are within the disk.
struct Header {
    disk: [u8; 16],
    alternate: u64,
    usable: BlockRange,
    place: BlockRange,
    entries: BlockRange,
    entry_count: u32,
    entry_size: usize,
    entries_checksum: u32,
}

impl Header {
    fn parse(shape: Shape, at: u64, block: &[u8]) -> Result<Self, Fault> {
        let bytes = block.get(..size_of::<GptHeader>()).ok_or(Fault::Header)?;
        let raw = bytemuck::try_pod_read_unaligned::<GptHeader>(bytes).map_err(|_| Fault::Header)?;
        // A longer header has fields that nobody has defined.
        let known = raw.is_signature_valid() && { raw.revision } == GptHeaderRevision::VERSION_1_0;
        if !known || usize::try_from(raw.header_size.to_u32()) != Ok(size_of::<GptHeader>()) {
            return Err(Fault::Header);
        }
        if { raw.header_crc32 } != raw.calculate_header_crc32() || raw.my_lba.to_u64() != at {
            return Err(Fault::HeaderChecksum);
        }
        let (entry_count, entry_size) = (
            raw.number_of_partition_entries.to_u32(),
            raw.size_of_partition_entry.to_u32(),
        );
        let layout = raw
            .get_partition_entry_array_layout()
            .map_err(|_| Fault::Entries)?;
        if entry_count > MAX_ENTRIES || entry_size > MAX_ENTRY_SIZE {
            return Err(Fault::Entries);
        }
        let length = u64::from(entry_count) * layout.entry_size.to_u64();
        let length = length.div_ceil(u64::from(shape.block_size.bytes()));
        let header = Self {
            disk: { raw.disk_guid }.to_bytes(),
            alternate: raw.alternate_lba.to_u64(),
            usable: BlockRange::new(raw.first_usable_lba.to_u64(), raw.last_usable_lba.to_u64())
                .ok_or(Fault::Layout)?,
            place: BlockRange::new(at, at).ok_or(Fault::Layout)?,
            entries: BlockRange::of_length(raw.partition_entry_lba.to_u64(), length).ok_or(Fault::Entries)?,
            entry_count,
            entry_size: layout.entry_size.to_usize().ok_or(Fault::Entries)?,
            entries_checksum: raw.partition_entry_array_crc32.0.to_u32(),
        };
        if header.is_in_order(shape) {
            Ok(header)
        } else {
            Err(Fault::Layout)
        }
    }

    /// Primary header, its entries, usable blocks, backup entries, backup header: in this order (figure 5.1).
    fn is_in_order(&self, shape: Shape) -> bool {
        let own = self.place.first();
        if own == PRIMARY {
            own < self.entries.first()
                && self.entries.last() < self.usable.first()
                && self.usable.last() < self.alternate
                && self.alternate < shape.blocks
        } else {
            PRIMARY < self.usable.first()
                && self.usable.last() < self.entries.first()
                && self.entries.last() < own
                && self.alternate == PRIMARY
        }
    }
}

/// The entries, as block after block of them is read.
struct Entries<'header> {
    header: &'header Header,
    checksum: Digest<'static, u32>,
    seen: u32,
    partitions: Vec<Partition>,
}

impl<'header> Entries<'header> {
    fn new(header: &'header Header) -> Self {
        Self {
            header,
            checksum: CHECKSUM.digest(),
            seen: 0,
            partitions: Vec::new(),
        }
    }

    fn take(&mut self, block: &[u8]) -> Result<(), Fault> {
        for bytes in block.chunks_exact(self.header.entry_size) {
            if self.seen == self.header.entry_count {
                break;
            }
            self.seen += 1;
            self.checksum.update(bytes);
            self.partitions
                .extend(partition(self.seen, bytes, self.header.usable)?);
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Partition>, Fault> {
        if self.checksum.finalize() == self.header.entries_checksum {
            Ok(self.partitions)
        } else {
            Err(Fault::EntriesChecksum)
        }
    }
}

fn partition(number: u32, bytes: &[u8], usable: BlockRange) -> Result<Option<Partition>, Fault> {
    let bytes = bytes
        .get(..size_of::<GptPartitionEntry>())
        .ok_or(Fault::Entries)?;
    let entry = bytemuck::try_pod_read_unaligned::<GptPartitionEntry>(bytes).map_err(|_| Fault::Entries)?;
    if !entry.is_used() {
        return Ok(None);
    }
    let blocks = BlockRange::new(entry.starting_lba.to_u64(), entry.ending_lba.to_u64());
    let blocks = blocks.filter(|blocks| blocks.common(usable) == Some(*blocks));
    Ok(Some(Partition {
        number,
        kind: { entry.partition_type_guid }.0.to_bytes(),
        guid: { entry.unique_partition_guid }.to_bytes(),
        label: entry.name.chars().collect(),
        blocks: blocks.ok_or(Fault::Partition(number))?,
    }))
}
