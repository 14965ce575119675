//! Where the policy's volumes and sectors in clear lie on the disks of one controller.
//!
//! Disks are believed only as far as it harms nobody: whoever writes a partition table may name any place, so what is
//! resolved here counts only after [`super::pin::agree`].

use super::gpt::{Gpt, Partition};
use super::map::Flaw;
use super::{BlockRange, Disk, DiskMap, Fate, Region};
use crate::storage::{ClearPartition, Place, Storage, Volume};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The label of the appliance's own partition, whose type is that of an ESP.
pub const APPLIANCE_LABEL: &str = "sekisho";

/// Why the policy and the disks do not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The policy has no volume of this index.
    NoVolume {
        /// The index.
        index: u32,
    },
    /// No disk is the one the volume is on.
    DiskMissing {
        /// The volume's name.
        volume: String,
    },
    /// More than one disk could be.
    DiskAmbiguous {
        /// The volume's name.
        volume: String,
    },
    /// It is in a partition, and its disk has no GPT.
    NoTable {
        /// The volume's name.
        volume: String,
    },
    /// No partition is the one the volume is in.
    PartitionMissing {
        /// The volume's name.
        volume: String,
    },
    /// More than one partition could be.
    PartitionAmbiguous {
        /// What the policy calls the volume or the partition in clear.
        name: String,
    },
    /// Sectors of 4,096 bytes on a disk with smaller blocks, of which a power cut could write a part.
    SectorSize {
        /// The volume's name.
        volume: String,
    },
    /// Its blocks end behind the disk's last.
    Outside {
        /// The volume's name.
        volume: String,
        /// Its last block.
        last: u64,
        /// Blocks of the disk.
        blocks: u64,
    },
    /// Two things claim the same block.
    Overlap {
        /// The one that begins first.
        one: String,
        /// The other.
        other: String,
        /// The first block of both.
        block: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVolume { index } => write!(f, "the policy has no volume number {index}"),
            Self::DiskMissing { volume } => write!(f, "no disk fits volume `{volume}`"),
            Self::DiskAmbiguous { volume } => write!(f, "more than one disk fits volume `{volume}`"),
            Self::NoTable { volume } => {
                write!(f, "volume `{volume}` is in a partition, and its disk has no GPT")
            }
            Self::PartitionMissing { volume } => {
                write!(f, "the partition of volume `{volume}` does not exist")
            }
            Self::PartitionAmbiguous { name } => write!(f, "more than one partition is called {name}"),
            Self::SectorSize { volume } => write!(
                f,
                "volume `{volume}` has sectors of 4096 bytes, and its disk logical blocks of 512"
            ),
            Self::Outside { volume, last, blocks } => write!(
                f,
                "volume `{volume}` ends at block {last}, and its disk has {blocks} blocks"
            ),
            Self::Overlap { one, other, block } => write!(f, "{one} and {other} both claim block {block}"),
        }
    }
}

impl core::error::Error for Error {}

/// The maps of `disks`, in their order, with the volumes of these indices in [`Storage::volumes`].
///
/// A disk without a volume is closed whole: `[clear]` counts beside volumes only, so that no disk that is plugged in
/// can offer a place for plaintext by its labels.
///
/// # Errors
/// [`Error`].
pub fn resolve(storage: &Storage, volumes: &[u32], disks: &[Disk]) -> Result<Vec<DiskMap>, Error> {
    let mut named: Vec<Vec<Region>> = disks.iter().map(|_| Vec::new()).collect();
    for index in volumes {
        let volume = usize::try_from(*index)
            .ok()
            .and_then(|at| storage.volumes.get(at));
        let volume = volume.ok_or(Error::NoVolume { index: *index })?;
        let (disk, blocks) = locate(volume, disks)?;
        if let Some(regions) = named.get_mut(disk) {
            regions.push(Region {
                blocks,
                fate: Fate::Volume(*index),
            });
        }
    }
    let named = disks.iter().zip(named);
    named.map(|(disk, volumes)| map(storage, disk, volumes)).collect()
}

/// The rules of `[clear]` that mean no partition of a disk with a volume, where there is such a disk: slips, or about the
/// disk of another controller. `maps` are those of `disks`.
#[must_use]
pub fn clear_without_partition<'a>(
    storage: &'a Storage,
    disks: &[Disk],
    maps: &[DiskMap],
) -> Vec<&'a ClearPartition> {
    let is_volume = |region: &Region| matches!(region.fate, Fate::Volume(_));
    let bound = disks
        .iter()
        .zip(maps)
        .filter(|(_, map)| map.regions().iter().any(is_volume));
    let tables: Vec<Option<&Gpt>> = bound.map(|(disk, _)| disk.gpt.as_ref()).collect();
    let exists = |rule: &ClearPartition| {
        let mut partitions = tables.iter().flatten().flat_map(|table| &table.partitions);
        partitions.any(|it| is_clear(rule, it))
    };
    let rules = storage.clear.partitions.iter();
    rules.filter(|rule| !tables.is_empty() && !exists(rule)).collect()
}

/// Which disk a volume is on, by its place in `disks`, and where there.
fn locate(volume: &Volume, disks: &[Disk]) -> Result<(usize, BlockRange), Error> {
    let fits = |disk: &Disk| match &volume.disk {
        Some(selector) => disk.may_be(selector),
        // Unsaid, it is the only disk that has the place.
        None => disks.len() == 1 || place(volume, disk).is_ok(),
    };
    let mut fitting = disks.iter().enumerate().filter(|(_, disk)| fits(disk));
    let name = || volume.name.clone();
    match (fitting.next(), fitting.next()) {
        (Some((index, disk)), None) => Ok((index, place(volume, disk)?)),
        (Some(_), Some(_)) => Err(Error::DiskAmbiguous { volume: name() }),
        (None, _) => Err(Error::DiskMissing { volume: name() }),
    }
}

fn place(volume: &Volume, disk: &Disk) -> Result<BlockRange, Error> {
    let name = || volume.name.clone();
    let blocks = match &volume.place {
        Place::Blocks { first, last } => BlockRange::new(*first, *last).ok_or_else(|| Error::Outside {
            volume: name(),
            last: *last,
            blocks: disk.shape.blocks,
        })?,
        place => partition(volume, place, disk)?,
    };
    if blocks.last() >= disk.shape.blocks {
        return Err(Error::Outside {
            volume: name(),
            last: blocks.last(),
            blocks: disk.shape.blocks,
        });
    }
    if volume.sector_size > disk.shape.block_size.bytes() {
        return Err(Error::SectorSize { volume: name() });
    }
    Ok(blocks)
}

fn partition(volume: &Volume, place: &Place, disk: &Disk) -> Result<BlockRange, Error> {
    let name = || volume.name.clone();
    let table = disk
        .gpt
        .as_ref()
        .ok_or_else(|| Error::NoTable { volume: name() })?;
    let is_meant = |it: &&Partition| match place {
        Place::Partition(number) => it.number == *number,
        Place::Label(label) => it.label == *label,
        Place::Guid(guid) => it.guid == *guid,
        Place::Blocks { .. } => false,
    };
    let mut meant = table.partitions.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(partition), None) => Ok(partition.blocks),
        (Some(_), Some(_)) => Err(Error::PartitionAmbiguous { name: name() }),
        (None, _) => Err(Error::PartitionMissing { volume: name() }),
    }
}

fn map(storage: &Storage, disk: &Disk, volumes: Vec<Region>) -> Result<DiskMap, Error> {
    if volumes.is_empty() {
        return Ok(DiskMap::closed(disk.shape));
    }
    let mut regions = volumes;
    match &disk.gpt {
        Some(table) => of_table(storage, table, &mut regions)?,
        // A volume may hold the whole of a disk without partitions.
        None if regions.iter().any(|region| region.blocks.contains(0)) => {}
        None => regions.extend(tables(BlockRange::new(0, 0))),
    }
    DiskMap::new(disk.shape, regions).map_err(|flaw| explain(storage, disk, flaw))
}

/// Adds what the partition table names beside volumes: itself, the appliance's partition, those in clear.
fn of_table(storage: &Storage, table: &Gpt, regions: &mut Vec<Region>) -> Result<(), Error> {
    regions.extend(tables(BlockRange::new(0, 0)));
    regions.extend(table.tables.iter().flat_map(|copy| tables(Some(*copy))));
    regions.extend(
        table
            .partitions
            .iter()
            .filter(|it| is_appliance(it))
            .map(|it| Region {
                blocks: it.blocks,
                fate: Fate::Appliance,
            }),
    );
    for (index, rule) in (0..).zip(&storage.clear.partitions) {
        let meant: Vec<&Partition> = table.partitions.iter().filter(|it| is_clear(rule, it)).collect();
        if meant.len() > 1 && *rule != ClearPartition::Esp {
            return Err(Error::PartitionAmbiguous {
                name: rule.to_string(),
            });
        }
        for partition in meant {
            let region = Region {
                blocks: partition.blocks,
                fate: Fate::Clear(index),
            };
            // Two rules may name one partition: `esp` and its number.
            let known = |it: &Region| it.blocks == region.blocks && matches!(it.fate, Fate::Clear(_));
            if !regions.iter().any(known) {
                regions.push(region);
            }
        }
    }
    Ok(())
}

fn tables(blocks: Option<BlockRange>) -> Option<Region> {
    let fate = Fate::Tables;
    blocks.map(|blocks| Region { blocks, fate })
}

fn is_appliance(partition: &Partition) -> bool {
    partition.is_esp() && partition.label == APPLIANCE_LABEL
}

/// `esp` never means the appliance's own; who names that one in another way gets an overlap.
fn is_clear(rule: &ClearPartition, partition: &Partition) -> bool {
    match rule {
        ClearPartition::Esp => partition.is_esp() && !is_appliance(partition),
        ClearPartition::Number(number) => partition.number == *number,
        ClearPartition::Guid(guid) => partition.guid == *guid,
        ClearPartition::Label(label) => partition.label == *label,
    }
}

fn explain(storage: &Storage, disk: &Disk, flaw: Flaw) -> Error {
    match flaw {
        Flaw::Outside(region) => Error::Outside {
            volume: title(storage, region.fate),
            last: region.blocks.last(),
            blocks: disk.shape.blocks,
        },
        Flaw::Overlap(one, other) => Error::Overlap {
            one: title(storage, one.fate),
            other: title(storage, other.fate),
            block: other.blocks.first(),
        },
    }
}

fn title(storage: &Storage, fate: Fate) -> String {
    match fate {
        Fate::Volume(index) => alloc::format!("volume `{}`", volume_name(storage, index)),
        Fate::Clear(index) => alloc::format!("the partition {} in clear", clear_name(storage, index)),
        Fate::Tables => "the partition table".to_string(),
        Fate::Appliance => "the appliance's own partition".to_string(),
    }
}

/// What the policy calls a volume; empty where there is none.
pub(super) fn volume_name(storage: &Storage, index: u32) -> String {
    let volume = usize::try_from(index).ok().and_then(|at| storage.volumes.get(at));
    volume.map(|it| it.name.clone()).unwrap_or_default()
}

/// What the policy calls a partition in clear; empty where there is none.
pub(super) fn clear_name(storage: &Storage, index: u32) -> String {
    let rule = usize::try_from(index)
        .ok()
        .and_then(|at| storage.clear.partitions.get(at));
    rule.map(ToString::to_string).unwrap_or_default()
}
