//! What devices do wrong, and what the guest's driver makes of it.

use super::Scene;
use super::layout::{SYSTEM, content};
use super::requests::{read, write};
use sekisho_models::ahci::spec::{generic, ghc, header, port};
use sekisho_models::ata::Fault;
use sekisho_models::ata::spec::{command, error};
use sekisho_models::guest::{Failure, Window};
use sekisho_models::ram::UPPER;

fn inject(scene: &mut Scene, fault: Fault) {
    scene.hba.disk_mut(0).unwrap().inject(fault);
}

/// The number of the next command that the disk sees.
fn next(scene: &Scene) -> u64 {
    scene.disk(0).commands().len() as u64 + 1
}

#[test]
fn an_error_of_a_command_is_the_guests_with_the_devices_registers() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let command = next(&scene);
    inject(&mut scene, Fault::Abort { command });
    let result = driver.run(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 8));
    assert!(matches!(
        result,
        Err(Failure::Device {
            error: error::ABRT,
            ..
        })
    ));
    assert!(
        driver
            .run(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 8))
            .is_ok()
    );
}

#[test]
fn an_error_in_any_piece_is_the_error_of_the_command() {
    for opcode in [command::READ_DMA_EXT, command::READ_FPDMA_QUEUED] {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        let command = next(&scene) + 2;
        inject(&mut scene, Fault::Abort { command });
        let request =
            read(opcode, SYSTEM.first, 16_384).in_regions(&[(UPPER, 4 << 20), (UPPER + (4 << 20), 4 << 20)]);
        let result = driver.run(&mut scene, &request);
        assert!(
            matches!(result, Err(Failure::Device { .. })),
            "{opcode:#x}: {result:?}"
        );
        assert!(driver.run(&mut scene, &read(opcode, SYSTEM.first, 8)).is_ok());
    }
}

#[test]
fn an_error_of_a_queued_command_ends_the_queue_as_on_the_bare_controller() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let command = next(&scene) + 4;
    inject(&mut scene, Fault::Abort { command });
    for index in 0..8 {
        driver
            .issue(
                &mut scene,
                &read(command::READ_FPDMA_QUEUED, SYSTEM.first + index, 1),
            )
            .unwrap();
    }
    let ended = driver.drain(&mut scene);
    let failed = ended
        .iter()
        .filter(|completion| matches!(completion.result, Err(Failure::Device { .. })));
    assert_eq!(failed.count(), 1);
    assert_eq!(ended.len(), 8);
    assert!(
        driver
            .run(&mut scene, &read(command::READ_FPDMA_QUEUED, SYSTEM.first, 8))
            .is_ok()
    );
}

#[test]
fn a_disk_that_does_not_answer_is_reset_and_its_buffers_are_not_used_before() {
    for opcode in [command::READ_DMA_EXT, command::WRITE_FPDMA_QUEUED] {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        let command = next(&scene);
        inject(&mut scene, Fault::Silent { command });
        let request = match opcode {
            command::READ_DMA_EXT => read(opcode, SYSTEM.first, 2048),
            _ => write(opcode, SYSTEM.first, &content(1, 1048576)),
        };
        driver.issue(&mut scene, &request).unwrap();
        driver.drain(&mut scene);
        assert_eq!(driver.outstanding(), 1);
        driver.give_up(&mut scene).unwrap();
        assert!(driver.run(&mut scene, &request).is_ok());
    }
}

#[test]
fn a_reset_of_the_controller_in_mid_flight_leaves_it_usable() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for index in 0..20 {
        driver
            .issue(
                &mut scene,
                &write(
                    command::WRITE_FPDMA_QUEUED,
                    SYSTEM.first + 512 * index,
                    &content(1, 262144),
                ),
            )
            .unwrap();
    }
    scene.hba.step();
    scene.write(generic::GHC, ghc::AE | ghc::HR);
    while scene.read(generic::GHC) & ghc::HR != 0 {
        scene.wait();
    }
    scene.hba.run();
    let mut driver = scene.driver(0);
    let plain = content(6, 2048 * 512);
    driver
        .run(
            &mut scene,
            &write(command::WRITE_FPDMA_QUEUED, SYSTEM.first, &plain),
        )
        .unwrap();
    let back = driver
        .run(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 2048))
        .unwrap();
    assert_eq!(back.data, plain);
}

#[test]
fn a_software_reset_goes_through_and_the_same_disk_goes_on() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(4, 4 * 512);
    driver
        .run(
            &mut scene,
            &write(command::WRITE_FPDMA_QUEUED, SYSTEM.first, &plain),
        )
        .unwrap();
    // SRST on, with R and C in the header; then off.
    for (control, flags) in [(1 << 2, header::R | header::C), (0, 0)] {
        let mut fis = [0; 20];
        (fis[0], fis[15]) = (0x27, control);
        let ram = scene.memory.ram();
        ram.store(driver.table(0), &fis);
        ram.store(driver.header(0), &(5 | flags).to_le_bytes());
        ram.store(driver.header(0) + 8, &driver.table(0).to_le_bytes());
        driver.write(&mut scene, port::CI, 1);
        driver.await_bits(&mut scene, port::CI, 1, 0).unwrap();
    }
    let back = driver
        .run(&mut scene, &read(command::READ_FPDMA_QUEUED, SYSTEM.first, 4))
        .unwrap();
    assert_eq!(back.data, plain);
}
