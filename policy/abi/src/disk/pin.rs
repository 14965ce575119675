//! Pins: where everything lay when a disk was encrypted, so that an edited partition table moves no boundary.

use super::resolve::{clear_name, volume_name};
use super::{Disk, DiskMap, Fate, Region};
use crate::storage::{DiskId, Pin, PinKind, Storage};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a disk does not lie as it is pinned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The disk has neither a GPT nor a serial number to be known by.
    NoIdentity {
        /// What lies on it.
        name: String,
    },
    /// Nothing is recorded of a volume: it was never encrypted.
    NeverEncrypted {
        /// The volume's name.
        volume: String,
    },
    /// Nothing is recorded of a partition in clear: the policy names it since.
    NotRecorded {
        /// What the policy calls it.
        name: String,
    },
    /// It is on another disk.
    OtherDisk {
        /// What the policy calls it.
        name: String,
        /// Where it was.
        pinned: DiskId,
        /// Where it is.
        found: DiskId,
    },
    /// A number differs.
    Moved {
        /// What the policy calls it.
        name: String,
        /// Which number.
        what: Measure,
        /// What it was.
        pinned: u64,
        /// What it is.
        found: u64,
    },
}

/// A number of a pin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Bytes of the disk's logical block.
    BlockSize,
    /// Blocks of the disk.
    Blocks,
    /// Its first block.
    First,
    /// Its last block.
    Last,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIdentity { name } => write!(
                f,
                "the disk of {name} has neither a GPT nor a serial number that it could be known by"
            ),
            Self::NeverEncrypted { volume } => {
                write!(
                    f,
                    "volume `{volume}` was never encrypted: run `sekisho disk encrypt`"
                )
            }
            Self::NotRecorded { name } => write!(
                f,
                "{name} was not in clear when its disk was encrypted: run `sekisho disk encrypt` again"
            ),
            Self::OtherDisk { name, .. } => write!(f, "{name} is on another disk than when it was encrypted"),
            Self::Moved {
                name,
                what,
                pinned,
                found,
            } => write!(
                f,
                "{name}: {what} was {pinned} when its disk was encrypted, and is {found}"
            ),
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlockSize => "the disk's block size",
            Self::Blocks => "the disk's number of blocks",
            Self::First => "its first block",
            Self::Last => "its last block",
        })
    }
}

/// What is recorded of a disk when it is encrypted: one pin for each volume and partition in clear.
///
/// # Errors
/// [`Error::NoIdentity`].
pub fn pins_of(storage: &Storage, disk: &Disk, map: &DiskMap) -> Result<Vec<Pin>, Error> {
    let named = map.regions().iter().filter_map(|region| {
        let (kind, name) = title(storage, region)?;
        Some((region, kind, name))
    });
    named
        .map(|(region, kind, name)| pin(disk, region, kind, name))
        .collect()
}

/// Whether every volume and partition in clear of a disk lies where it is pinned.
///
/// # Errors
/// The first that does not.
pub fn agree(storage: &Storage, disk: &Disk, map: &DiskMap, pins: &[Pin]) -> Result<(), Error> {
    let mut all = pins_of(storage, disk, map)?;
    // Of a disk that was never encrypted the volume says so; its partitions in clear would only not be recorded.
    all.sort_by_key(|it| it.kind != PinKind::Volume);
    all.iter().try_for_each(|found| check(found, pins))
}

/// Whether one volume or partition in clear lies as it is pinned.
///
/// # Errors
/// How it differs.
pub fn check(found: &Pin, pins: &[Pin]) -> Result<(), Error> {
    let is_about = |it: &&Pin| it.kind == found.kind && it.name == found.name;
    // One rule may name several partitions: `esp`. The nearest tells what differs.
    let nearest = pins.iter().filter(is_about).max_by_key(|it| likeness(it, found));
    let name = || found.name.clone();
    match (nearest, found.kind) {
        (Some(pinned), _) => compare(pinned, found),
        (None, PinKind::Volume) => Err(Error::NeverEncrypted { volume: name() }),
        (None, PinKind::Clear) => Err(Error::NotRecorded { name: name() }),
    }
}

fn title(storage: &Storage, region: &Region) -> Option<(PinKind, String)> {
    match region.fate {
        Fate::Volume(index) => Some((PinKind::Volume, volume_name(storage, index))),
        Fate::Clear(index) => Some((PinKind::Clear, clear_name(storage, index))),
        Fate::Tables | Fate::Appliance => None,
    }
}

fn pin(disk: &Disk, region: &Region, kind: PinKind, name: String) -> Result<Pin, Error> {
    match disk.identity() {
        None => Err(Error::NoIdentity { name }),
        Some(identity) => Ok(Pin {
            name,
            kind,
            disk: identity,
            block_size: disk.shape.block_size.bytes().into(),
            blocks: disk.shape.blocks,
            first: region.blocks.first(),
            last: region.blocks.last(),
        }),
    }
}

fn measures(pin: &Pin) -> [(Measure, u64); 4] {
    [
        (Measure::BlockSize, pin.block_size.into()),
        (Measure::Blocks, pin.blocks),
        (Measure::First, pin.first),
        (Measure::Last, pin.last),
    ]
}

fn likeness(pinned: &Pin, found: &Pin) -> usize {
    let same = measures(pinned)
        .into_iter()
        .zip(measures(found))
        .filter(|(one, other)| one == other);
    same.count() + usize::from(pinned.disk == found.disk)
}

fn compare(pinned: &Pin, found: &Pin) -> Result<(), Error> {
    for ((what, was), (_, is)) in measures(pinned).into_iter().zip(measures(found)) {
        if was != is {
            return Err(Error::Moved {
                name: found.name.clone(),
                what,
                pinned: was,
                found: is,
            });
        }
    }
    if pinned.disk != found.disk {
        return Err(Error::OtherDisk {
            name: found.name.clone(),
            pinned: pinned.disk.clone(),
            found: found.disk.clone(),
        });
    }
    Ok(())
}
