//! Resets, and transfers that are given up in the middle.

use super::layout::{SYSTEM, content, encrypted};
use super::{COMMAND_BLOCK, Scene};
use sekisho_abi::disk::BlockSize;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_mediator::disk::incident::Incident;
use sekisho_models::ata::spec::{command, error, status};
use sekisho_models::ata::{Fault, TaskFile};
use sekisho_models::guest::{Failure, IdeDriver, Request};
use sekisho_models::ide::spec::{CONTROL, bus_master, control, register};
use sekisho_models::pace::Pace;

fn write_one(scene: &mut Scene, driver: &IdeDriver, data: &[u8]) -> Result<Vec<u8>, Failure> {
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.first, 1);
    driver.dma(scene, &Request::sends(write, data))
}

fn holds_encrypted(scene: &Scene, data: &[u8]) -> bool {
    scene.disk().platter.image(SYSTEM.first, 1) == encrypted(SYSTEM.first, data, BlockSize::B512)
}

/// Resets the channel, and then writes without having asked the disk who it is.
fn write_unasked(scene: &mut Scene, data: &[u8]) -> Result<Vec<u8>, Failure> {
    let driver = scene.driver();
    driver.reset(scene).unwrap();
    scene.ide.set_pace(Pace::AtAccess);
    write_one(scene, &driver, data)
}

#[test]
fn after_a_reset_the_disk_is_asked_who_it_is_where_the_guest_does_not_ask() {
    let (mut scene, data) = (Scene::new(), content(1, 512));
    write_unasked(&mut scene, &data).unwrap();
    assert!(holds_encrypted(&scene, &data));
    let last: Vec<u8> = scene
        .disk()
        .commands()
        .iter()
        .rev()
        .take(2)
        .map(|task| task.command)
        .collect();
    assert_eq!(last, [command::WRITE_DMA, command::IDENTIFY_DEVICE]);
}

#[test]
fn a_disk_that_does_not_say_who_it_is_stays_busy_until_the_next_reset() {
    let (mut scene, data) = (Scene::new(), content(1, 512));
    let next = scene.disk().commands().len() as u64 + 1;
    scene.disk_mut().inject(Fault::Silent { command: next });
    assert_eq!(write_unasked(&mut scene, &data), Err(Failure::TimedOut));
    assert_eq!(scene.alternate() & status::BSY, status::BSY);
    write_unasked(&mut scene, &data).unwrap();
    assert!(holds_encrypted(&scene, &data));
}

#[test]
fn a_disk_that_was_exchanged_gets_and_gives_nothing() {
    let (mut scene, data) = (Scene::new(), content(1, 512));
    scene
        .disk_mut()
        .inject(Fault::OtherSerialAfterReset("OTHER".to_owned()));
    let refused = write_unasked(&mut scene, &data);
    assert!(
        matches!(
            refused,
            Err(Failure::Device {
                error: error::ABRT,
                ..
            })
        ),
        "{refused:?}"
    );
    let driver = scene.driver();
    driver.identify(&mut scene).unwrap();
    assert!(write_one(&mut scene, &driver, &data).is_err());
    let read = TaskFile::short(command::READ_SECTORS, SYSTEM.first, 1);
    assert!(driver.pio(&mut scene, &Request::brings(read, 512)).is_err());
    assert!(scene.disk().platter.written().is_empty());
    assert_eq!(scene.ata.incidents().count(Incident::Foreign), 3);
}

#[test]
fn a_reset_in_the_middle_of_a_bus_master_transfer_takes_the_memory_back() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(1, 512));
    let read = TaskFile::long(command::READ_DMA_EXT, SYSTEM.first, 600);
    driver.dma(&mut scene, &Request::brings(read, 600 * 512)).unwrap();
    for steps in 0..4 {
        scene.write_registers(&[(register::STATUS, command::READ_DMA_EXT)]);
        scene.drive_engine(bus_master::TO_MEMORY | bus_master::START);
        for _ in 0..steps {
            scene.ide.step();
        }
        driver.reset(&mut scene).unwrap();
        scene.drive_engine(0);
        driver.identify(&mut scene).unwrap();
        write_one(&mut scene, &driver, &data).unwrap();
        assert!(holds_encrypted(&scene, &data));
        driver.dma(&mut scene, &Request::brings(read, 600 * 512)).unwrap();
    }
}

#[test]
fn a_reset_in_the_middle_of_a_block_forgets_it() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(1, 512));
    scene.write_registers(&[
        (2, 2),
        (3, 0),
        (4, 8),
        (5, 0),
        (6, 0x40),
        (7, command::WRITE_SECTORS),
    ]);
    scene.ide.run();
    scene.write_data(Channel::Primary, &data[..300]);
    driver.reset(&mut scene).unwrap();
    driver.identify(&mut scene).unwrap();
    assert!(scene.disk().platter.written().is_empty());
    write_one(&mut scene, &driver, &data).unwrap();
    assert!(holds_encrypted(&scene, &data));
}

#[test]
fn an_engine_stopped_by_the_guest_moves_nothing_more() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let read = TaskFile::short(command::READ_DMA, SYSTEM.first, 8);
    driver.dma(&mut scene, &Request::brings(read, 8 * 512)).unwrap();
    scene.write_registers(&[(register::STATUS, command::READ_DMA)]);
    scene.drive_engine(bus_master::TO_MEMORY | bus_master::START);
    scene.ide.step();
    scene.drive_engine(bus_master::TO_MEMORY);
    scene.ide.run();
    assert_eq!(scene.engine() & bus_master::ACTIVE, 0);
    driver.reset(&mut scene).unwrap();
    driver.identify(&mut scene).unwrap();
    driver.dma(&mut scene, &Request::brings(read, 8 * 512)).unwrap();
}

#[test]
fn while_reset_is_held_the_drives_are_busy_and_take_no_command() {
    let mut scene = Scene::new();
    let before = scene.disk().commands().len();
    scene.write(Block::Control(Channel::Primary), CONTROL, control::SRST);
    assert_eq!(scene.alternate() & status::BSY, status::BSY);
    scene.write(COMMAND_BLOCK, register::STATUS, command::IDENTIFY_DEVICE);
    scene.write(Block::Control(Channel::Primary), CONTROL, 0);
    scene.ide.run();
    assert_eq!(scene.disk().commands().len(), before);
}

#[test]
fn a_silent_drive_comes_back_by_a_reset() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(1, 512));
    let next = scene.disk().commands().len() as u64 + 1;
    scene.disk_mut().inject(Fault::Silent { command: next });
    assert_eq!(write_one(&mut scene, &driver, &data), Err(Failure::TimedOut));
    driver.reset(&mut scene).unwrap();
    driver.identify(&mut scene).unwrap();
    write_one(&mut scene, &driver, &data).unwrap();
    assert!(holds_encrypted(&scene, &data));
}

#[test]
fn a_command_given_while_one_is_under_way_has_no_effect() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let read = TaskFile::short(command::READ_DMA, SYSTEM.first, 8);
    driver.dma(&mut scene, &Request::brings(read, 8 * 512)).unwrap();
    let before = scene.disk().commands().len();
    scene.write_registers(&[(register::STATUS, command::READ_DMA)]);
    scene.drive_engine(bus_master::TO_MEMORY | bus_master::START);
    scene.write_registers(&[
        (register::LBA_LOW, 99),
        (register::DEVICE, 0x50),
        (register::STATUS, command::FLUSH_CACHE),
    ]);
    scene.ide.run();
    assert_eq!(scene.engine(), bus_master::INTERRUPT);
    assert_eq!(scene.disk().commands().len(), before + 1);
    assert_eq!(scene.disk().commands().last().unwrap().command, command::READ_DMA);
}
