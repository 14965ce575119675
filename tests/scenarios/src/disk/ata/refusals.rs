//! What does not reach a drive, and what the guest gets in its place: the drive's own error.

use super::layout::{APPLIANCE, DATA, SYSTEM, TABLES, UNNAMED, content};
use super::{COMMAND_BLOCK, DATA_PLACE, Scene, TABLE};
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_mediator::disk::incident::Incident;
use sekisho_mediator::pci::Width;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::{command, error, status};
use sekisho_models::guest::{Failure, IdeDriver, Request, Unit};
use sekisho_models::ide::spec::{CONTROL, bus_master, register};

fn is_aborted<T>(result: &Result<T, Failure>) -> bool {
    matches!(
        result,
        Err(Failure::Device {
            error: error::ABRT,
            ..
        })
    )
}

#[test]
fn a_write_that_touches_a_block_not_the_guests_fails_whole() {
    let places = [
        TABLES.last,
        APPLIANCE.first - 1,
        UNNAMED.first,
        DATA.last,
        SYSTEM.first - 1,
    ];
    for first in places {
        let mut scene = Scene::new();
        let (driver, data) = (scene.driver(), content(1, 2 * 512));
        let by_port = TaskFile::short(command::WRITE_SECTORS, first, 2);
        let by_dma = TaskFile::long(command::WRITE_DMA_EXT, first, 2);
        assert!(
            is_aborted(&driver.pio(&mut scene, &Request::sends(by_port, &data))),
            "{first}"
        );
        assert!(
            is_aborted(&driver.dma(&mut scene, &Request::sends(by_dma, &data))),
            "{first}"
        );
        assert!(scene.disk().platter.written().is_empty(), "{first}");
        assert_eq!(scene.ata.incidents().count(Incident::RefusedWrite), 2);
    }
}

#[test]
fn the_last_block_of_a_large_write_decides_it_before_its_first_is_written() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(1, 1000 * 512));
    let write = TaskFile::long(command::WRITE_DMA_EXT, DATA.last - 998, 1000);
    assert!(is_aborted(&driver.dma(&mut scene, &Request::sends(write, &data))));
    assert!(scene.disk().platter.written().is_empty());
}

#[test]
fn a_refused_command_ends_with_the_drives_interrupt() {
    let mut scene = Scene::new();
    let before = scene.ide.edges(Channel::Primary);
    scene.write_registers(&[(register::STATUS, command::SECURITY_ERASE_UNIT)]);
    assert_eq!(scene.status() & status::BSY, status::BSY);
    scene.ide.run();
    assert_eq!(scene.ide.edges(Channel::Primary), before + 1);
    assert_eq!(
        scene.status() & (status::BSY | status::DRQ | status::ERR),
        status::ERR
    );
    assert_eq!(scene.read(COMMAND_BLOCK, register::ERROR), error::ABRT);
    assert_eq!(scene.ata.incidents().count(Incident::RefusedCommand), 1);
}

#[test]
fn no_opcode_does_harm_or_carries_plaintext_whatever_its_registers_say() {
    let secret = content(5, 512);
    for opcode in 0..=u8::MAX {
        let mut scene = Scene::new();
        for (features, place) in [
            (0, [0, 8, 0]),
            (1, [0, 8, 0]),
            (0x55, [0, 0, 3]),
            (0xd6, [0xe0, 0x4f, 0xc2]),
        ] {
            offer(&mut scene, opcode, features, place, &secret);
            scene.reset();
        }
        assert!(!scene.disk().platter.ever_held(&secret[..32]), "{opcode:#04x}");
    }
}

/// Gives a command, and data to it by both ways.
fn offer(scene: &mut Scene, opcode: u8, features: u8, [low, mid, high]: [u8; 3], data: &[u8]) {
    scene.memory.ram().store(DATA_PLACE, data);
    let whole = DATA_PLACE | 512 << 32 | 1 << 63;
    scene.memory.ram().store(TABLE.into(), &whole.to_le_bytes());
    scene.write_table(Channel::Primary, TABLE);
    for (offset, value) in [(1, features), (2, 1), (3, low), (4, mid), (5, high)] {
        scene.write_registers(&[(offset, 0), (offset, value)]);
    }
    scene.write_registers(&[(register::DEVICE, 0x40), (register::STATUS, opcode)]);
    scene.ide.run();
    scene.write_data(Channel::Primary, data);
    scene.drive_engine(bus_master::START);
    scene.ide.run();
    assert_eq!(scene.engine() & !bus_master::INTERRUPT & !bus_master::ACTIVE, 0);
    scene.drive_engine(0);
}

#[test]
fn what_is_refused_is_hidden_in_identify_data() {
    let mut scene = Scene::new();
    let page = scene.driver().identify(&mut scene).unwrap();
    let word = |index: usize| u16::from_le_bytes([page[2 * index], page[2 * index + 1]]);
    // Security and host protected area, microcode, SCT.
    assert_eq!(word(82) & (1 << 1 | 1 << 10), 0);
    assert_eq!(word(83) & 1, 0);
    assert_eq!(word(206), 0);
    // The disk has them.
    let own = {
        let mut answer = [0; 512];
        scene.write_registers(&[(register::DEVICE, 0)]);
        scene
            .ide
            .write(COMMAND_BLOCK, register::STATUS, command::IDENTIFY_DEVICE);
        scene.ide.run();
        scene.ide.read_data(Channel::Primary, &mut answer);
        answer
    };
    assert_ne!(own[..], page[..]);
}

#[test]
fn logs_pass_by_both_ways_with_what_is_refused_hidden() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let directory = |code| TaskFile::long(code, 0, 1);
    let by_port = driver.pio(
        &mut scene,
        &Request::brings(directory(command::READ_LOG_EXT), 512),
    );
    let by_dma = driver.dma(
        &mut scene,
        &Request::brings(directory(command::READ_LOG_DMA_EXT), 512),
    );
    let page = by_port.unwrap();
    assert_eq!(by_dma.unwrap(), page);
    // SCT command log.
    assert_eq!(page[2 * 0xe0..2 * 0xe0 + 2], [0, 0]);
}

#[test]
fn no_queued_command_exists_behind_this_controller() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    for code in [command::READ_FPDMA_QUEUED, command::WRITE_FPDMA_QUEUED] {
        let task = TaskFile::queued(code, 0, SYSTEM.first, 1);
        assert!(is_aborted(
            &driver.dma(&mut scene, &Request::sends(task, &content(1, 512)))
        ));
    }
}

#[test]
fn trim_goes_through_where_the_policy_says_so_and_nowhere_else() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let mut ranges = vec![0; 512];
    let asked = [
        (SYSTEM.first, 8_u64),
        (DATA.first - 4, 8),
        (DATA.first + 100, 16),
        (UNNAMED.first, 8),
    ];
    for (entry, (first, blocks)) in ranges.chunks_exact_mut(8).zip(asked) {
        entry.copy_from_slice(&(first | blocks << 48).to_le_bytes());
    }
    let trim = TaskFile::long(command::DATA_SET_MANAGEMENT, 0, 1).with_features(1);
    driver.dma(&mut scene, &Request::sends(trim, &ranges)).unwrap();
    assert_eq!(scene.disk().trimmed(), [(DATA.first, 4), (DATA.first + 100, 16)]);
}

#[test]
fn an_access_that_no_register_has_reads_ones_and_does_nothing() {
    let mut scene = Scene::new();
    let accesses = [
        (COMMAND_BLOCK, register::DATA, Width::Byte),
        (COMMAND_BLOCK, register::STATUS, Width::Word),
        (COMMAND_BLOCK, register::LBA_MID, Width::Dword),
        (COMMAND_BLOCK, 8, Width::Byte),
        (Block::Control(Channel::Primary), 0, Width::Dword),
        (Block::Control(Channel::Primary), CONTROL + 1, Width::Byte),
    ];
    let before = scene.disk().commands().len();
    for (block, offset, width) in accesses {
        assert_eq!(
            scene.load(block, offset, width),
            width.ones(),
            "{block:?} {offset}"
        );
        scene.store(block, offset, width, 0xecec_ecec);
    }
    scene.ide.run();
    assert_eq!(scene.disk().commands().len(), before);
    assert_eq!(scene.ata.incidents().count(Incident::MalformedAccess), 12);
}

#[test]
fn the_bus_master_is_read_as_it_was_written_in_every_width() {
    let mut scene = Scene::new();
    let table = bus_master::TABLE;
    scene.store(Block::BusMaster, table, Width::Dword, 0x1234_5678);
    assert_eq!(scene.load(Block::BusMaster, table + 2, Width::Word), 0x1234);
    scene.store(Block::BusMaster, table + 1, Width::Byte, 0xab);
    assert_eq!(scene.load(Block::BusMaster, table, Width::Dword), 0x1234_ab78);
    scene.store(
        Block::BusMaster,
        bus_master::SIZE,
        Width::Byte,
        bus_master::TO_MEMORY.into(),
    );
    assert_eq!(
        scene.load(Block::BusMaster, bus_master::SIZE, Width::Byte),
        bus_master::TO_MEMORY.into()
    );
    assert_eq!(scene.load(Block::BusMaster, 0, Width::Byte), 0);
    // Beyond the block, and across its end.
    for offset in [14, 16, u16::MAX - 1] {
        scene.store(Block::BusMaster, offset, Width::Dword, 0);
        assert_eq!(scene.load(Block::BusMaster, offset, Width::Dword), 0);
    }
}

#[test]
fn an_empty_channel_floats_and_an_absent_second_drive_reads_zero() {
    let mut scene = Scene::new();
    let driver = scene.driver_of(Channel::Secondary, Unit::First);
    assert_eq!(driver.identify(&mut scene), Err(Failure::Gone));
    let before = scene.ide.edges(Channel::Secondary);
    scene.write(
        Block::Command(Channel::Secondary),
        register::STATUS,
        command::READ_DMA,
    );
    scene.ide.run();
    assert_eq!(scene.ide.edges(Channel::Secondary), before);
}

#[test]
fn the_drive_beside_an_encrypted_one_gets_no_volumes_of_its_own_accord() {
    let mut scene = Scene::new();
    let second = scene.driver_of(Channel::Primary, Unit::Second);
    let data = content(2, 512);
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.first, 1);
    second.dma(&mut scene, &Request::sends(write, &data)).unwrap();
    assert!(scene.disk().platter.written().is_empty());
    let image = scene
        .ide
        .disk(Channel::Primary, 1)
        .unwrap()
        .platter
        .image(SYSTEM.first, 1);
    assert_ne!(image, data);
}

#[test]
fn the_drivers_probe_finds_registers_that_keep_what_is_written() {
    let mut scene = Scene::new();
    for (offset, value) in [(register::COUNT, 0x55), (register::LBA_LOW, 0xaa)] {
        scene.write(COMMAND_BLOCK, offset, value);
        assert_eq!(scene.read(COMMAND_BLOCK, offset), value);
    }
    let result = IdeDriver::pio(
        &scene.driver(),
        &mut scene,
        &Request::plain(TaskFile::plain(command::CHECK_POWER_MODE)),
    );
    assert_eq!(result, Ok(Vec::new()));
}
