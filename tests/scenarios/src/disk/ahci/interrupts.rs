//! Completion by interrupt and by polling, and what lies in guest memory meanwhile: never ciphertext.

use super::Scene;
use crate::disk::layout::{SYSTEM, content, encrypted};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ahci::Line;
use sekisho_models::ahci::spec::{generic, ghc, interrupt, port};
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{AhciDriver, Request, Window};

fn prepared(plain: &[u8]) -> (Scene, AhciDriver) {
    let mut scene = Scene::new();
    let cipher = encrypted(SYSTEM.first, plain, BlockSize::B512);
    scene.disk_mut(0).platter.prepare(SYSTEM.first, &cipher);
    let driver = scene.driver(0);
    (scene, driver)
}

fn read_request() -> Request {
    Request::brings(
        TaskFile::queued(command::READ_FPDMA_QUEUED, 0, SYSTEM.first, 16),
        16 * 512,
    )
}

#[test]
fn a_driver_that_only_listens_to_interrupts_sees_every_completion() {
    let plain = content(1, 16 * 512);
    let (mut scene, mut driver) = prepared(&plain);
    driver.interrupt(&mut scene);
    for round in 0..50 {
        let before = scene.hba.edges();
        driver.issue(&mut scene, &read_request()).unwrap();
        scene.let_device_work();
        assert_eq!(scene.hba.line(), Line::High, "round {round}");
        assert_eq!(scene.hba.edges(), before + 1, "round {round}");
        let ended = driver.interrupt(&mut scene);
        assert_eq!(ended.len(), 1, "round {round}");
        assert_eq!(ended[0].result.as_ref().unwrap().data, plain);
        assert_eq!(scene.hba.line(), Line::Low, "round {round}");
    }
}

#[test]
fn a_command_of_many_pieces_ends_for_a_driver_that_only_listens_to_interrupts() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver.interrupt(&mut scene);
    let plain = content(7, 16_384 * 512);
    let task = TaskFile::long(command::WRITE_DMA_EXT, SYSTEM.first, 16_384);
    driver.issue(
        &mut scene,
        &Request::sends(task, &plain).in_regions(&[(0x400_0000, 4 << 20), (0x800_0000, 4 << 20)]),
    );
    let mut ended = Vec::new();
    for _ in 0..100 {
        scene.let_device_work();
        if scene.hba.line() == Line::High {
            ended.extend(driver.interrupt(&mut scene));
        }
    }
    assert_eq!(ended.len(), 1);
    let on_platter = scene.disk(0).platter.image(SYSTEM.first, 16_384);
    assert!(on_platter == encrypted(SYSTEM.first, &plain, BlockSize::B512));
}

#[test]
fn the_guests_memory_holds_what_was_there_or_plaintext_at_every_step() {
    let plain = content(2, 16 * 512);
    let (mut scene, mut driver) = prepared(&plain);
    let old = vec![0x11; plain.len()];
    scene.memory.ram().store(driver.data(0), &old);
    driver.issue(&mut scene, &read_request()).unwrap();
    while scene.hba.step() {
        assert_eq!(scene.memory.ram().bytes(driver.data(0), plain.len()), old);
    }
    let ended = driver.look(&mut scene);
    assert_eq!(ended[0].result.as_ref().unwrap().data, plain);
}

#[test]
fn firmware_that_polls_without_interrupts_is_served() {
    let plain = content(3, 16 * 512);
    let (mut scene, mut driver) = prepared(&plain);
    scene.write(generic::GHC, ghc::AE);
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first, 16), plain);
    assert_eq!(scene.hba.line(), Line::Low);
}

#[test]
fn a_driver_that_looks_for_the_received_fis_in_memory_finds_it() {
    const REGISTER_FIS: (usize, u8) = (0x40, 0x34);
    let plain = content(4, 512);
    let (mut scene, mut driver) = prepared(&plain);
    scene.write(generic::GHC, ghc::AE);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    let received = driver.received();
    assert_eq!(received[REGISTER_FIS.0], REGISTER_FIS.1);
    assert_eq!(received[REGISTER_FIS.0 + 2], 0x50, "status");
}

#[test]
fn a_block_that_came_by_pio_shows_in_no_bit_before_the_command_has_ended() {
    let plain = content(5, 16 * 512);
    let (mut scene, mut driver) = prepared(&plain);
    let task = TaskFile::short(command::READ_MULTIPLE, SYSTEM.first, 16);
    driver
        .issue(&mut scene, &Request::brings(task, plain.len()))
        .unwrap();
    while driver.read(&mut scene, port::CI) != 0 {
        let causes = driver.read(&mut scene, port::IS);
        let has_ended = driver.read(&mut scene, port::CI) == 0;
        assert!(has_ended || causes & interrupt::PSS == 0);
        scene.wait();
    }
    assert_eq!(driver.read(&mut scene, port::IS) & interrupt::PSS, interrupt::PSS);
    assert_eq!(scene.memory.ram().bytes(driver.data(0), plain.len()), plain);
}
