//! Commands that overlap each other, their own list or nothing at all, and content that changes under way.

use super::Scene;
use crate::disk::layout::{SYSTEM, content};
use sekisho_models::ahci::spec::{TABLE_REGIONS, port};
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{AhciDriver, Request, Window};
use sekisho_models::memory::BUFFERS;

fn write_task() -> TaskFile {
    TaskFile::long(command::WRITE_DMA_EXT, SYSTEM.first, 8)
}

/// Runs one write of `plain` to the volume, whatever becomes of it.
fn attempt(scene: &mut Scene, driver: &mut AhciDriver, plain: &[u8]) {
    let _any = driver.run(scene, &Request::sends(write_task(), plain));
}

/// Nothing but ciphertext of the volume was ever given to the disk.
fn assert_never_plain(scene: &Scene, plain: &[u8]) {
    for sector in plain.chunks(512) {
        assert!(!scene.disk(0).platter.ever_held(sector));
    }
}

#[test]
fn headers_regions_and_data_that_change_under_way_show_no_plaintext() {
    let plain = content(2, 4096);
    let into_us: Vec<u8> = [BUFFERS.to_le_bytes(), (4095_u64 << 32).to_le_bytes()].concat();
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let edits = [
        (driver.header(0), vec![0xff; 32]),
        (driver.table(0) + TABLE_REGIONS, into_us),
        (driver.table(0), vec![0xff; 64]),
        (driver.data(0), content(3, 4096)),
    ];
    for (address, bytes) in edits {
        scene.memory.ram().edit_behind_the_next_read(address, &bytes);
        attempt(&mut scene, &mut driver, &plain);
        let _any = driver.give_up(&mut scene);
        let _any = driver.identify(&mut scene);
    }
    assert_never_plain(&scene, &plain);
    assert_never_plain(&scene, &content(3, 4096));
}

#[test]
fn commands_that_overlap_each_other_and_their_own_list_show_no_plaintext() {
    let plain = content(5, 4096);
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let (header, table) = (driver.header(0), driver.table(0));
    for address in [header, table, table + TABLE_REGIONS, driver.data(0) + 2] {
        let read = TaskFile::queued(command::READ_FPDMA_QUEUED, 0, SYSTEM.first, 8);
        let write = TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, SYSTEM.first + 4, 8);
        let over = Request::brings(read, 4096).in_regions(&[(address, 2048), (address + 1024, 2048)]);
        driver.issue(&mut scene, &over);
        driver.issue(&mut scene, &Request::sends(write, &plain));
        driver.drain(&mut scene);
        let _any = driver.give_up(&mut scene);
        let _any = driver.identify(&mut scene);
    }
    assert_never_plain(&scene, &plain);
}

#[test]
fn doorbells_for_every_slot_without_a_command_do_nothing() {
    let mut scene = Scene::new();
    let driver = scene.driver(0);
    scene.memory.ram().store(super::BASE, &[0; 1024]);
    let before = scene.disk(0).commands().len();
    for value in [u32::MAX, 1, 1 << 31] {
        driver.write(&mut scene, port::SACT, value);
        driver.write(&mut scene, port::CI, value);
        scene.wait();
    }
    assert!(scene.was_spared_since(before));
}
