//! What is refused, how the guest hears of it, and that it can go on.

use super::Scene;
use super::layout::{BLOCKS, CLEAR, DATA, SYSTEM, TABLES, content};
use super::requests::write;
use sekisho_models::ahci::Line;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::{command, error};
use sekisho_models::guest::{Failure, Request, Transferred};
use sekisho_models::sequence::Sequence;

/// The command was aborted, as the registers say after any command.
fn is_aborted(result: &Result<Transferred, Failure>) -> bool {
    matches!(
        result,
        Err(Failure::Device {
            error: error::ABRT,
            ..
        })
    )
}

#[test]
fn a_write_that_touches_what_is_not_the_guests_fails_whole() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 8 * 512);
    for block in [
        0,
        TABLES.last,
        TABLES.last + 1,
        CLEAR.first - 4,
        DATA.last - 3,
        BLOCKS - 8,
    ] {
        for opcode in [
            command::WRITE_SECTORS,
            command::WRITE_DMA_EXT,
            command::WRITE_FPDMA_QUEUED,
        ] {
            let result = driver.run(&mut scene, &write(opcode, block, &plain));
            assert!(is_aborted(&result), "{opcode:#x} at {block}: {result:?}");
        }
    }
    assert_eq!(scene.disk(0).platter.written(), []);
    let works = driver.run(&mut scene, &write(command::WRITE_DMA_EXT, SYSTEM.first, &plain));
    assert!(works.is_ok());
}

#[test]
fn a_refused_queued_command_is_named_in_the_log_and_the_others_end_when_issued_again() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let mut ended = Vec::new();
    for index in 0..8_u64 {
        let block = if index == 3 {
            TABLES.last + 10
        } else {
            SYSTEM.first + 8 * index
        };
        driver
            .issue(
                &mut scene,
                &write(command::WRITE_FPDMA_QUEUED, block, &content(9, 4096)),
            )
            .unwrap();
    }
    ended.extend(driver.drain(&mut scene));
    for completion in &ended {
        match completion.slot {
            3 => assert!(
                matches!(completion.result, Err(Failure::Device { error: error::ABRT, lba, .. }) if lba == TABLES.last + 10)
            ),
            0..3 => assert!(completion.result.is_ok()),
            _ => assert_eq!(completion.result, Err(Failure::Again)),
        }
    }
    assert_eq!(ended.len(), 8);
    assert_eq!(scene.disk(0).platter.image(TABLES.last + 10, 8), vec![0; 4096]);
}

#[test]
fn an_interrupt_tells_of_a_refusal() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver
        .issue(&mut scene, &write(command::WRITE_DMA_EXT, 0, &content(1, 512)))
        .unwrap();
    scene.hba.run();
    assert_eq!(scene.hba.line(), Line::High);
    let ended = driver.interrupt(&mut scene);
    assert!(
        ended.iter().any(|completion| is_aborted(&completion.result)),
        "{ended:?}"
    );
}

#[test]
fn commands_at_random_never_harm_the_disk_or_write_plaintext() {
    let mut chance = Sequence::new(3);
    let secret = b"this must never lie on the disk!";
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for _ in 0..3000 {
        let [command, features, features_high, device, ..] = chance.next().to_le_bytes();
        let task = TaskFile {
            command,
            features: u16::from_le_bytes([features, features_high & 1]),
            count: u16::try_from(chance.below(20)).unwrap(),
            lba: chance.below(2 * BLOCKS),
            device,
        };
        let plain = secret.repeat(16 * 20);
        let request = match chance.below(3) {
            0 => Request::plain(task),
            1 => Request::brings(task, plain.len()),
            _ => Request::sends(task, &plain),
        };
        let _any = driver.run(&mut scene, &request);
    }
    assert!(!ever_held_outside_clear(&scene, secret));
}

fn ever_held_outside_clear(scene: &Scene, needle: &[u8]) -> bool {
    let written = scene.disk(0).platter.written().iter();
    let mut outside = written.filter(|(block, _)| !(CLEAR.first..=CLEAR.last).contains(block));
    outside.any(|(_, content)| content.windows(needle.len()).any(|window| window == needle))
}
