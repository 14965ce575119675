//! Partition tables with anything in them, checksums right or wrong: nothing is read outside the disk, partitions and
//! tables lie within it and apart, and no map gives one block two fates or names a block of the appliance's otherwise.
//!
//! Input: flags, the number of blocks, then the first 512 bytes of blocks 0, 1, 2 and of the last two.
#![no_main]

use bytemuck::{bytes_of, try_pod_read_unaligned};
use gpt_disk_types::crc::Crc;
use gpt_disk_types::{Crc32, GptHeader, U32Le};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::disk::gpt::{Gpt, read};
use sekisho_abi::disk::pin::{agree, pins_of};
use sekisho_abi::disk::resolve::resolve;
use sekisho_abi::disk::{BlockSize, Disk, Fate, Shape};
use sekisho_abi::storage::{Clear, ClearPartition, Place, Storage, Volume};
use std::convert::Infallible;

/// Flags: blocks of 4,096 bytes; the checksums of the primary or backup are made right.
const LARGE: u8 = 1;
const REPAIR: [u8; 2] = [2, 4];

struct Made {
    bytes: Vec<u8>,
    shape: Shape,
}

impl Made {
    fn new(input: &[u8]) -> Option<Self> {
        let [flags, count, parts @ ..] = input else {
            return None;
        };
        let block_size = if flags & LARGE == 0 {
            BlockSize::B512
        } else {
            BlockSize::B4096
        };
        let blocks = u64::from(*count) + 5;
        let mut made = Self {
            bytes: vec![0; usize::from(block_size.bytes()) * blocks as usize],
            shape: Shape { block_size, blocks },
        };
        for (number, part) in [0, 1, 2, blocks - 2, blocks - 1]
            .into_iter()
            .zip(parts.chunks(512))
        {
            let at = made.at(number);
            made.bytes[at..at + part.len()].copy_from_slice(part);
        }
        for (flag, number) in REPAIR.into_iter().zip([1, blocks - 1]) {
            if flags & flag != 0 {
                made.repair(number);
            }
        }
        Some(made)
    }

    fn at(&self, block: u64) -> usize {
        block as usize * usize::from(self.shape.block_size.bytes())
    }

    /// Makes the checksums of the header in this block right, as far as its entries are on the disk.
    fn repair(&mut self, block: u64) {
        let at = self.at(block);
        let place = at..at + size_of::<GptHeader>();
        let mut header: GptHeader = try_pod_read_unaligned(&self.bytes[place.clone()]).expect("its size");
        let length = u64::from(header.number_of_partition_entries.to_u32())
            .checked_mul(header.size_of_partition_entry.to_u32().into());
        let first = header.partition_entry_lba.to_u64();
        if let Some(length) = length.filter(|_| first < self.shape.blocks) {
            let entries = &self.bytes[self.at(first)..];
            if let Some(entries) = entries.get(..length as usize) {
                let checksum = Crc::<u32>::new(&Crc32::ALGORITHM).checksum(entries);
                header.partition_entry_array_crc32 = Crc32(U32Le::from_u32(checksum));
            }
        }
        header.update_header_crc32();
        self.bytes[place].copy_from_slice(bytes_of(&header));
    }

    fn table(&self) -> Option<Gpt> {
        let read = read(self.shape, |number, into| {
            assert!(number < self.shape.blocks, "block {number}");
            let at = self.at(number);
            into.copy_from_slice(&self.bytes[at..at + into.len()]);
            Ok::<(), Infallible>(())
        });
        read.ok().flatten()
    }
}

fn storage() -> Storage {
    let volume = Volume {
        name: "a".to_owned(),
        disk: None,
        place: Place::Partition(1),
        key_bits: 512,
        sector_size: 512,
        discard: false,
    };
    Storage {
        volumes: vec![volume],
        clear: Clear {
            partitions: vec![ClearPartition::Esp, ClearPartition::Number(3)],
            tables_writable: false,
        },
        ..Storage::default()
    }
}

fn check_map(made: &Made, table: Gpt) {
    let appliance: Vec<_> = table
        .partitions
        .iter()
        .filter(|it| it.is_esp() && it.label == "sekisho")
        .map(|it| it.blocks)
        .collect();
    let disk = Disk {
        serial: None,
        port: None,
        shape: made.shape,
        gpt: Some(table),
    };
    let storage = storage();
    let Ok(maps) = resolve(&storage, &[0], std::slice::from_ref(&disk)) else {
        return;
    };
    let mut free = 0;
    for region in maps[0].regions() {
        assert!(free <= region.blocks.first() && region.blocks.last() < made.shape.blocks);
        free = region.blocks.last() + 1;
        let is_appliance = appliance.iter().any(|it| it.common(region.blocks).is_some());
        assert_eq!(is_appliance, region.fate == Fate::Appliance);
    }
    let pins = pins_of(&storage, &disk, &maps[0]).expect("it has a GUID");
    agree(&storage, &disk, &maps[0], &pins).expect("it is as it was");
}

fuzz_target!(|input: &[u8]| {
    let Some(made) = Made::new(input) else { return };
    let Some(table) = made.table() else { return };
    for range in &table.tables {
        assert!(range.last() < made.shape.blocks);
    }
    for partition in &table.partitions {
        assert!(partition.blocks.last() < made.shape.blocks);
        assert!(
            table
                .tables
                .iter()
                .all(|it| it.common(partition.blocks).is_none())
        );
    }
    check_map(&made, table);
});
