//! What the guest writes it reads again, and on the platter lies what dm-crypt would have written.

use super::{Scene, is_refused};
use crate::disk::layout::{self, APPLIANCE, CLEAR, DATA, SYSTEM, TABLES, UNNAMED, content, encrypted};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Platter, TaskFile};
use sekisho_models::guest::Request;

#[test]
fn a_volume_is_ciphertext_on_the_platter_and_plaintext_for_the_guest_by_every_command() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let (lba, blocks) = (SYSTEM.first + 5, 9);
    let pairs = [
        (
            TaskFile::short(command::WRITE_SECTORS, lba, 9),
            TaskFile::short(command::READ_SECTORS, lba, 9),
        ),
        (
            TaskFile::long(command::WRITE_SECTORS_EXT, lba, 9),
            TaskFile::long(command::READ_SECTORS_EXT, lba, 9),
        ),
        (
            TaskFile::short(command::WRITE_MULTIPLE, lba, 9),
            TaskFile::short(command::READ_MULTIPLE, lba, 9),
        ),
        (
            TaskFile::long(command::WRITE_MULTIPLE_EXT, lba, 9),
            TaskFile::long(command::READ_MULTIPLE_EXT, lba, 9),
        ),
        (
            TaskFile::long(command::WRITE_MULTIPLE_FUA_EXT, lba, 9),
            TaskFile::long(command::READ_DMA_EXT, lba, 9),
        ),
        (
            TaskFile::short(command::WRITE_DMA, lba, 9),
            TaskFile::short(command::READ_DMA, lba, 9),
        ),
        (
            TaskFile::long(command::WRITE_DMA_EXT, lba, 9),
            TaskFile::long(command::READ_DMA_EXT, lba, 9),
        ),
        (
            TaskFile::long(command::WRITE_DMA_FUA_EXT, lba, 9),
            TaskFile::long(command::READ_DMA_EXT, lba, 9),
        ),
        (
            TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, lba, 9),
            TaskFile::queued(command::READ_FPDMA_QUEUED, 0, lba, 9),
        ),
    ];
    for (seed, (write, read)) in (1..).zip(pairs) {
        let plain = content(seed, blocks * 512);
        driver.run(&mut scene, &Request::sends(write, &plain)).unwrap();
        let on_platter = scene.disk(0).platter.image(lba, blocks as u64);
        assert_eq!(on_platter, encrypted(lba, &plain, BlockSize::B512), "{write:x?}");
        let back = driver
            .run(&mut scene, &Request::brings(read, plain.len()))
            .unwrap();
        assert_eq!(back.data, plain, "{read:x?}");
    }
}

#[test]
fn blocks_of_4096_bytes_count_their_tweak_in_units_of_512() {
    let mut scene = Scene::of(vec![Some(layout::disk("LARGE", BlockSize::B4096))], 1);
    let mut driver = scene.driver(0);
    let plain = content(1, 3 * 4096);
    scene.write_blocks(&mut driver, DATA.first + 7, &plain).unwrap();
    let on_platter = scene.disk(0).platter.image(DATA.first + 7, 3);
    assert_eq!(on_platter, encrypted(DATA.first + 7, &plain, BlockSize::B4096));
    assert_eq!(scene.read_blocks(&mut driver, DATA.first + 7, 3), plain);
}

#[test]
fn clear_blocks_are_on_the_platter_as_they_are() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(2, 4 * 512);
    scene.write_blocks(&mut driver, CLEAR.first, &plain).unwrap();
    assert_eq!(scene.disk(0).platter.image(CLEAR.first, 4), plain);
}

#[test]
fn a_write_to_blocks_that_are_not_the_guests_fails_whole() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let starts = [
        TABLES.first,
        TABLES.last,
        CLEAR.first - 1,
        CLEAR.last,
        APPLIANCE.first,
        SYSTEM.first - 1,
        DATA.last,
        UNNAMED.first,
    ];
    for lba in starts {
        assert!(
            is_refused(&scene.write_blocks(&mut driver, lba, &content(lba, 1024))),
            "{lba}"
        );
    }
    assert_eq!(scene.disk(0).platter.written(), []);
}

#[test]
fn a_write_over_the_border_of_two_volumes_has_each_ones_key() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(3, 8 * 512);
    let (first, second) = plain.split_at(4 * 512);
    scene.write_blocks(&mut driver, SYSTEM.last - 3, &plain).unwrap();
    let expected = [
        encrypted(SYSTEM.last - 3, first, BlockSize::B512),
        encrypted(DATA.first, second, BlockSize::B512),
    ];
    assert_eq!(scene.disk(0).platter.image(SYSTEM.last - 3, 8), expected.concat());
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.last - 3, 8), plain);
}

#[test]
fn a_read_over_borders_shows_what_is_the_guests_and_zeros() {
    let mut scene = Scene::new();
    let secret = content(4, 512 * 300);
    let platter: &mut Platter = &mut scene.disk_mut(0).platter;
    platter.prepare(0, &secret);
    let mut driver = scene.driver(0);
    let seen = scene.read_blocks(&mut driver, 0, 300);
    let block = |lba: u64| &seen[usize::try_from(lba).unwrap() * 512..][..512];
    let truth = |lba: u64| &secret[usize::try_from(lba).unwrap() * 512..][..512];
    for lba in 0..300 {
        let is_shown = lba <= TABLES.last || (CLEAR.first..=CLEAR.last).contains(&lba);
        let expected = if is_shown { truth(lba) } else { &[0; 512] };
        assert_eq!(block(lba), expected, "block {lba}");
    }
}

#[test]
fn regions_of_any_size_and_place_hold_a_transfer() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(6, 16 * 512);
    // Two bytes at a time, over page borders, in both banks; the last region is longer than what is left.
    let mut regions: Vec<(u64, usize)> = (0..200).map(|index| (0x0200_0ffe + 0x1002 * index, 2)).collect();
    regions.push((sekisho_models::ram::UPPER + 0xffe, 514));
    regions.push((0x0300_0002, 16 * 512));
    let task = |command| TaskFile::long(command, SYSTEM.first, 16);
    let sends = Request::sends(task(command::WRITE_DMA_EXT), &plain).in_regions(&regions);
    driver.run(&mut scene, &sends).unwrap();
    let on_platter = scene.disk(0).platter.image(SYSTEM.first, 16);
    assert_eq!(on_platter, encrypted(SYSTEM.first, &plain, BlockSize::B512));
    let brings = Request::brings(task(command::READ_DMA_EXT), plain.len()).in_regions(&regions);
    let back = driver.run(&mut scene, &brings).unwrap().data;
    assert_eq!(back[..plain.len()], plain);
}

/// Pieces are of some number of whole chunks of 64 KiB.
#[test]
fn a_last_piece_of_one_block_is_not_forgotten() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for chunks in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] {
        let blocks: u16 = 128 * chunks + 1;
        let plain = content(blocks.into(), usize::from(blocks) * 512);
        let regions = [(0x400_0000, 4 << 20), (0x800_0000, 512)];
        let task = |command| TaskFile::long(command, SYSTEM.first, blocks);
        let sends = Request::sends(task(command::WRITE_DMA_EXT), &plain).in_regions(&regions);
        driver.run(&mut scene, &sends).unwrap();
        let last = SYSTEM.first + u64::from(blocks) - 1;
        let expected = encrypted(last, &plain[plain.len() - 512..], BlockSize::B512);
        assert!(
            scene.disk(0).platter.image(last, 1) == expected,
            "{blocks} blocks"
        );
        let brings = Request::brings(task(command::READ_DMA_EXT), plain.len()).in_regions(&regions);
        let back = driver.run(&mut scene, &brings).unwrap().data;
        assert!(back[..plain.len()] == plain, "{blocks} blocks");
    }
}
