//! Bad blocks, slow disks, and resets at any moment: nobody's data is lost or mixed up on the way.

use super::Scene;
use crate::disk::layout::{self, SYSTEM, content, encrypted};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ahci::spec::{generic, ghc};
use sekisho_models::ata::spec::{command, error};
use sekisho_models::ata::{Fault, TaskFile};
use sekisho_models::guest::{AhciDriver, Completion, Failure, Request, Window};

/// The number of the next command that the disk will see.
fn next_command(scene: &Scene) -> u64 {
    scene.disk(0).commands().len() as u64 + 1
}

fn issue_queue(scene: &mut Scene, driver: &mut AhciDriver) {
    for index in 0..16 {
        let task = TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, SYSTEM.first + 64 * index, 64);
        let request = Request::sends(task, &content(index, 64 * 512));
        driver.issue(scene, &request).unwrap();
    }
}

#[test]
fn a_bad_block_is_told_with_the_error_of_the_disk() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    scene.disk_mut(0).platter.spoil(SYSTEM.first + 3);
    let result = scene.try_read_blocks(&mut driver, SYSTEM.first, 8);
    assert!(
        matches!(
            result,
            Err(Failure::Device {
                error: error::UNC,
                ..
            })
        ),
        "{result:?}"
    );
    let plain = content(1, 512);
    scene.write_blocks(&mut driver, SYSTEM.first + 3, &plain).unwrap();
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first + 3, 1), plain);
}

#[test]
fn a_bad_block_in_a_later_piece_fails_the_whole_command() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    scene.disk_mut(0).platter.spoil(SYSTEM.first + 60_000);
    let task = TaskFile::long(command::READ_DMA_EXT, SYSTEM.first, 0);
    let regions: Vec<(u64, usize)> = (0..8)
        .map(|index| (0x800_0000 + (index << 22), 1 << 22))
        .collect();
    let request = Request::brings(task, 65_536 * 512).in_regions(&regions);
    let result = driver.run(&mut scene, &request);
    assert!(
        matches!(
            result,
            Err(Failure::Device {
                error: error::UNC,
                ..
            })
        ),
        "{result:?}"
    );
    assert!(driver.identify(&mut scene).is_ok());
}

#[test]
fn a_bad_block_in_a_queue_is_told_by_its_address_and_the_others_come_again() {
    for seed in 0..8 {
        let mut scene = Scene::of(vec![Some(layout::disk("SYSTEM", BlockSize::B512))], seed);
        let mut driver = scene.driver(0);
        let place = |slot: u8| SYSTEM.first + 50 * u64::from(slot);
        let plain = |slot: u8| content(slot.into(), 24 * 512);
        for slot in 0..8 {
            let cipher = encrypted(place(slot), &plain(slot), BlockSize::B512);
            scene.disk_mut(0).platter.prepare(place(slot), &cipher);
            let task = TaskFile::queued(command::READ_FPDMA_QUEUED, 0, place(slot), 24);
            driver
                .issue(&mut scene, &Request::brings(task, 24 * 512))
                .unwrap();
        }
        scene.disk_mut(0).platter.spoil(place(3) + 5);
        let ended = driver.drain(&mut scene);
        assert_eq!(ended.len(), 8);
        for Completion { slot, result } in ended {
            match result {
                Ok(transferred) => assert_eq!(transferred.data, plain(slot), "seed {seed}"),
                Err(Failure::Device { error, lba, .. }) => {
                    assert_eq!((slot, error, lba), (3, error::UNC, place(3) + 5), "seed {seed}");
                }
                Err(failure) => assert_eq!((slot != 3, failure), (true, Failure::Again), "seed {seed}"),
            }
        }
    }
}

#[test]
fn a_slow_command_is_waited_for() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let command = next_command(&scene);
    scene.disk_mut(0).inject(Fault::Slow { command, steps: 5000 });
    let plain = content(4, 1024);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    assert_eq!(
        scene.disk(0).platter.image(SYSTEM.first, 2),
        encrypted(SYSTEM.first, &plain, BlockSize::B512)
    );
}

#[test]
fn a_reset_of_the_link_at_any_moment_leaves_everything_to_be_issued_again() {
    for moment in 0..60 {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        issue_queue(&mut scene, &mut driver);
        for _ in 0..moment {
            scene.wait();
        }
        driver.look(&mut scene);
        driver.give_up(&mut scene).unwrap();
        driver.identify(&mut scene).unwrap();
        issue_queue(&mut scene, &mut driver);
        let ended = driver.drain(&mut scene);
        assert!(
            ended.iter().all(|completion| completion.result.is_ok()),
            "moment {moment}"
        );
        for index in 0..16 {
            let back = scene.read_blocks(&mut driver, SYSTEM.first + 64 * index, 64);
            assert_eq!(back, content(index, 64 * 512), "moment {moment}");
        }
    }
}

#[test]
fn a_reset_of_the_controller_at_any_moment_starts_afresh() {
    for moment in 0..60 {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        issue_queue(&mut scene, &mut driver);
        for _ in 0..moment {
            scene.wait();
        }
        scene.write(generic::GHC, ghc::AE | ghc::HR);
        scene.wait();
        assert_eq!(scene.read(generic::GHC) & ghc::HR, 0);
        let mut driver = scene.driver(0);
        let plain = content(5, 64 * 512);
        scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
        assert_eq!(
            scene.read_blocks(&mut driver, SYSTEM.first, 64),
            plain,
            "moment {moment}"
        );
    }
}
