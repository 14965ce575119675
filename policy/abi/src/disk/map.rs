//! The map of one disk: which blocks are a volume, in clear, tables, or the appliance's own. What it does not name is
//! nobody's: it reads as zeros and takes no writes.

use super::Shape;
use alloc::vec::Vec;

/// Logical blocks of a disk, both ends included; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockRange {
    first: u64,
    last: u64,
}

impl BlockRange {
    /// From `first` to `last`; `None` where that is empty.
    #[must_use]
    pub const fn new(first: u64, last: u64) -> Option<Self> {
        if first <= last {
            Some(Self { first, last })
        } else {
            None
        }
    }

    /// `blocks` of them from `first`; `None` where that is empty or no 64-bit number.
    #[must_use]
    pub const fn of_length(first: u64, blocks: u64) -> Option<Self> {
        match blocks.checked_sub(1) {
            Some(behind) => match first.checked_add(behind) {
                Some(last) => Some(Self { first, last }),
                None => None,
            },
            None => None,
        }
    }

    /// The first block.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The last block.
    #[must_use]
    pub const fn last(self) -> u64 {
        self.last
    }

    /// How many they are.
    #[must_use]
    pub const fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether `block` is one of them.
    #[must_use]
    pub const fn contains(self, block: u64) -> bool {
        self.first <= block && block <= self.last
    }

    /// What both have.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }
}

/// Blocks of one fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Where.
    pub blocks: BlockRange,
    /// What becomes of them.
    pub fate: Fate,
}

/// What becomes of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Encrypted. Index into [`crate::storage::Storage::volumes`].
    Volume(u32),
    /// In clear. Index into [`crate::storage::Clear::partitions`], of the first that names the partition.
    Clear(u32),
    /// LBA 0 and the copies of the GPT: in clear, written only where the policy says so.
    Tables,
    /// The appliance's own partition: reads as zeros, takes no writes.
    Appliance,
}

/// A disk's regions: sorted, none overlapping another, all within the disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskMap {
    shape: Shape,
    regions: Vec<Region>,
}

impl DiskMap {
    /// With nothing named: every block reads as zeros and takes no writes.
    #[must_use]
    pub const fn closed(shape: Shape) -> Self {
        Self {
            shape,
            regions: Vec::new(),
        }
    }

    /// Of `regions` in any order.
    ///
    /// # Errors
    /// [`Flaw`].
    pub fn new(shape: Shape, mut regions: Vec<Region>) -> Result<Self, Flaw> {
        regions.sort_by_key(|region| region.blocks.first);
        if let Some(outside) = regions.iter().find(|region| region.blocks.last >= shape.blocks) {
            return Err(Flaw::Outside(*outside));
        }
        let mut neighbours = regions.iter().zip(regions.iter().skip(1));
        if let Some((low, high)) = neighbours.find(|(low, high)| high.blocks.first <= low.blocks.last) {
            return Err(Flaw::Overlap(*low, *high));
        }
        Ok(Self { shape, regions })
    }

    /// The disk's size.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// In the order of the disk.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }
}

/// Why regions are no map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It reaches behind the disk's last block.
    Outside(Region),
    /// Both claim a block.
    Overlap(Region, Region),
}
