//! What the policy says about the sectors of the disks in these scenarios, and what must lie on the platter.

use sekisho_abi::disk::{BlockRange, BlockSize, DiskMap, Fate, Region, Shape};
use sekisho_abi::storage::{Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_mediator::disk::bind::{Binder, BlockReader};
use sekisho_mediator::disk::command::Identity;
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_models::ata::{Disk, Drive, Geometry};
use std::collections::BTreeMap;

/// First and last block of a part of the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) first: u64,
    pub(super) last: u64,
}

const fn part(first: u64, last: u64) -> Part {
    Part { first, last }
}

/// Partition tables: read-only.
pub(super) const TABLES: Part = part(0, 33);
/// Said to be in clear.
pub(super) const CLEAR: Part = part(64, 127);
/// The appliance's own.
pub(super) const APPLIANCE: Part = part(128, 191);
/// A volume.
pub(super) const SYSTEM: Part = part(2048, 133_119);
/// A volume that lets TRIM through, right behind.
pub(super) const DATA: Part = part(133_120, 149_999);
/// Nothing is said about the blocks between and behind these parts.
pub(super) const BLOCKS: u64 = 160_000;
pub(super) const UNNAMED: Part = part(150_000, BLOCKS - 1);

/// A new disk with blocks of this size.
pub(super) fn disk(serial: &str, block_size: BlockSize) -> Drive {
    Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: BLOCKS,
        sector_size: block_size.bytes().into(),
        serial: serial.to_owned(),
    })))
}

/// Binds every disk to this layout.
#[derive(Default)]
pub(super) struct Everywhere(BTreeMap<u8, Shape>);

impl Binder for Everywhere {
    type Refusal = ();

    fn inspect(&mut self, port: u8, identity: &Identity, blocks: &mut dyn BlockReader) -> Result<(), ()> {
        let known = identity.known();
        let mut tables = vec![0; 34 * usize::try_from(known.block_bytes).map_err(|_| ())?];
        blocks.read(0, &mut tables).map_err(|_| ())?;
        let block_size = BlockSize::from_bytes(known.block_bytes).ok_or(())?;
        self.0.insert(
            port,
            Shape {
                block_size,
                blocks: known.blocks,
            },
        );
        Ok(())
    }

    fn filter(&mut self, port: u8) -> Result<Option<SectorFilter>, ()> {
        Ok(self.0.get(&port).copied().map(filter))
    }
}

/// What becomes of its sectors.
pub(super) fn filter(shape: Shape) -> SectorFilter {
    let region = |part: Part, fate| Region {
        blocks: BlockRange::new(part.first, part.last).unwrap(),
        fate,
    };
    let regions = vec![
        region(TABLES, Fate::Tables),
        region(CLEAR, Fate::Clear(0)),
        region(APPLIANCE, Fate::Appliance),
        region(SYSTEM, Fate::Volume(0)),
        region(DATA, Fate::Volume(1)),
    ];
    let map = DiskMap::new(shape, regions).unwrap();
    let storage = Storage {
        volumes: vec![volume("system", false), volume("data", true)],
        ..Storage::default()
    };
    SectorFilter::new(&storage, &map, |index| Some(cipher(index))).unwrap()
}

/// What must lie on the platter when the guest has written `content` at `lba`, wholly inside of one volume.
pub(super) fn encrypted(lba: u64, content: &[u8], block_size: BlockSize) -> Vec<u8> {
    let (index, volume) = if lba < DATA.first { (0, SYSTEM) } else { (1, DATA) };
    let units = u64::from(block_size.bytes()) / 512;
    let mut content = content.to_vec();
    cipher(index)
        .encrypt((lba - volume.first) * units, &mut content)
        .unwrap();
    content
}

/// Bytes that are never twice the same, in no two sectors.
pub(super) fn content(seed: u64, length: usize) -> Vec<u8> {
    sekisho_models::sequence::Sequence::new(seed).bytes(length)
}

fn volume(name: &str, discard: bool) -> Volume {
    Volume {
        name: name.to_owned(),
        disk: None,
        place: Place::Partition(1),
        key_bits: 512,
        sector_size: 512,
        discard,
    }
}

fn cipher(index: u32) -> SectorCipher {
    let key: Vec<u8> = (0..64)
        .map(|byte: u8| byte ^ if index == 0 { 0 } else { 0x80 })
        .collect();
    SectorCipher::new(&key, SectorSize::try_from(512).unwrap()).unwrap()
}
