//! The sectors of a machine's disks, by the functions that resolve them at boot.
//!
//! An inventory tells less of a disk than the disk does: where it leaves out how long the disk is, the last partition is
//! taken to end where the second partition table begins, as usual; pins are not looked at.

use super::fate::Fate;
use super::judge::{Decider, Planner, Verdict};
use crate::inventory::{Disk, Partition};
use sekisho_abi::disk::gpt::{self, Copies, Gpt};
use sekisho_abi::disk::resolve::{self, resolve};
use sekisho_abi::disk::{self as abi, BlockRange, BlockSize, DiskMap, Shape};
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::storage::Storage;
use std::fmt;
use uuid::Uuid;

/// What becomes of a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskPlan {
    /// Its controller.
    pub controller: Address,
    /// Its port.
    pub port: u8,
    /// What decides its controller; `None` where the machine has no such device.
    pub verdict: Option<Verdict>,
    /// Its sectors.
    pub sectors: Sectors,
}

/// What becomes of a disk's sectors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sectors {
    /// In ranges, in the order of the disk, without gaps.
    Planned(Vec<Range>),
    /// All have the fate of the controller, which no driver of ours takes.
    AsController,
    /// The loader would refuse to boot: the policy and the disks do not fit.
    Refused(resolve::Error),
}

/// Sectors of one fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// Logical blocks.
    pub blocks: BlockRange,
    /// What becomes of them.
    pub fate: SectorFate,
    /// The partition that they are, or are in.
    pub partition: Option<(u32, Option<String>)>,
}

/// What becomes of a sector.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SectorFate {
    /// Encrypted, of the volume with this name.
    Volume(String),
    /// In clear.
    Clear,
    /// A partition table: in clear, read-only unless the policy says so.
    Tables,
    /// The appliance's own: zeros, no writes.
    Appliance,
    /// Nobody's: zeros, no writes.
    Refused,
}

impl SectorFate {
    /// One word, as programs read it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Volume(_) => "volume",
            Self::Clear => "clear",
            Self::Tables => "tables",
            Self::Appliance => "appliance",
            Self::Refused => "refused",
        }
    }

    /// The volume's name, if they are one's.
    #[must_use]
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Volume(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for SectorFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.volume().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

/// What becomes of the disks of a machine with these devices and verdicts, in the order of the inventory.
#[must_use]
pub fn plan_disks(
    planner: &Planner<'_>,
    devices: &[Identity],
    verdicts: &[Verdict],
    disks: &[Disk],
) -> Vec<DiskPlan> {
    let plan = |disk: &Disk| {
        let device = devices.iter().position(|it| it.address == disk.controller);
        let verdict = device.and_then(|index| verdicts.get(index)).copied();
        let sectors = match verdict {
            Some(Verdict {
                fate: Fate::Encrypt,
                decider: Decider::Rule(rule),
            }) => resolved(&planner.policy().storage, rule, disk, disks),
            _ => Sectors::AsController,
        };
        DiskPlan {
            controller: disk.controller,
            port: disk.port,
            verdict,
            sectors,
        }
    };
    disks.iter().map(plan).collect()
}

/// The sectors of `disk`, whose controller is taken by `rule`; a volume may be on any disk of the controller.
fn resolved(storage: &Storage, rule: usize, disk: &Disk, all: &[Disk]) -> Sectors {
    let together: Vec<&Disk> = all.iter().filter(|it| it.controller == disk.controller).collect();
    let known: Vec<abi::Disk> = together.iter().map(|it| known(it)).collect();
    let mut controllers = storage.controllers.iter();
    let controller = controllers.find(|it| usize::try_from(it.entry) == Ok(rule));
    let volumes = controller.map_or(&[][..], |it| &it.volumes);
    match resolve(storage, volumes, &known) {
        Err(error) => Sectors::Refused(error),
        Ok(maps) => {
            let place = together.iter().position(|it| std::ptr::eq(*it, disk));
            let map = place.and_then(|place| maps.get(place));
            map.map_or(Sectors::AsController, |map| {
                Sectors::Planned(ranges(storage, map, disk))
            })
        }
    }
}

/// What the inventory tells of a disk, in the form in which disks are known at boot.
fn known(disk: &Disk) -> abi::Disk {
    let behind_header = table_blocks(disk.logical_sector);
    let last = disk.partitions.iter().map(|it| it.last).max();
    let usual = last.map_or(u64::MAX, |last| last.saturating_add(behind_header + 1));
    let shape = Shape {
        block_size: disk.logical_sector,
        blocks: disk.blocks.unwrap_or(usual),
    };
    abi::Disk {
        serial: disk.serial.as_ref().map(|serial| serial.trim().to_owned()),
        port: Some(disk.port),
        shape,
        gpt: table(disk, shape),
    }
}

/// Blocks of a GPT's header and its 128 entries of 128 bytes: UEFI Specification 2.10, section 5.3.
fn table_blocks(block_size: BlockSize) -> u64 {
    1 + 128 * 128 / u64::from(block_size.bytes())
}

/// The partitions as a GPT; `None` where there are none, or where a type is no GUID.
fn table(disk: &Disk, shape: Shape) -> Option<Gpt> {
    if disk.partitions.is_empty() {
        return None;
    }
    let length = table_blocks(disk.logical_sector);
    let behind = shape.blocks.saturating_sub(length);
    Some(Gpt {
        disk: guid(disk.uuid.as_deref())?,
        partitions: disk.partitions.iter().map(partition).collect::<Option<_>>()?,
        copies: Copies::Agree,
        tables: [
            BlockRange::of_length(1, length),
            BlockRange::of_length(behind, length),
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

fn partition(partition: &Partition) -> Option<gpt::Partition> {
    Some(gpt::Partition {
        number: partition.number,
        kind: guid(partition.kind.as_deref())?,
        guid: guid(partition.uuid.as_deref())?,
        label: partition.label.clone().unwrap_or_default(),
        blocks: BlockRange::new(partition.first, partition.last)?,
    })
}

/// In the bytes of the disk; zeros where the inventory leaves it out.
fn guid(text: Option<&str>) -> Option<[u8; 16]> {
    match text {
        None => Some([0; 16]),
        Some(text) => Uuid::parse_str(text).ok().map(|it| it.to_bytes_le()),
    }
}

/// The map's regions, and what lies between them: partitions of nobody's, and blocks in no partition.
fn ranges(storage: &Storage, map: &DiskMap, disk: &Disk) -> Vec<Range> {
    let mut all = Vec::new();
    let mut free = 0;
    for region in map.regions() {
        fill(&mut all, free, region.blocks.first().checked_sub(1), disk);
        all.push(Range {
            blocks: region.blocks,
            fate: fate(storage, region.fate),
            partition: within(disk, region.blocks),
        });
        free = region.blocks.last().saturating_add(1);
    }
    fill(&mut all, free, map.shape().blocks.checked_sub(1), disk);
    all
}

fn fate(storage: &Storage, fate: abi::Fate) -> SectorFate {
    match fate {
        abi::Fate::Volume(index) => {
            let volume = usize::try_from(index).ok().and_then(|at| storage.volumes.get(at));
            SectorFate::Volume(volume.map(|it| it.name.clone()).unwrap_or_default())
        }
        abi::Fate::Clear(_) => SectorFate::Clear,
        abi::Fate::Tables => SectorFate::Tables,
        abi::Fate::Appliance => SectorFate::Appliance,
    }
}

/// Adds what nobody has from `first` to `last`, cut where partitions begin and end.
fn fill(all: &mut Vec<Range>, first: u64, last: Option<u64>, disk: &Disk) {
    let Some(gap) = last.and_then(|last| BlockRange::new(first, last)) else {
        return;
    };
    let parts = disk.partitions.iter();
    let parts = parts.filter_map(|it| BlockRange::new(it.first, it.last)?.common(gap));
    let mut borders: Vec<u64> = parts
        .flat_map(|it| [it.first(), it.last().saturating_add(1)])
        .filter(|border| gap.contains(*border))
        .collect();
    borders.push(gap.first());
    borders.sort_unstable();
    borders.dedup();
    let ends = borders.iter().skip(1).map(|next| next - 1).chain([gap.last()]);
    let refused = borders.iter().zip(ends).filter_map(|(first, last)| {
        let blocks = BlockRange::new(*first, last)?;
        Some(Range {
            blocks,
            fate: SectorFate::Refused,
            partition: within(disk, blocks),
        })
    });
    all.extend(refused);
}

/// The partition that `blocks` lie in.
fn within(disk: &Disk, blocks: BlockRange) -> Option<(u32, Option<String>)> {
    let mut partitions = disk.partitions.iter();
    let it = partitions.find(|it| it.first <= blocks.first() && blocks.last() <= it.last)?;
    Some((it.number, it.label.clone()))
}
