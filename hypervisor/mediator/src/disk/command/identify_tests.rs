//! IDENTIFY data: read, and with what is refused hidden.

use super::samples::{EMULATED_DISK, EMULATED_OPTICAL, SOLID_STATE, page};
use super::words::{PAGE_BYTES, seal, set, sum, word};
use super::{Identity, Kind, Known, Unfit, amend_identify, amend_identify_packet};
use alloc::vec::Vec;
use proptest::prelude::*;

fn known(words: &[(usize, &[u16])]) -> Known {
    Identity::of_disk(&page(words)).unwrap().known()
}

/// Words that differ: index, before, after.
fn differences(before: &[u8; PAGE_BYTES], after: &[u8; PAGE_BYTES]) -> Vec<(usize, u16, u16)> {
    (0..PAGE_BYTES / 2)
        .map(|index| (index, word(before, index), word(after, index)))
        .filter(|(_, before, after)| before != after)
        .collect()
}

#[test]
fn an_emulated_disk_is_what_it_says() {
    let identity = Identity::of_disk(&page(EMULATED_DISK)).unwrap();
    assert_eq!(identity.serial(), b"QM00001");
    assert_eq!(identity.model(), b"QEMU HARDDISK");
    let expected = Known {
        kind: Kind::Disk,
        block_bytes: 512,
        blocks: 64 << 20 >> 9,
        lba48: true,
        queue_depth: 0,
        multiple: 16,
        discard: false,
    };
    assert_eq!(identity.known(), expected);
}

#[test]
fn a_solid_state_disk_is_what_it_says() {
    let identity = Identity::of_disk(&page(SOLID_STATE)).unwrap();
    assert_eq!(identity.serial(), b"SEKISHO-TEST-0001");
    assert_eq!(identity.model(), b"Samsung SSD 850 EVO 1TB");
    let expected = Known {
        kind: Kind::Disk,
        block_bytes: 512,
        blocks: 1_953_525_168,
        lba48: true,
        queue_depth: 32,
        multiple: 1,
        discard: false,
    };
    assert_eq!(identity.known(), expected);
}

#[test]
fn an_optical_drive_takes_packets() {
    let identity = Identity::of_packet_device(&page(EMULATED_OPTICAL)).unwrap();
    assert_eq!(identity.model(), b"QEMU DVD-ROM");
    assert_eq!(identity.known().kind, Kind::Packet);
    assert_eq!(
        Identity::of_disk(&page(EMULATED_OPTICAL)),
        Err(Unfit::Incomplete),
        "word 0 is not a disk's"
    );
}

#[test]
fn blocks_of_4096_bytes_are_known_and_others_refused() {
    let with = |words: u16| {
        let mut page = page(EMULATED_DISK);
        set(&mut page, 106, 0x5000);
        set(&mut page, 117, words);
        Identity::of_disk(&page).map(|identity| identity.known().block_bytes)
    };
    assert_eq!(with(2048), Ok(4096));
    assert_eq!(with(256), Ok(512));
    assert_eq!(with(260), Err(Unfit::BlockSize(520)));
    assert_eq!(with(0), Err(Unfit::BlockSize(0)));
}

#[test]
fn the_number_of_blocks_is_where_the_words_say() {
    let mut page = page(EMULATED_DISK);
    set(&mut page, 232, 1);
    set(&mut page, 69, 1 << 3);
    let blocks = |page: &[u8; PAGE_BYTES]| Identity::of_disk(page).unwrap().known().blocks;
    assert_eq!(blocks(&page), 1 << 32, "words 230 to 233");
    set(&mut page, 69, 0);
    set(&mut page, 102, 1);
    assert_eq!(blocks(&page), 1 << 32 | 0x2_0000, "words 100 to 103");
    set(&mut page, 83, 0x7000);
    set(&mut page, 60, 0x1234);
    assert_eq!(blocks(&page), 0x2_1234, "words 60 and 61");
}

#[test]
fn damaged_incomplete_and_impossible_data_is_refused() {
    let mut damaged = page(SOLID_STATE);
    damaged[20] ^= 1;
    assert_eq!(Identity::of_disk(&damaged), Err(Unfit::Damaged));
    let mut incomplete = page(EMULATED_DISK);
    set(&mut incomplete, 0, 0x0044);
    assert_eq!(Identity::of_disk(&incomplete), Err(Unfit::Incomplete));
    assert_eq!(Identity::of_disk(&[0; PAGE_BYTES]), Err(Unfit::NoBlocks));
    let mut empty = page(EMULATED_DISK);
    set(&mut empty, 101, 0);
    assert_eq!(Identity::of_disk(&empty), Err(Unfit::NoBlocks));
}

#[test]
fn an_emulated_disk_loses_trim_and_nothing_else() {
    let before = page(EMULATED_DISK);
    let mut after = before;
    amend_identify(&mut after, &known(EMULATED_DISK));
    assert_eq!(
        differences(&before, &after),
        [(69, 0x4000, 0), (169, 1, 0)],
        "deterministic reads after TRIM, TRIM"
    );
}

#[test]
fn a_solid_state_disk_loses_what_is_refused_and_keeps_the_rest() {
    let before = page(SOLID_STATE);
    let mut after = before;
    amend_identify(&mut after, &known(SOLID_STATE));
    let expected = [
        (48, 0x4001, 0x4000),  // trusted computing
        (69, 0x0f10, 0x0010),  // buffers and microcode by DMA; it still encrypts on its own
        (77, 0x00c4, 0x0084),  // SEND and RECEIVE FPDMA
        (78, 0x016c, 0x014c),  // hardware feature control
        (79, 0x0060, 0x0040),  // the same
        (82, 0x746b, 0x4069),  // passwords, host protected area, buffers
        (83, 0x7d01, 0x7400),  // microcode, SET MAX passwords, overlay
        (85, 0x7469, 0x4069),  // host protected area, buffers
        (86, 0xbc01, 0xb400),  // microcode, overlay
        (89, 0x0001, 0),       // minutes to erase
        (90, 0x0004, 0),       // the same, enhanced
        (92, 0xfffe, 0),       // master password
        (105, 0x0008, 0),      // TRIM
        (119, 0x401e, 0x4008), // write-read-verify, WRITE UNCORRECTABLE, microcode
        (120, 0x401c, 0x4008), // the same
        (128, 0x0021, 0),      // passwords
        (169, 0x0001, 0),      // TRIM
        (206, 0x003d, 0),      // SCT
        (235, 0x0800, 0),      // microcode
        (255, word(&before, 255), word(&after, 255)),
    ];
    assert_eq!(differences(&before, &after), expected);
    assert_eq!(sum(&after), 0, "the checksum is right");
}

#[test]
fn a_disk_with_discard_keeps_trim_without_its_promises() {
    let mut words = page(SOLID_STATE);
    set(&mut words, 69, 0x4f30);
    set(&mut words, 105, 1000);
    set(&mut words, 169, 3);
    seal(&mut words);
    let disk = Known {
        discard: true,
        ..known(SOLID_STATE)
    };
    amend_identify(&mut words, &disk);
    assert_eq!(word(&words, 169), 1, "TRIM, and not what else bit 1 is");
    assert_eq!(
        word(&words, 105),
        128,
        "blocks of ranges that a mediator holds at once"
    );
    assert_eq!(
        word(&words, 69),
        0x0010,
        "neither zeros nor any other certain content"
    );
    assert_eq!(sum(&words), 0);
}

#[test]
fn a_page_without_a_checksum_gets_none() {
    let mut page = page(EMULATED_DISK);
    amend_identify(&mut page, &known(EMULATED_DISK));
    assert_eq!(word(&page, 255), 0);
}

#[test]
fn double_word_transfers_of_old_disks_are_no_trusted_computing() {
    let mut page = page(EMULATED_DISK);
    amend_identify(&mut page, &known(EMULATED_DISK));
    assert_eq!(word(&page, 48), 1, "bits 15:14 are not 01b");
}

#[test]
fn an_optical_drive_loses_overlap_and_keeps_the_rest() {
    let before = page(EMULATED_OPTICAL);
    let mut after = before;
    amend_identify_packet(&mut after);
    assert_eq!(differences(&before, &after), []);
    set(&mut after, 49, 0xef00);
    set(&mut after, 82, 0xffff);
    amend_identify_packet(&mut after);
    assert_eq!(word(&after, 49), 0x0f00);
    assert_eq!(word(&after, 82), 0xca79);
}

proptest! {
    #[test]
    fn bits_are_only_cleared_and_the_checksum_stays_right(bytes in prop::collection::vec(any::<u8>(), PAGE_BYTES)) {
        let before: [u8; PAGE_BYTES] = bytes.try_into().unwrap();
        let mut after = before;
        amend_identify(&mut after, &known(SOLID_STATE));
        for (index, before, after) in differences(&before, &after) {
            prop_assert!(index == 255 || after & !before == 0, "word {index}: {before:#x} to {after:#x}");
        }
        prop_assert!(before[510] != 0xa5 || sum(&after) == 0);
        let once = after;
        amend_identify(&mut after, &known(SOLID_STATE));
        prop_assert_eq!(after, once);
    }

    #[test]
    fn no_identify_data_is_believed_beyond_what_is_possible(bytes in prop::collection::vec(any::<u8>(), PAGE_BYTES)) {
        let mut page: [u8; PAGE_BYTES] = bytes.try_into().unwrap();
        page[0] = 0x40;
        page[1] = 0;
        page[99] |= 2;
        seal(&mut page);
        if let Ok(identity) = Identity::of_disk(&page) {
            let known = identity.known();
            prop_assert!((1..=1 << 48).contains(&known.blocks));
            prop_assert!(matches!(known.block_bytes, 512 | 4096));
            prop_assert!(known.queue_depth <= 32);
            prop_assert!(identity.serial().len() <= 20 && identity.model().len() <= 40);
        }
    }
}
