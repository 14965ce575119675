//! Packet drives: nothing, reading, or everything, as the policy says.

use super::Scene;
use sekisho_abi::storage::Atapi;
use sekisho_models::ata::packet::operation;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Drive, PacketDrive, TaskFile};
use sekisho_models::guest::{AhciDriver, Failure, Request, Transferred};

const READ: [u8; 12] = [operation::READ_10, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0];
const WRITE: [u8; 12] = [operation::WRITE_10, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0];
const FIRMWARE: [u8; 12] = [operation::WRITE_BUFFER, 5, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0];

fn medium() -> Vec<u8> {
    crate::disk::layout::content(1, 4 * 2048)
}

fn scene(atapi: Atapi) -> (Scene, AhciDriver) {
    let drive = Drive::Packet(PacketDrive::new(medium()));
    let mut scene = Scene::with_packets(vec![Some(drive)], 1, atapi);
    let memory = scene.memory.clone();
    let driver = AhciDriver::start(&mut scene, &memory, 0, super::BASE).unwrap();
    (scene, driver)
}

fn read(scene: &mut Scene, driver: &mut AhciDriver) -> Result<Transferred, Failure> {
    let task = TaskFile::plain(command::PACKET).with_features(1);
    driver.run(scene, &Request::brings(task, 2048).with_packet(READ))
}

fn send(scene: &mut Scene, driver: &mut AhciDriver, packet: [u8; 12]) -> Result<Transferred, Failure> {
    let task = TaskFile::plain(command::PACKET).with_features(1);
    let content = crate::disk::layout::content(2, 2048);
    driver.run(scene, &Request::sends(task, &content).with_packet(packet))
}

/// Packets that the drive was sent, of those that it obeys: what is refused it gets in a form that it refuses itself.
fn obeyed(scene: &Scene) -> Vec<u8> {
    let Some(Drive::Packet(drive)) = scene.hba.drive(0) else {
        return Vec::new();
    };
    let codes = drive.packets().iter().map(|packet| packet[0]);
    codes
        .filter(|code| [READ[0], WRITE[0], FIRMWARE[0]].contains(code))
        .collect()
}

#[test]
fn a_drive_that_is_refused_gets_no_packet() {
    let (mut scene, mut driver) = scene(Atapi::Refuse);
    assert!(read(&mut scene, &mut driver).is_err());
    assert!(send(&mut scene, &mut driver, WRITE).is_err());
    assert_eq!(obeyed(&scene), []);
}

#[test]
fn a_drive_that_may_be_read_is_not_written() {
    let (mut scene, mut driver) = scene(Atapi::Read);
    let done = read(&mut scene, &mut driver).unwrap();
    assert_eq!(done.data, medium()[2048..4096]);
    assert_eq!(done.count, 2048);
    assert!(send(&mut scene, &mut driver, WRITE).is_err());
    assert!(send(&mut scene, &mut driver, FIRMWARE).is_err());
    assert_eq!(obeyed(&scene), [READ[0]]);
}

#[test]
fn a_drive_that_is_passed_is_read_and_written() {
    let (mut scene, mut driver) = scene(Atapi::Pass);
    send(&mut scene, &mut driver, WRITE).unwrap();
    assert_eq!(
        read(&mut scene, &mut driver).unwrap().data,
        crate::disk::layout::content(2, 2048)
    );
}
