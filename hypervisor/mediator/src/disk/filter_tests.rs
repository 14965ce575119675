//! The filter against one that looks at every block alone, and against bytes of another implementation.

use super::filter::*;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use sekisho_abi::disk::{BlockRange, BlockSize, DiskMap, Fate, Region, Shape};
use sekisho_abi::storage::{Clear, Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};

const BLOCKS: u64 = 96;
/// Volumes 0 to 3: the odd ones let TRIM through.
const VOLUMES: u32 = 4;

fn volume(index: u32, block_size: BlockSize) -> Volume {
    Volume {
        name: String::from("a"),
        disk: None,
        place: Place::Partition(index),
        key_bits: 512,
        sector_size: if index < 2 { 512 } else { block_size.bytes() },
        discard: index % 2 == 1,
    }
}

fn storage(block_size: BlockSize, tables_writable: bool) -> Storage {
    Storage {
        volumes: (0..VOLUMES).map(|index| volume(index, block_size)).collect(),
        clear: Clear {
            partitions: Vec::new(),
            tables_writable,
        },
        ..Storage::default()
    }
}

fn cipher(storage: &Storage, index: u32) -> SectorCipher {
    let key: Vec<u8> = (0..64_u8)
        .map(|byte| byte ^ u8::try_from(index).unwrap())
        .collect();
    let said = storage.volumes[usize::try_from(index).unwrap()].sector_size;
    SectorCipher::new(&key, SectorSize::try_from(said).unwrap()).unwrap()
}

fn filter(storage: &Storage, map: &DiskMap) -> SectorFilter {
    SectorFilter::new(storage, map, |index| Some(cipher(storage, index))).unwrap()
}

fn region(first: u64, last: u64, fate: Fate) -> Region {
    Region {
        blocks: BlockRange::new(first, last).unwrap(),
        fate,
    }
}

fn shape(block_size: BlockSize) -> Shape {
    Shape {
        block_size,
        blocks: BLOCKS,
    }
}

/// Regions of arbitrary lengths, with and without gaps between them.
fn maps() -> impl Strategy<Value = (Storage, DiskMap)> {
    let fates = prop_oneof![
        4 => (0..VOLUMES).prop_map(Fate::Volume),
        2 => Just(Fate::Clear(0)),
        1 => Just(Fate::Tables),
        1 => Just(Fate::Appliance),
    ];
    let regions = proptest::collection::vec((0..6_u64, 1..12_u64, fates), 0..12);
    let block_size = prop_oneof![Just(BlockSize::B512), Just(BlockSize::B4096)];
    (regions, block_size, any::<bool>()).prop_map(|(parts, block_size, tables_writable)| {
        let mut at = 0;
        let mut regions = Vec::new();
        for (gap, length, fate) in parts {
            let first = at + gap;
            at = first + length;
            if at <= BLOCKS {
                regions.push(region(first, at - 1, fate));
            }
        }
        let map = DiskMap::new(shape(block_size), regions).unwrap();
        (storage(block_size, tables_writable), map)
    })
}

/// What one block is, looked up on its own.
fn fate(map: &DiskMap, block: u64) -> Option<Region> {
    map.regions().iter().copied().find(|it| it.blocks.contains(block))
}

fn refusal(storage: &Storage, map: &DiskMap, block: u64) -> Option<Why> {
    match fate(map, block).map(|it| it.fate) {
        Some(Fate::Volume(_) | Fate::Clear(_)) => None,
        Some(Fate::Tables) if storage.clear.tables_writable => None,
        Some(Fate::Tables) => Some(Why::Tables),
        Some(Fate::Appliance) => Some(Why::Appliance),
        None => Some(Why::Unnamed),
    }
}

/// One block encrypted as dm-crypt defines it for a volume: the tweak counts 512 bytes from the volume's start.
fn encrypted(storage: &Storage, region: Region, index: u32, block: u64, data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let tweak = (block - region.blocks.first()) * u64::try_from(data.len() / 512).unwrap();
    cipher(storage, index).encrypt(tweak, &mut bytes).unwrap();
    bytes
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at * 7 % 251).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_write_is_what_each_of_its_blocks_alone_would_be(
        (storage, map) in maps(),
        first in 0..BLOCKS + 4,
        blocks in 0..24_u32,
    ) {
        let filter = filter(&storage, &map);
        let bytes = usize::from(map.shape().block_size.bytes());
        let plain = pattern(bytes * usize::try_from(blocks).unwrap());
        let asked = first..first + u64::from(blocks);
        let expected = asked.clone().find_map(|block| Some(Refused { block, why: refusal(&storage, &map, block)? }));
        let mut data = plain.clone();
        let written = filter.to_disk(first, &mut data);
        prop_assert_eq!(written.err(), expected);
        prop_assert_eq!(filter.may_write(first, blocks).err(), expected);
        if written.is_ok() {
            for (block, (plain, got)) in asked.zip(plain.chunks(bytes).zip(data.chunks(bytes))) {
                let region = fate(&map, block).unwrap();
                match region.fate {
                    Fate::Volume(index) => prop_assert_eq!(got, encrypted(&storage, region, index, block, plain)),
                    _ => prop_assert_eq!(got, plain),
                }
            }
        }
    }

    #[test]
    fn a_read_is_what_each_of_its_blocks_alone_would_be(
        (storage, map) in maps(),
        first in 0..BLOCKS + 4,
        blocks in 0..24_usize,
    ) {
        let filter = filter(&storage, &map);
        let bytes = usize::from(map.shape().block_size.bytes());
        let plain = pattern(bytes * blocks);
        let mut data = plain.clone();
        let mut hidden = 0;
        for (block, bytes) in (first..).zip(data.chunks_mut(bytes)) {
            match fate(&map, block) {
                Some(region @ Region { fate: Fate::Volume(index), .. }) => {
                    bytes.copy_from_slice(&encrypted(&storage, region, index, block, bytes));
                }
                Some(Region { fate: Fate::Appliance, .. }) | None => hidden += 1,
                Some(_) => {}
            }
        }
        prop_assert_eq!(filter.to_guest(first, &mut data), hidden);
        for (block, (plain, got)) in (first..).zip(plain.chunks(bytes).zip(data.chunks(bytes))) {
            match fate(&map, block).map(|it| it.fate) {
                Some(Fate::Appliance) | None => prop_assert!(got.iter().all(|byte| *byte == 0)),
                Some(_) => prop_assert_eq!(got, plain),
            }
        }
    }

    #[test]
    fn a_trim_reaches_every_block_of_volumes_that_let_it_and_no_other(
        (storage, map) in maps(),
        first in 0..BLOCKS,
        blocks in 1..BLOCKS,
    ) {
        let filter = filter(&storage, &map);
        let asked = BlockRange::of_length(first, blocks).unwrap();
        let passed: Vec<BlockRange> = filter.clip(asked).collect();
        for block in first..first + blocks {
            let discards = fate(&map, block).is_some_and(|it| matches!(it.fate, Fate::Volume(1 | 3)));
            prop_assert_eq!(passed.iter().filter(|range| range.contains(block)).count(), usize::from(discards));
        }
        prop_assert!(passed.iter().all(|range| range.common(asked) == Some(*range)));
        prop_assert!(passed.is_empty() || filter.passes_trim());
    }
}

/// A disk whose volume begins at block 40, and its table before.
fn small(block_size: BlockSize, volume: u32) -> SectorFilter {
    let regions = vec![region(0, 33, Fate::Tables), region(40, 79, Fate::Volume(volume))];
    let map = DiskMap::new(shape(block_size), regions).unwrap();
    filter(&storage(block_size, false), &map)
}

fn ramp(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at * 7 % 256).unwrap())
        .collect()
}

// Both by python-cryptography: XTS with the key 00 01 … 3f, the bytes (i * 7) & 255, tweaks 5 and 24.
#[test]
fn sector_5_of_a_volume_is_as_another_implementation_encrypts_it() {
    let mut data = ramp(512);
    small(BlockSize::B512, 0).to_disk(45, &mut data).unwrap();
    assert_eq!(
        data[..16],
        0x35af_6869_01a5_cb6d_f9c1_80d9_9226_dfef_u128.to_be_bytes()
    );
}

#[test]
fn a_4096_byte_sector_has_its_tweak_in_units_of_512() {
    let regions = vec![region(40, 79, Fate::Volume(2))];
    let map = DiskMap::new(shape(BlockSize::B4096), regions).unwrap();
    let storage = storage(BlockSize::B4096, false);
    let key: Vec<u8> = (0..64).collect();
    let large = |_| SectorCipher::new(&key, SectorSize::B4096).ok();
    let filter = SectorFilter::new(&storage, &map, large).unwrap();
    let mut data = ramp(4096);
    filter.to_disk(43, &mut data).unwrap();
    assert_eq!(
        data[4080..],
        0x8e11_5496_e774_c02e_d78d_7e97_33f5_387f_u128.to_be_bytes()
    );
}

#[test]
fn a_closed_disk_takes_nothing_and_reads_as_zeros() {
    let filter = SectorFilter::closed(shape(BlockSize::B512));
    let mut data = pattern(1024);
    let unnamed = Refused {
        block: 7,
        why: Why::Unnamed,
    };
    assert_eq!(filter.to_disk(7, &mut data), Err(unnamed));
    assert_eq!(data, pattern(1024));
    assert_eq!(filter.to_guest(7, &mut data), 2);
    assert_eq!(data, [0; 1024]);
}

#[test]
fn a_write_that_crosses_the_end_of_a_volume_fails_whole() {
    let filter = small(BlockSize::B512, 0);
    assert_eq!(filter.may_write(76, 4), Ok(()));
    let unnamed = Refused {
        block: 80,
        why: Why::Unnamed,
    };
    assert_eq!(filter.may_write(76, 5), Err(unnamed));
    assert_eq!(filter.to_disk(76, &mut pattern(5 * 512)), Err(unnamed));
}

#[test]
fn data_that_is_no_whole_blocks_is_neither_written_nor_read() {
    let filter = small(BlockSize::B4096, 0);
    let mut data = pattern(4096 + 512);
    let length = Refused {
        block: 41,
        why: Why::Length,
    };
    assert_eq!(filter.to_disk(41, &mut data), Err(length));
    assert_eq!(filter.to_guest(41, &mut data), 2);
    assert_eq!(data, vec![0; 4096 + 512]);
}

#[test]
fn the_last_64_bit_block_is_no_way_around() {
    let filter = small(BlockSize::B512, 0);
    let (unnamed, length) = (Why::Unnamed, Why::Length);
    assert_eq!(
        filter.may_write(u64::MAX, 1),
        Err(Refused {
            block: u64::MAX,
            why: unnamed
        })
    );
    assert_eq!(
        filter.may_write(u64::MAX, 2),
        Err(Refused {
            block: u64::MAX,
            why: length
        })
    );
    assert_eq!(filter.to_guest(u64::MAX - 1, &mut pattern(1024)), 2);
    let all = BlockRange::new(0, u64::MAX).unwrap();
    assert_eq!(
        small(BlockSize::B512, 1).clip(all).collect::<Vec<_>>(),
        [BlockRange::new(40, 79).unwrap()]
    );
}

#[test]
fn a_volume_without_its_key_makes_no_filter() {
    let map = DiskMap::new(shape(BlockSize::B512), vec![region(1, 2, Fate::Volume(3))]).unwrap();
    let made = SectorFilter::new(&storage(BlockSize::B512, false), &map, |_| None);
    assert_eq!(made.err(), Some(NoKey { volume: 3 }));
}
