//! Commands beside reads and writes: what is refused is refused, hidden, and harms nothing.

use super::{Scene, is_refused};
use crate::disk::layout::{SYSTEM, content};
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Direction, TaskFile};
use sekisho_models::guest::{Failure, Request};

/// Commands that no guest may give, each with the data that it would take, in blocks.
const HARMFUL: [(u8, u16, usize); 27] = [
    (command::DATA_SET_MANAGEMENT_XL, 1, 1),
    (command::SET_MAX_EXT, 0, 0),
    (command::CFA_WRITE_WITHOUT_ERASE, 0, 1),
    (command::WRITE_LOG_EXT, 0, 1),
    (command::WRITE_LOG_DMA_EXT, 0, 1),
    (command::WRITE_UNCORRECTABLE_EXT, 0x55, 0),
    (command::TRUSTED_SEND, 1, 1),
    (command::TRUSTED_SEND_DMA, 1, 1),
    (command::ACCESSIBLE_MAX, 1, 0),
    (command::DOWNLOAD_MICROCODE, 7, 1),
    (command::DOWNLOAD_MICROCODE_DMA, 7, 1),
    (command::SMART, 0xd6, 1),
    (command::DEVICE_CONFIGURATION_OVERLAY, 0xc3, 0),
    (command::SANITIZE, 0x11, 0),
    (command::SANITIZE, 0x12, 0),
    (command::SANITIZE, 0x14, 0),
    (command::CFA_ERASE, 0, 0),
    (command::CFA_WRITE_MULTIPLE_WITHOUT_ERASE, 0, 1),
    (command::WRITE_BUFFER, 0, 1),
    (command::WRITE_BUFFER_DMA, 0, 1),
    (command::SECURITY_SET_PASSWORD, 0, 1),
    (command::SECURITY_UNLOCK, 0, 1),
    (command::SECURITY_ERASE_PREPARE, 0, 0),
    (command::SECURITY_ERASE_UNIT, 0, 1),
    (command::SECURITY_DISABLE_PASSWORD, 0, 1),
    (command::SET_MAX, 0, 0),
    (command::SET_MAX, 4, 0),
];

#[test]
fn commands_that_harm_are_aborted_and_never_reach_the_disk() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let before = scene.disk(0).commands().len();
    for (code, features, blocks) in HARMFUL {
        let count = if blocks == 0 { 0 } else { 1 };
        let task = TaskFile::long(code, SYSTEM.first, count).with_features(features);
        let request = Request::sends(task, &content(u64::from(code), blocks * 512));
        let request = if blocks == 0 {
            Request::plain(task)
        } else {
            request
        };
        assert!(
            is_refused(&driver.run(&mut scene, &request)),
            "{code:#x} {features:#x}"
        );
    }
    assert!(scene.was_spared_since(before));
}

/// Each opcode, with data in the direction that some commands have and others do not.
#[test]
fn every_opcode_is_carried_out_or_aborted_and_the_disk_lives() {
    for direction in [Direction::None, Direction::In, Direction::Out] {
        let mut scene = Scene::new();
        let mut driver = scene.driver(0);
        for code in 0..=255 {
            let task = TaskFile::long(code, SYSTEM.first, 1).with_features(1);
            let request = match direction {
                Direction::None => Request::plain(task),
                Direction::In => Request::brings(task, 512),
                Direction::Out => Request::sends(task, &content(u64::from(code), 512)),
            };
            let result = driver.run(&mut scene, &request);
            let is_answered = matches!(result, Ok(_) | Err(Failure::Device { .. } | Failure::Again));
            assert!(is_answered, "{code:#x} {direction:?}: {result:?}");
        }
        assert!(driver.identify(&mut scene).is_ok());
    }
}

#[test]
fn what_is_refused_is_hidden_in_identify() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let answer = driver.identify(&mut scene).unwrap();
    let word = |place: usize| u16::from_le_bytes([answer[place * 2], answer[place * 2 + 1]]);
    let hidden = [
        ("trusted computing", word(48) & 1),
        ("sanitize", word(59) & 0xf000),
        ("zeros after TRIM", word(69) & (1 << 14 | 1 << 5)),
        ("microcode by DMA", word(69) & 1 << 8),
        ("queue management, send and receive", word(77) & 0x60),
        ("security", word(82) & 1 << 1),
        ("host protected area", word(82) & 1 << 10),
        ("write buffer", word(82) & 1 << 12),
        ("microcode", word(83) & 1),
        ("SET MAX security", word(83) & 1 << 8),
        ("configuration overlay", word(83) & 1 << 11),
        ("security, enabled", word(85) & 1 << 1),
        (
            "uncorrectable, segmented microcode",
            word(119) & (1 << 2 | 1 << 4),
        ),
        ("TRIM by DSM XL", word(119) & 1 << 8),
        ("security status", word(128)),
        ("SCT", word(206)),
        ("microcode blocks", word(234) | word(235)),
    ];
    for (name, bits) in hidden {
        assert_eq!(bits, 0, "{name}");
    }
    let sum = answer.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    assert_eq!(sum, 0, "the checksum is right again");
    assert_eq!(word(76) & 1 << 8, 1 << 8, "queueing stays");
    assert_eq!(answer[20..26], *b"YSTSME", "the name stays, two letters a word");
}

#[test]
fn logs_smart_and_power_commands_work_as_without_us() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    const SMART_KEY: u64 = 0xc2_4f00;
    let passed = [
        Request::brings(TaskFile::long(command::READ_LOG_EXT, 0, 1), 512),
        Request::brings(TaskFile::long(command::READ_LOG_DMA_EXT, 0x04, 1), 512),
        Request::brings(
            TaskFile::short(command::SMART, SMART_KEY, 1).with_features(0xd0),
            512,
        ),
        Request::plain(TaskFile::short(command::SMART, SMART_KEY, 0).with_features(0xda)),
        Request::plain(TaskFile::plain(command::CHECK_POWER_MODE)),
        Request::plain(TaskFile::plain(command::STANDBY_IMMEDIATE)),
        Request::plain(TaskFile::plain(command::SET_FEATURES).with_features(0x82)),
        Request::plain(TaskFile::long(command::READ_VERIFY_EXT, SYSTEM.first, 8)),
    ];
    for request in passed {
        let result = driver.run(&mut scene, &request);
        assert!(result.is_ok(), "{:x?}: {result:?}", request.task);
    }
}
