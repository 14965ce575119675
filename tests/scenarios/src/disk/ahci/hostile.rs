//! Guests that change what they submitted, point outside their memory, or write registers at random.

use super::layout::{CLEAR, DATA, SYSTEM, content, encrypted};
use super::requests::{read, write};
use super::{Guest, Scene};
use proptest::prelude::*;
use sekisho_abi::disk::BlockSize;
use sekisho_models::ahci::spec::{HEADER_SIZE, PORT_SIZE, PORTS, TABLE_REGIONS, interrupt, port};
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{AhciDriver, Window};
use sekisho_models::ram::UPPER;
use sekisho_models::sequence::Sequence;

/// Where the hypervisor's buffers lie: no memory of the guest's.
const HYPERVISOR: u64 = sekisho_models::memory::BUFFERS;
/// Where the guest keeps what must not lie on the disk as it is.
const MEMORY: u64 = 0x200_0000;
/// No memory at all.
const NOWHERE: u64 = 0x0fff_ffff_f000;

#[test]
fn what_is_changed_after_submission_changes_nothing() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 8192 * 512);
    let request = write(command::WRITE_DMA_EXT, SYSTEM.first, &plain).in_regions(&[(UPPER, plain.len())]);
    let slot = driver.issue(&mut scene, &request).unwrap();
    // The command becomes a write to sectors in clear, in the header another table, and the list moves.
    let ram = scene.memory.ram();
    ram.store(
        driver.table(slot),
        &TaskFile::long(command::WRITE_DMA_EXT, CLEAR.first, 8).fis(),
    );
    ram.store(driver.header(slot), &[0xff; HEADER_SIZE]);
    driver.write(&mut scene, port::CLB, 0);
    driver.write(&mut scene, port::FB, 0);
    driver.drain(&mut scene);
    assert_eq!(
        scene.disk(0).platter.image(SYSTEM.first, 8192),
        encrypted(SYSTEM.first, &plain, BlockSize::B512)
    );
    assert_eq!(scene.disk(0).platter.image(CLEAR.first, 8), vec![0; 4096]);
}

#[test]
fn a_command_that_changes_behind_the_first_look_is_the_one_that_was_looked_at() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 8 * 512);
    let ram = scene.memory.ram();
    // Slot 0 is the next one.
    let other = TaskFile::long(command::WRITE_DMA_EXT, CLEAR.first, 8).fis();
    ram.edit_behind_the_next_read(driver.table(0), &other);
    ram.edit_behind_the_next_read(driver.header(0), &[0xff; HEADER_SIZE]);
    ram.edit_behind_the_next_read(driver.table(0) + TABLE_REGIONS, &HYPERVISOR.to_le_bytes());
    driver
        .run(&mut scene, &write(command::WRITE_DMA_EXT, SYSTEM.first, &plain))
        .unwrap();
    assert_eq!(
        scene.disk(0).platter.image(SYSTEM.first, 8),
        encrypted(SYSTEM.first, &plain, BlockSize::B512)
    );
    assert_eq!(scene.disk(0).platter.image(CLEAR.first, 8), vec![0; 4096]);
}

#[test]
fn regions_outside_the_guests_memory_fail_the_command_and_move_nothing() {
    let bad = [
        vec![(HYPERVISOR, 4096)],
        vec![(NOWHERE, 4096)],
        vec![(u64::MAX - 0xfff, 4096)],
        vec![(0x200_0000, 2048), (HYPERVISOR, 2048)],
        vec![(0x200_0000, 2048), (u64::MAX - 1, 2048)],
        vec![(0x200_0000, 2048)],
    ];
    for regions in bad {
        for opcode in [
            command::READ_DMA_EXT,
            command::READ_FPDMA_QUEUED,
            command::READ_SECTORS,
        ] {
            let mut scene = Scene::new();
            let mut driver = scene.driver(0);
            let result = driver.run(&mut scene, &read(opcode, SYSTEM.first, 8).in_regions(&regions));
            assert!(result.is_err(), "{opcode:#x} to {regions:x?}");
            assert!(driver.run(&mut scene, &read(opcode, SYSTEM.first, 8)).is_ok());
        }
        for opcode in [
            command::WRITE_DMA_EXT,
            command::WRITE_FPDMA_QUEUED,
            command::WRITE_SECTORS,
        ] {
            let mut scene = Scene::new();
            let mut driver = scene.driver(0);
            let result = driver.run(
                &mut scene,
                &write(opcode, SYSTEM.first, &content(1, 4096)).in_regions(&regions),
            );
            assert!(result.is_err(), "{opcode:#x} from {regions:x?}");
            assert_eq!(scene.disk(0).platter.written(), []);
        }
    }
}

#[test]
fn lists_and_tables_outside_the_guests_memory_fail_the_command() {
    for address in [HYPERVISOR, NOWHERE, u64::MAX] {
        let mut scene = Scene::new();
        let driver = scene.driver(0);
        let [b0, b1, b2, b3, b4, b5, b6, b7] = address.to_le_bytes();
        driver.write(&mut scene, port::CLB, u32::from_le_bytes([b0, b1, b2, b3]));
        driver.write(&mut scene, port::CLBU, u32::from_le_bytes([b4, b5, b6, b7]));
        driver.write(&mut scene, port::FB, u32::from_le_bytes([b0, b1, b2, b3]));
        driver.write(&mut scene, port::FBU, u32::from_le_bytes([b4, b5, b6, b7]));
        driver.write(&mut scene, port::CI, 1 << 5);
        for _ in 0..100 {
            scene.wait();
        }
        assert_ne!(driver.read(&mut scene, port::IS) & interrupt::TFES, 0);
        assert_eq!(driver.read(&mut scene, port::CI), 1 << 5);
    }
}

#[test]
fn a_slot_in_use_is_not_submitted_again() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    driver
        .issue(
            &mut scene,
            &write(command::WRITE_FPDMA_QUEUED, SYSTEM.first, &content(1, 4096)),
        )
        .unwrap();
    driver.write(&mut scene, port::SACT, 1);
    driver.write(&mut scene, port::CI, 1);
    driver.drain(&mut scene);
    assert_eq!(
        scene.disk(0).platter.image(SYSTEM.first, 8),
        encrypted(SYSTEM.first, &content(1, 4096), BlockSize::B512)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Registers written at random, over lists and tables full of noise and of commands: the controller is driven with
    /// care, the disk takes no harm, and what the guest has in memory never lies on it as it is.
    #[test]
    fn no_sequence_of_register_accesses_gets_plaintext_onto_the_disk(seed: u64) {
        let mut chance = Sequence::new(seed);
        let mut scene = Scene::new();
        let driver = scene.driver(0);
        scene.guest = Guest::Careless;
        let secret = content(7, 512);
        for page in 0..1024 {
            scene.memory.ram().store(MEMORY + page * 512, &secret);
        }
        for _ in 0..600 {
            mischief(&mut scene, &driver, &mut chance);
        }
        let written = scene.disk(0).platter.written().iter();
        let mut outside = written.filter(|(block, _)| !(CLEAR.first..=CLEAR.last).contains(block));
        prop_assert!(!outside.any(|(_, content)| content == &secret));
    }
}

fn mischief(scene: &mut Scene, driver: &AhciDriver, chance: &mut Sequence) {
    let offset = u32::try_from(chance.below(u64::from(PORTS + 2 * PORT_SIZE))).unwrap() & !3;
    match chance.below(40) {
        0..20 => issue(scene, driver, chance),
        20 => scene.write(offset, low(chance.next())),
        21..24 => {
            // After an error, or what was just written, nothing would move any more.
            driver.write(scene, port::SCTL, 0);
            let _any = driver.stop(scene).and_then(|()| driver.go(scene));
        }
        _ => {
            for _ in 0..8 {
                scene.wait();
            }
            scene.read(offset);
        }
    }
}

/// Submits a command that is nearly right.
fn issue(scene: &mut Scene, driver: &AhciDriver, chance: &mut Sequence) {
    const OPCODES: [u8; 12] = [
        0x61, 0x61, 0x60, 0x35, 0x25, 0xca, 0x30, 0x39, 0xec, 0x06, 0xef, 0xa0,
    ];
    let slot = u8::try_from(chance.below(32)).unwrap();
    let starts = [
        0,
        CLEAR.first - 4,
        CLEAR.first,
        SYSTEM.first,
        SYSTEM.first,
        DATA.last - 20,
    ];
    let opcode = [pick(chance, &OPCODES), chance.next().to_le_bytes()[0]];
    let blocks = u16::try_from(chance.below(40)).unwrap();
    let queued = TaskFile::queued(0, slot, pick(chance, &starts) + chance.below(8), blocks);
    let mut task = TaskFile {
        command: opcode[usize::from(chance.below(8) == 0)],
        ..queued
    };
    let active = matches!(
        task.command,
        command::READ_FPDMA_QUEUED | command::WRITE_FPDMA_QUEUED
    );
    if !active {
        (task.count, task.features) = (blocks, 0);
    }
    let ram = scene.memory.ram();
    ram.store(driver.table(slot), &task.fis());
    for region in 0..4 {
        let fine = MEMORY + chance.below(256) * 2;
        let wrong = [HYPERVISOR, chance.next(), u64::MAX - 1];
        let address = if chance.below(40) == 0 {
            pick(chance, &wrong)
        } else {
            fine
        };
        let count = if chance.below(40) == 0 {
            low(chance.next())
        } else {
            8191
        };
        let place = driver.table(slot) + TABLE_REGIONS + 16 * region;
        ram.store(place, &address.to_le_bytes());
        ram.store(place + 12, &count.to_le_bytes());
    }
    let mut header = [0; HEADER_SIZE];
    header[..4].copy_from_slice(&(5_u32 | 4 << 16).to_le_bytes());
    header[8..16].copy_from_slice(&driver.table(slot).to_le_bytes());
    if chance.below(40) == 0 {
        header[usize::try_from(chance.below(16)).unwrap()] = chance.next().to_le_bytes()[0];
    }
    ram.store(driver.header(slot), &header);
    if active != (chance.below(40) == 0) {
        driver.write(scene, port::SACT, 1 << slot);
    }
    driver.write(scene, port::CI, 1 << slot);
}

fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap()
}

fn pick<T: Copy>(chance: &mut Sequence, choices: &[T]) -> T {
    choices[usize::try_from(chance.below(choices.len() as u64)).unwrap()]
}
