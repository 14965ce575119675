//! Disks that go, come and are exchanged.

use super::layout::{self, CLEAR, SYSTEM, content};
use super::requests::{read, write};
use super::{BASE, Scene};
use sekisho_abi::disk::BlockSize;
use sekisho_mediator::seam::Registers;
use sekisho_models::ahci::spec::{PORTS, port, serr};
use sekisho_models::ata::Fault;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{AhciDriver, Failure, Window};

#[test]
fn after_a_reset_of_the_link_the_same_disk_goes_on_without_the_guest_asking_who_it_is() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(5, 8 * 512);
    driver
        .run(
            &mut scene,
            &write(command::WRITE_FPDMA_QUEUED, SYSTEM.first, &plain),
        )
        .unwrap();
    driver.reset_link(&mut scene).unwrap();
    for reads in [
        command::READ_FPDMA_QUEUED,
        command::READ_DMA_EXT,
        command::READ_SECTORS,
    ] {
        let back = driver.run(&mut scene, &read(reads, SYSTEM.first, 8)).unwrap();
        assert_eq!(back.data, plain);
    }
}

#[test]
fn a_disk_that_is_another_one_after_a_reset_gets_no_content() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    scene
        .hba
        .disk_mut(0)
        .unwrap()
        .inject(Fault::OtherSerialAfterReset("MODEL-2".to_owned()));
    driver.reset_link(&mut scene).unwrap();
    driver.identify(&mut scene).unwrap();
    for block in [CLEAR.first, SYSTEM.first] {
        for opcode in [command::WRITE_DMA_EXT, command::WRITE_FPDMA_QUEUED] {
            let result = driver.run(&mut scene, &write(opcode, block, &content(5, 4096)));
            assert!(result.is_err());
        }
        let result = driver.run(&mut scene, &read(command::READ_DMA_EXT, block, 8));
        assert!(result.is_err_and(|failure| failure != Failure::TimedOut));
    }
    assert_eq!(scene.disk(0).platter.written(), []);
}

#[test]
fn a_disk_plugged_in_the_place_of_another_gets_nothing_that_was_meant_for_that() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for index in 0..8 {
        driver
            .issue(
                &mut scene,
                &write(
                    command::WRITE_FPDMA_QUEUED,
                    SYSTEM.first + 4096 * index,
                    &content(1, 2097152),
                ),
            )
            .unwrap();
    }
    for _ in 0..4 {
        scene.hba.step();
    }
    scene.hba.plug(0, Some(layout::disk("MODEL-2", BlockSize::B512)));
    for _ in 0..50 {
        driver.look(&mut scene);
        scene.wait();
    }
    driver.give_up(&mut scene).unwrap();
    let result = driver.run(
        &mut scene,
        &write(command::WRITE_FPDMA_QUEUED, CLEAR.first, &content(1, 4096)),
    );
    assert!(result.is_err());
    assert_eq!(scene.disk(0).platter.written(), []);
}

#[test]
fn a_disk_plugged_into_an_empty_port_reads_as_zeros_and_takes_no_writes() {
    let mut scene = Scene::of(vec![Some(layout::disk("MODEL-1", BlockSize::B512)), None], 1);
    let mut stranger = layout::disk("MODEL-3", BlockSize::B512);
    stranger
        .disk_mut()
        .unwrap()
        .platter
        .prepare(SYSTEM.first, &content(8, 4096));
    scene.hba.plug(1, Some(stranger));
    let memory = scene.memory.clone();
    let mut driver = AhciDriver::start(&mut scene, &memory, 1, BASE).unwrap();
    let back = driver
        .run(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 8))
        .unwrap();
    assert_eq!(back.data, vec![0; 4096]);
    let result = driver.run(
        &mut scene,
        &write(command::WRITE_DMA_EXT, SYSTEM.first, &content(5, 4096)),
    );
    assert!(result.is_err());
    assert_eq!(scene.hba.disk(1).unwrap().platter.written(), []);
}

#[test]
fn a_disk_that_is_pulled_out_takes_its_commands_with_it() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver
        .issue(&mut scene, &read(command::READ_FPDMA_QUEUED, SYSTEM.first, 8))
        .unwrap();
    scene.hba.plug(0, None);
    scene.let_device_work();
    let ended = driver.look(&mut scene);
    assert!(
        ended
            .iter()
            .all(|completion| completion.result == Err(Failure::Gone))
    );
    assert_eq!(ended.len(), 1);
}

#[test]
fn a_disk_that_was_pulled_out_works_again_when_it_has_said_who_it_is() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(3, 1024);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    let same = scene.hba.drive(0).cloned();
    for drive in [None, same] {
        scene.hba.plug(0, drive);
        scene.let_device_work();
        driver.look(&mut scene);
        // There is nobody to answer the first time.
        let _any = driver.give_up(&mut scene);
    }
    driver.identify(&mut scene).unwrap();
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first, 2), plain);
}

#[test]
fn a_new_disk_is_not_listened_to_while_commands_for_the_old_one_are_out() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let request = write(command::WRITE_FPDMA_QUEUED, SYSTEM.first, &content(1, 4096));
    driver.issue(&mut scene, &request).unwrap();
    scene.hba.plug(0, Some(layout::disk("ANOTHER", BlockSize::B512)));
    while scene.hba.read(PORTS + port::SERR) & serr::X == 0 {
        scene.hba.step();
    }
    driver.write(&mut scene, port::SERR, serr::X);
    assert_ne!(driver.read(&mut scene, port::SERR) & serr::X, 0);
    driver.stop(&mut scene).unwrap();
    driver.write(&mut scene, port::SERR, serr::X);
    assert_eq!(driver.read(&mut scene, port::SERR) & serr::X, 0);
    assert_eq!(scene.disk(0).platter.written(), []);
}
