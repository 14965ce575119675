//! What is read of a partition table, and what is not.

use crate::made::{BLOCKS, DISK, Made, USUAL, guid};
use gpt_disk_types::crc::Crc;
use gpt_disk_types::{Crc32, GptHeader, LbaLe, U32Le, U64Le};
use proptest::prelude::*;
use sekisho_abi::disk::gpt::{Copies, Error, Fault, Gpt, read};
use sekisho_abi::disk::{BlockRange, BlockSize, Shape};

fn header(made: &mut Made, at: u64) -> GptHeader {
    let length = size_of::<GptHeader>();
    bytemuck::pod_read_unaligned(&made.block(at)[..length])
}

/// Changes a header, whose checksum then holds again.
fn forge(made: &mut Made, at: u64, change: impl FnOnce(&mut GptHeader)) {
    let mut header = header(made, at);
    change(&mut header);
    header.update_header_crc32();
    made.block(at)[..size_of::<GptHeader>()].copy_from_slice(bytemuck::bytes_of(&header));
}

fn intact(made: &Made) -> Gpt {
    made.table().unwrap().unwrap()
}

#[test]
fn every_partition_is_read_with_blocks_of_both_sizes() {
    for block_size in [BlockSize::B512, BlockSize::B4096] {
        let made = Made::new(block_size, &USUAL);
        let table = intact(&made);
        assert_eq!(table.copies, Copies::Agree);
        assert_eq!(table.disk, DISK.to_bytes_le());
        assert_eq!(table.partitions.len(), USUAL.len());
        for (number, (found, (_, label, first, last))) in (1..).zip(table.partitions.iter().zip(USUAL)) {
            assert_eq!((found.number, found.guid), (number, guid(number).to_bytes_le()));
            assert_eq!((found.label.as_str(), found.is_esp()), (label, number < 3));
            assert_eq!(Some(found.blocks), BlockRange::new(first, last));
        }
    }
}

#[test]
fn both_copies_are_where_the_headers_say() {
    let ranges = [
        (1, 1),
        (2, 33),
        (BLOCKS - 1, BLOCKS - 1),
        (BLOCKS - 33, BLOCKS - 2),
    ];
    let expected = ranges.map(|(first, last)| BlockRange::new(first, last).unwrap());
    assert_eq!(intact(&Made::usual()).tables, expected);
    let large = intact(&Made::new(BlockSize::B4096, &USUAL)).tables;
    assert_eq!(large[1], BlockRange::new(2, 5).unwrap());
}

#[test]
fn without_a_protective_mbr_there_is_no_table() {
    let mut made = Made::usual();
    made.block(0)[450] = 0x83;
    assert_eq!(made.table(), Ok(None));
    let mut made = Made::usual();
    made.block(0)[511] = 0;
    assert_eq!(made.table(), Ok(None));
}

#[test]
fn one_damaged_copy_leaves_the_other() {
    let whole = intact(&Made::usual());
    for (block, copies) in [
        (1, Copies::BackupOnly(Fault::HeaderChecksum)),
        (2, Copies::BackupOnly(Fault::EntriesChecksum)),
        (BLOCKS - 1, Copies::PrimaryOnly(Fault::HeaderChecksum)),
        (BLOCKS - 33, Copies::PrimaryOnly(Fault::EntriesChecksum)),
    ] {
        let mut made = Made::usual();
        made.block(block)[60] ^= 1;
        let table = intact(&made);
        assert_eq!(table.copies, copies);
        assert_eq!(table.partitions, whole.partitions);
        assert_eq!(table.tables.len(), 2);
    }
}

#[test]
fn two_damaged_copies_are_an_error_and_not_a_disk_without_a_table() {
    let mut made = Made::usual();
    made.block(1)[0] = 0;
    made.block(BLOCKS - 1)[60] ^= 1;
    let (primary, backup) = (Fault::Header, Fault::HeaderChecksum);
    assert_eq!(made.table(), Err(Error::Damaged { primary, backup }));
}

#[test]
fn the_primary_is_believed_where_two_intact_copies_differ() {
    let mut made = Made::usual();
    forge(&mut made, BLOCKS - 1, |header| {
        header.disk_guid = gpt_disk_types::Guid::ZERO;
    });
    let table = intact(&made);
    assert_eq!((table.copies, table.disk), (Copies::Differ, DISK.to_bytes_le()));
}

#[test]
fn a_differing_backup_takes_no_block_of_a_partition() {
    let mut made = Made::usual();
    let nothing = Crc::<u32>::new(&Crc32::ALGORITHM).checksum(&[0; 128 * 128]);
    // The backup of an empty disk whose last usable block is 900: in the midst of the primary's partition 3.
    forge(&mut made, BLOCKS - 1, |header| {
        header.last_usable_lba = LbaLe(U64Le::from_u64(900));
        header.partition_entry_lba = LbaLe(U64Le::from_u64(950));
        header.partition_entry_array_crc32 = Crc32(U32Le::from_u32(nothing));
    });
    let table = intact(&made);
    assert_eq!(table.copies, Copies::Differ);
    for partition in &table.partitions {
        assert!(
            table
                .tables
                .iter()
                .all(|range| range.common(partition.blocks).is_none())
        );
    }
}

#[test]
fn a_disk_that_cannot_be_read_says_so() {
    let made = Made::usual();
    assert_eq!(read(made.shape, |_, _| Err("broken")), Err(Error::Read("broken")));
}

/// The table of a usual disk with blocks that cannot be read.
fn without(broken: &[u64]) -> Result<Option<Gpt>, Error<&'static str>> {
    let mut made = Made::usual();
    read(made.shape, |number, into| {
        if broken.contains(&number) {
            return Err("broken");
        }
        into.copy_from_slice(made.block(number));
        Ok(())
    })
}

#[test]
fn a_copy_with_a_block_that_cannot_be_read_leaves_the_other() {
    let whole = intact(&Made::usual());
    for (block, copies) in [
        (1, Copies::BackupOnly(Fault::Unreadable)),
        (2, Copies::BackupOnly(Fault::Unreadable)),
        (BLOCKS - 1, Copies::PrimaryOnly(Fault::Unreadable)),
        (BLOCKS - 33, Copies::PrimaryOnly(Fault::Unreadable)),
    ] {
        let table = without(&[block]).unwrap().unwrap();
        assert_eq!((table.copies, &table.partitions), (copies, &whole.partitions));
    }
}

#[test]
fn two_copies_that_cannot_be_read_are_an_error_and_not_a_disk_without_a_table() {
    let (primary, backup) = (Fault::Unreadable, Fault::Unreadable);
    assert_eq!(without(&[1, BLOCKS - 1]), Err(Error::Damaged { primary, backup }));
}

#[test]
fn a_disk_of_no_blocks_has_no_table_and_is_not_read() {
    let shape = Shape {
        block_size: BlockSize::B512,
        blocks: 0,
    };
    assert_eq!(read(shape, |_, _| Err("was read")), Ok(None));
}

/// A copy whose checksums hold, and that is refused all the same.
fn fault(change: impl Fn(&mut GptHeader)) -> Fault {
    let mut made = Made::usual();
    forge(&mut made, 1, change);
    match intact(&made).copies {
        Copies::BackupOnly(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn entries_of_another_number_or_size_than_is_read_are_refused() {
    assert_eq!(
        fault(|it| it.number_of_partition_entries = U32Le::from_u32(1025)),
        Fault::Entries
    );
    assert_eq!(
        fault(|it| it.number_of_partition_entries = U32Le::from_u32(0)),
        Fault::Entries
    );
    assert_eq!(
        fault(|it| it.size_of_partition_entry = U32Le::from_u32(192)),
        Fault::Entries
    );
    assert_eq!(
        fault(|it| it.size_of_partition_entry = U32Le::from_u32(1024)),
        Fault::Entries
    );
    assert_eq!(
        fault(|it| it.partition_entry_lba = LbaLe(U64Le::from_u64(u64::MAX))),
        Fault::Entries
    );
}

#[test]
fn tables_over_each_other_or_over_partitions_are_refused() {
    let block = |number: u64| LbaLe(U64Le::from_u64(number));
    assert_eq!(fault(|it| it.partition_entry_lba = block(1)), Fault::Layout);
    assert_eq!(fault(|it| it.partition_entry_lba = block(100)), Fault::Layout);
    assert_eq!(fault(|it| it.first_usable_lba = block(33)), Fault::Layout);
    assert_eq!(fault(|it| it.last_usable_lba = block(BLOCKS - 1)), Fault::Layout);
    assert_eq!(fault(|it| it.alternate_lba = block(1)), Fault::Layout);
    assert_eq!(fault(|it| it.alternate_lba = block(BLOCKS)), Fault::Layout);
}

#[test]
fn a_header_of_another_revision_length_or_place_is_refused() {
    assert_eq!(fault(|it| it.header_size = U32Le::from_u32(96)), Fault::Header);
    assert_eq!(
        fault(|it| it.revision.0 = U32Le::from_u32(0x0002_0000)),
        Fault::Header
    );
    assert_eq!(
        fault(|it| it.my_lba = LbaLe(U64Le::from_u64(2))),
        Fault::HeaderChecksum
    );
}

#[test]
fn a_partition_outside_the_usable_blocks_spoils_its_copy() {
    let usable = |it: &mut GptHeader| it.first_usable_lba = LbaLe(U64Le::from_u64(150));
    assert_eq!(fault(usable), Fault::Partition(1));
}

proptest! {
    #[test]
    fn no_damaged_byte_makes_another_table(block in prop_oneof![0..34_u64, BLOCKS - 33..BLOCKS], at in 0..512_usize, bits in 1..=255_u8) {
        let mut made = Made::usual();
        made.block(block)[at] ^= bits;
        if let Some(table) = made.table().unwrap() {
            prop_assert_eq!(table.partitions, intact(&Made::usual()).partitions);
        }
    }

    #[test]
    fn a_forged_header_leads_nowhere_outside_the_disk(at in 10..23_usize, values in proptest::collection::vec(prop_oneof![0..BLOCKS + 2, any::<u64>()], 1..4)) {
        let mut made = Made::usual();
        for (step, value) in values.into_iter().enumerate() {
            let field = 4 * ((at + step * 5) % 23);
            made.block(1)[field..field + 8].copy_from_slice(&value.to_le_bytes());
        }
        forge(&mut made, 1, |_| {});
        // A read outside the disk would panic in the test's own disk.
        let table = intact(&made);
        prop_assert!(table.tables.iter().all(|range| range.last() < BLOCKS));
        prop_assert!(table.partitions.iter().all(|it| it.blocks.last() < BLOCKS));
    }
}
