//! Commands beside each other and one after the other: queues, pieces, and shadow buffers that are used up.

use super::Scene;
use super::layout::{self, SYSTEM, content, encrypted};
use super::requests::{read, write};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ahci::spec::{interrupt, port};
use sekisho_models::ata::spec::command;
use sekisho_models::guest::Window;
use sekisho_models::ram::UPPER;

#[test]
fn a_command_of_any_size_is_one_completion_however_many_pieces_it_takes() {
    for opcode in [command::WRITE_DMA_EXT, command::WRITE_FPDMA_QUEUED] {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        // A count of 0: 65,536 blocks, 32 MiB.
        let plain = content(u64::from(opcode), 65_536 * 512);
        let request = write(opcode, SYSTEM.first, &plain).in_regions(&regions(plain.len()));
        let done = driver.run(&mut scene, &request).unwrap();
        assert_eq!(done.count as usize, plain.len());
        assert!(
            scene.disk(0).platter.image(SYSTEM.first, 65_536)
                == encrypted(SYSTEM.first, &plain, BlockSize::B512)
        );
        let reads = if opcode == command::WRITE_DMA_EXT {
            command::READ_DMA_EXT
        } else {
            command::READ_FPDMA_QUEUED
        };
        let request = read(reads, SYSTEM.first, 65_536).in_regions(&regions(plain.len()));
        let back = driver.run(&mut scene, &request).unwrap();
        assert!(back.data == plain);
    }
}

/// So many bytes above 4 GiB, in regions of 4 MiB, the largest.
fn regions(bytes: usize) -> Vec<(u64, usize)> {
    const REGION: usize = 4 << 20;
    let starts = (0..bytes).step_by(REGION);
    starts
        .map(|start| (UPPER + start as u64, REGION.min(bytes - start)))
        .collect()
}

#[test]
fn a_piece_that_was_not_the_last_shows_in_no_completion_bit() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 8192 * 512);
    let request = write(command::WRITE_DMA_EXT, SYSTEM.first, &plain).in_regions(&regions(plain.len()));
    driver.issue(&mut scene, &request).unwrap();
    let mut looks = 0;
    while driver.read(&mut scene, port::CI) != 0 {
        let causes = driver.read(&mut scene, port::IS);
        let ended = driver.read(&mut scene, port::CI) == 0;
        assert!(ended || causes & interrupt::DHRS == 0, "after {looks} looks");
        scene.wait();
        looks += 1;
    }
    assert_eq!(
        driver.read(&mut scene, port::IS) & interrupt::DHRS,
        interrupt::DHRS
    );
    assert_eq!(
        scene.disk(0).platter.image(SYSTEM.first, 8192),
        encrypted(SYSTEM.first, &plain, BlockSize::B512)
    );
}

#[test]
fn thirty_two_queued_commands_end_in_any_order_each_with_its_own_data() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for slot in 0..32_u8 {
        let plain = content(slot.into(), (1 + usize::from(slot)) * 512);
        let request = write(
            command::WRITE_FPDMA_QUEUED,
            SYSTEM.first + 64 * u64::from(slot),
            &plain,
        );
        driver.issue(&mut scene, &request).unwrap();
    }
    assert_eq!(driver.drain(&mut scene).len(), 32);
    let mut expected = Vec::new();
    for slot in 0..32_u8 {
        let blocks = 1 + usize::from(slot);
        let used = driver.issue(
            &mut scene,
            &read(
                command::READ_FPDMA_QUEUED,
                SYSTEM.first + 64 * u64::from(slot),
                blocks,
            ),
        );
        expected.push((used.unwrap(), content(u64::from(slot), blocks * 512)));
    }
    for completion in driver.drain(&mut scene) {
        let (_, plain) = expected
            .iter()
            .find(|(slot, _)| *slot == completion.slot)
            .unwrap();
        assert_eq!(&completion.result.unwrap().data, plain);
    }
}

#[test]
fn more_than_the_shadow_buffers_hold_waits_and_ends() {
    let disk = |serial| Some(layout::disk(serial, BlockSize::B512));
    let mut scene = Scene::of(vec![disk("ONE"), disk("TWO")], 1);
    let (mut first, mut second) = (scene.driver(0), scene.driver(1));
    for _ in 0..16 {
        for driver in [&mut first, &mut second] {
            // A MiB each, in a pool of four.
            let request = read(command::READ_FPDMA_QUEUED, SYSTEM.first, 2048);
            driver.issue(&mut scene, &request).unwrap();
        }
    }
    let (mut done, mut rounds) = (0, 0);
    while done < 32 {
        scene.wait();
        done += first.interrupt(&mut scene).len() + second.interrupt(&mut scene).len();
        rounds += 1;
        assert!(rounds < 10_000, "{done} done");
    }
}

#[test]
fn the_end_of_a_command_shows_while_the_next_one_runs_alone() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for block in [SYSTEM.first, SYSTEM.first + 8] {
        let request = write(command::WRITE_DMA_EXT, block, &content(1, 4096));
        driver.issue(&mut scene, &request).unwrap();
    }
    while driver.read(&mut scene, port::CI) == 0b11 {
        scene.wait();
    }
    assert_eq!(driver.read(&mut scene, port::CI), 0b10);
    let causes = driver.read(&mut scene, port::IS);
    assert_ne!(causes & interrupt::DHRS, 0, "the first one's");
    driver.write(&mut scene, port::IS, causes);
    assert_eq!(driver.read(&mut scene, port::IS) & interrupt::DHRS, 0);
    assert_eq!(driver.drain(&mut scene).len(), 2);
}

#[test]
fn a_queued_command_that_runs_has_left_pxci_and_stays_in_pxsact() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let request = read(command::READ_FPDMA_QUEUED, SYSTEM.first, 8);
    let slot = driver.issue(&mut scene, &request).unwrap();
    assert_eq!(driver.read(&mut scene, port::CI), 0);
    assert_eq!(driver.read(&mut scene, port::SACT), 1 << slot);
    driver.drain(&mut scene);
    assert_eq!(driver.read(&mut scene, port::SACT), 0);
}
