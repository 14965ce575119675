//! A packet drive beside the disks.

use super::Scene;
use super::layout::content;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::disk::ata::Channel;
use sekisho_mediator::disk::incident::Incident;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::packet::{PACKET_SIZE, operation};
use sekisho_models::ata::spec::{command, error};
use sekisho_models::guest::{Failure, IdeDriver, Request, Unit};

/// READ(10) or WRITE(10) of three blocks from the second one.
fn packet(operation: u8) -> [u8; PACKET_SIZE] {
    [operation, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0]
}

const BYTES: usize = 3 * 2048;

fn by_port() -> TaskFile {
    TaskFile {
        lba: 2048 << 8,
        ..TaskFile::plain(command::PACKET)
    }
}

fn by_dma() -> TaskFile {
    TaskFile::plain(command::PACKET).with_features(1)
}

fn medium() -> Vec<u8> {
    content(7, 64 * 2048)[2048..2048 + BYTES].to_vec()
}

fn drive(scene: &Scene) -> IdeDriver {
    scene.driver_of(Channel::Secondary, Unit::Second)
}

#[test]
fn a_medium_is_read_by_both_ways_where_the_policy_says_read_or_pass() {
    for atapi in [Atapi::Read, Atapi::Pass] {
        let mut scene = Scene::with_packets(atapi);
        let driver = drive(&scene);
        assert_eq!(driver.reset(&mut scene).unwrap(), (0x14, 0xeb));
        let read = packet(operation::READ_10);
        let request = Request::brings(by_port(), BYTES).with_packet(read);
        assert!(driver.pio(&mut scene, &request).unwrap() == medium());
        let request = Request::brings(by_dma(), BYTES).with_packet(read);
        assert!(driver.dma(&mut scene, &request).unwrap() == medium());
    }
}

#[test]
fn a_medium_is_written_where_the_policy_says_pass_only() {
    for (task, by) in [
        (
            by_port(),
            IdeDriver::pio as fn(&IdeDriver, &mut Scene, &Request) -> _,
        ),
        (by_dma(), IdeDriver::dma),
    ] {
        for (atapi, written) in [(Atapi::Pass, true), (Atapi::Read, false)] {
            let mut scene = Scene::with_packets(atapi);
            let (driver, data) = (drive(&scene), content(1, BYTES));
            let request = Request::sends(task, &data).with_packet(packet(operation::WRITE_10));
            let done: Result<Vec<u8>, Failure> = by(&driver, &mut scene, &request);
            assert_eq!(done.is_ok(), written, "{atapi:?} {done:?}");
            let request = Request::brings(by_port(), BYTES).with_packet(packet(operation::READ_10));
            let now = driver.pio(&mut scene, &request).unwrap();
            assert!(now == if written { data } else { medium() });
        }
    }
}

#[test]
fn every_packet_is_aborted_where_the_policy_says_refuse() {
    let mut scene = Scene::with_packets(Atapi::Refuse);
    let driver = drive(&scene);
    let request = Request::brings(by_port(), BYTES).with_packet(packet(operation::READ_10));
    let refused = driver.pio(&mut scene, &request);
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
    assert_eq!(scene.ata.incidents().count(Incident::RefusedCommand), 1);
}

#[test]
fn a_refused_packet_leaves_the_drive_ready_for_the_next_one() {
    let mut scene = Scene::with_packets(Atapi::Read);
    let driver = drive(&scene);
    let load_firmware = Request::plain(by_port()).with_packet(packet(operation::WRITE_BUFFER));
    assert!(driver.pio(&mut scene, &load_firmware).is_err());
    let ready = Request::plain(by_port()).with_packet(packet(operation::TEST_UNIT_READY));
    driver.pio(&mut scene, &ready).unwrap();
}

#[test]
fn a_packet_drive_takes_no_disk_command_and_a_disk_no_packet() {
    let mut scene = Scene::with_packets(Atapi::Pass);
    let on_drive = drive(&scene);
    let read = Request::brings(TaskFile::short(command::READ_DMA, 0, 1), 512);
    assert!(on_drive.dma(&mut scene, &read).is_err());
    let on_disk = scene.driver();
    let request = Request::brings(by_port(), BYTES).with_packet(packet(operation::READ_10));
    assert!(on_disk.pio(&mut scene, &request).is_err());
}

#[test]
fn identify_packet_device_passes() {
    let mut scene = Scene::with_packets(Atapi::Read);
    let identify = Request::brings(TaskFile::plain(command::IDENTIFY_PACKET_DEVICE), 512);
    let page = drive(&scene).pio(&mut scene, &identify).unwrap();
    assert_eq!(page[1] & 0xc0, 0x80);
}
