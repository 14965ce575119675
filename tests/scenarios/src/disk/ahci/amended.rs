//! Commands whose data is looked at: IDENTIFY, TRIM, packets.

use super::layout::{CLEAR, DATA, content};
use super::{BASE, Scene};
use sekisho_abi::storage::Atapi;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Drive, PacketDrive, TaskFile};
use sekisho_models::guest::{AhciDriver, Request};

#[test]
fn identify_says_what_the_disk_is_less_what_is_refused() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let page = driver.identify(&mut scene).unwrap();
    let word = |index: usize| u16::from_le_bytes([page[2 * index], page[2 * index + 1]]);
    assert_eq!(page[20..26], *b"YSTSME", "SYSTEM, two letters a word");
    assert_eq!(word(82) & 1 << 1, 0, "security");
}

#[test]
fn trim_reaches_what_lies_in_a_volume_that_allows_it_and_nothing_else() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let range = |first: u64, blocks: u64| (first | blocks << 48).to_le_bytes();
    let mut payload = vec![0; 512];
    payload[..8].copy_from_slice(&range(DATA.first - 8, 16));
    payload[8..16].copy_from_slice(&range(CLEAR.first, 16));
    payload[16..24].copy_from_slice(&range(DATA.first + 100, 5));
    let task = TaskFile::long(0x06, 0, 1).with_features(1);
    driver.run(&mut scene, &Request::sends(task, &payload)).unwrap();
    assert_eq!(scene.disk(0).trimmed(), [(DATA.first, 8), (DATA.first + 100, 5)]);
}

#[test]
fn a_packet_drive_is_read_written_or_left_alone_as_the_policy_says() {
    for (atapi, reads) in [(Atapi::Refuse, false), (Atapi::Read, true), (Atapi::Pass, true)] {
        let drive = Drive::Packet(PacketDrive::new(content(9, 64 * 512)));
        let mut scene = Scene::with_packets(vec![Some(drive)], 1, atapi);
        let memory = scene.memory.clone();
        let mut driver = AhciDriver::start(&mut scene, &memory, 0, BASE).unwrap();
        let mut task = TaskFile::plain(command::PACKET);
        task.features = 1;
        let mut read_10 = [0; 12];
        read_10[0] = 0x28;
        read_10[5] = 3;
        read_10[8] = 2;
        let request = Request::brings(task, 4096).with_packet(read_10);
        let result = driver.run(&mut scene, &request);
        assert_eq!(result.is_ok(), reads, "{atapi:?}");
        if let Ok(done) = result {
            assert_eq!(done.data, content(9, 64 * 512)[3 * 2048..5 * 2048]);
            assert_eq!(done.count, 4096);
        }
    }
}
