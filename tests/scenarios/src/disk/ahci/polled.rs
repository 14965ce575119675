//! Drivers that take no interrupts, as firmware's: they look at registers, or at memory only.

use super::Scene;
use super::layout::{SYSTEM, content, encrypted};
use super::requests::{read, write};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ahci::spec::port;
use sekisho_models::ata::Fault;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::Window;
use sekisho_models::pace::Pace;
use sekisho_models::ram::UPPER;

/// Where the received FIS area has the status of the last Register Device to Host FIS.
const STATUS: usize = 0x42;

#[test]
fn a_command_of_a_driver_without_interrupts_has_ended_when_its_doorbell_returns() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver.write(&mut scene, port::IE, 0);
    scene.hba.set_pace(Pace::AtAccess);
    let plain = content(1, 8192 * 512);
    let request = write(command::WRITE_DMA_EXT, SYSTEM.first, &plain).in_regions(&[(UPPER, plain.len())]);
    let slot = driver.issue(&mut scene, &request).unwrap();
    // No register was looked at since.
    let ram = scene.memory.ram();
    assert_eq!(
        ram.bytes(driver.header(slot) + 4, 4),
        (8192_u32 * 512).to_le_bytes()
    );
    assert_eq!(driver.received()[STATUS] & 0x80, 0);
    assert!(!scene.ahci.waits());
    let platter = &scene.disk(0).platter;
    assert_eq!(
        platter.image(SYSTEM.first, 8192),
        encrypted(SYSTEM.first, &plain, BlockSize::B512)
    );
}

#[test]
fn a_slow_command_of_a_driver_that_looks_at_memory_only_is_carried_on_by_polling() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver.write(&mut scene, port::IE, 0);
    let command = scene.disk(0).commands().len() as u64 + 1;
    scene.disk_mut(0).inject(Fault::Slow { command, steps: 50 });
    let slot = driver
        .issue(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 8))
        .unwrap();
    assert!(scene.ahci.waits());
    let transferred = |scene: &Scene| scene.memory.ram().bytes(driver.header(slot) + 4, 4);
    let mut rounds = 0;
    while transferred(&scene) != 4096_u32.to_le_bytes() {
        scene.wait();
        rounds += 1;
        assert!(rounds < 1000);
    }
    assert!(!scene.ahci.waits());
}

#[test]
fn a_driver_with_interrupts_is_not_waited_for() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver
        .issue(&mut scene, &read(command::READ_DMA_EXT, SYSTEM.first, 8))
        .unwrap();
    assert!(!scene.ahci.waits());
    driver.drain(&mut scene);
}
