//! A guest that means harm: descriptor tables that lie, and memory that changes behind our back.

use super::layout::{SYSTEM, UNNAMED, content, encrypted};
use super::{DATA_PLACE, Scene, TABLE};
use sekisho_abi::disk::BlockSize;
use sekisho_mediator::disk::ata::{Channel, Ports};
use sekisho_mediator::disk::incident::Incident;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::{command, error, status};
use sekisho_models::guest::Request;
use sekisho_models::ide::spec::{bus_master, register};
use sekisho_models::memory::BUFFERS;

/// A descriptor: address, bytes, and whether it is the last.
fn descriptor(address: u32, bytes: u16, flags: u16) -> [u8; 8] {
    let mut raw = [0; 8];
    raw[..4].copy_from_slice(&address.to_le_bytes());
    raw[4..6].copy_from_slice(&bytes.to_le_bytes());
    raw[6..].copy_from_slice(&flags.to_le_bytes());
    raw
}

const LAST: u16 = 0x8000;

/// Gives a 48-bit DMA command for `count` blocks of the volume over the table at `table`, and lets everything happen.
fn run(scene: &mut Scene, code: u8, count: u8, table: u32) {
    scene.write_table(Channel::Primary, table);
    scene.write_registers(&[
        (register::COUNT, 0),
        (register::COUNT, count),
        (register::LBA_LOW, 0),
        (register::LBA_LOW, 0),
        (register::LBA_MID, 0),
        (register::LBA_MID, 8),
        (register::LBA_HIGH, 0),
        (register::LBA_HIGH, 0),
        (register::DEVICE, 0x40),
        (register::STATUS, code),
    ]);
    let towards = if code == command::READ_DMA_EXT {
        bus_master::TO_MEMORY
    } else {
        0
    };
    scene.drive_engine(towards | bus_master::START);
    scene.ide.run();
}

/// The command ended with the drive's abort, and the bus master says that its memory was bad.
fn is_failed(scene: &mut Scene) -> bool {
    let engine = scene.read(super::Block::BusMaster, bus_master::STATUS);
    scene.ide.run();
    let now = scene.status();
    let error = scene.read(super::COMMAND_BLOCK, register::ERROR);
    engine & bus_master::ERROR != 0
        && now & (status::BSY | status::ERR) == status::ERR
        && error == error::ABRT
}

#[test]
fn a_table_into_memory_that_is_not_the_guests_moves_nothing() {
    let places = [
        u32::try_from(BUFFERS).unwrap(),
        0xfee0_0000,
        0xffff_fffe,
        64 << 20,
    ];
    for place in places {
        for code in [command::READ_DMA_EXT, command::WRITE_DMA_EXT] {
            let mut scene = Scene::new();
            scene
                .memory
                .ram()
                .store(TABLE.into(), &descriptor(place, 512, LAST));
            run(&mut scene, code, 1, TABLE);
            assert!(is_failed(&mut scene), "{place:#x} {code:#x}");
            assert!(scene.disk().platter.written().is_empty());
            assert_eq!(scene.ata.incidents().count(Incident::UnreachableMemory), 1);
            // And the table itself there.
            run(&mut scene, code, 1, place & !3);
            assert!(is_failed(&mut scene), "{place:#x} {code:#x}");
        }
    }
}

#[test]
fn a_table_that_is_too_short_fails_the_command() {
    for code in [command::READ_DMA_EXT, command::WRITE_DMA_EXT] {
        let mut scene = Scene::new();
        let place = u32::try_from(DATA_PLACE).unwrap();
        scene
            .memory
            .ram()
            .store(TABLE.into(), &descriptor(place, 510, LAST));
        run(&mut scene, code, 1, TABLE);
        assert!(is_failed(&mut scene), "{code:#x}");
        assert!(scene.disk().platter.written().is_empty());
    }
}

#[test]
fn a_table_that_never_ends_is_left_at_its_boundary() {
    let mut scene = Scene::new();
    let place = u32::try_from(DATA_PLACE).unwrap();
    let table: Vec<u8> = std::iter::repeat_n(descriptor(place, 2, 0), 2 * 8192)
        .flatten()
        .collect();
    scene.memory.ram().store(TABLE.into(), &table);
    run(&mut scene, command::WRITE_DMA_EXT, 64, TABLE);
    assert!(is_failed(&mut scene));
    assert!(scene.disk().platter.written().is_empty());
}

#[test]
fn a_descriptor_edited_after_it_was_read_has_no_effect() {
    let mut scene = Scene::new();
    let (data, place) = (content(1, 512), u32::try_from(DATA_PLACE).unwrap());
    scene.memory.ram().store(DATA_PLACE, &data);
    scene
        .memory
        .ram()
        .store(TABLE.into(), &descriptor(place, 512, LAST));
    let evil = descriptor(u32::try_from(BUFFERS).unwrap(), 512, LAST);
    scene.memory.ram().edit_behind_the_next_read(TABLE.into(), &evil);
    run(&mut scene, command::WRITE_DMA_EXT, 1, TABLE);
    assert_eq!(scene.engine(), bus_master::INTERRUPT);
    let image = scene.disk().platter.image(SYSTEM.first, 1);
    assert!(image == encrypted(SYSTEM.first, &data, BlockSize::B512));
}

#[test]
fn data_edited_after_it_was_read_is_not_written() {
    let mut scene = Scene::new();
    let (data, place) = (content(1, 512), u32::try_from(DATA_PLACE).unwrap());
    scene.memory.ram().store(DATA_PLACE, &data);
    scene
        .memory
        .ram()
        .store(TABLE.into(), &descriptor(place, 512, LAST));
    scene
        .memory
        .ram()
        .edit_behind_the_next_read(DATA_PLACE, &[0; 512]);
    run(&mut scene, command::WRITE_DMA_EXT, 1, TABLE);
    let image = scene.disk().platter.image(SYSTEM.first, 1);
    assert!(image == encrypted(SYSTEM.first, &data, BlockSize::B512));
}

#[test]
fn registers_written_after_the_command_do_not_move_it() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(1, 512));
    driver.identify(&mut scene).unwrap();
    scene.write_registers(&[(2, 1), (3, 0), (4, 8), (5, 0), (6, 0x40), (7, command::WRITE_DMA)]);
    // Towards the tables, before the engine is started.
    scene.write_registers(&[(3, 0), (4, 0), (6, 0x50), (7, command::WRITE_SECTORS)]);
    let place = u32::try_from(DATA_PLACE).unwrap();
    scene.memory.ram().store(DATA_PLACE, &data);
    scene
        .memory
        .ram()
        .store(TABLE.into(), &descriptor(place, 512, LAST));
    scene.write_table(Channel::Primary, TABLE);
    scene.drive_engine(bus_master::START);
    scene.ide.run();
    assert_eq!(scene.engine(), bus_master::INTERRUPT);
    let image = scene.disk().platter.image(SYSTEM.first, 1);
    assert!(image == encrypted(SYSTEM.first, &data, BlockSize::B512));
    assert_eq!(scene.disk().platter.written().len(), 1);
}

#[test]
fn data_that_no_command_asked_for_goes_nowhere() {
    let mut scene = Scene::new();
    let data = content(1, 2048);
    scene.write_data(Channel::Primary, &data);
    let driver = scene.driver();
    let write = TaskFile::short(command::WRITE_SECTORS, SYSTEM.first, 1);
    driver
        .pio(&mut scene, &Request::sends(write, &data[..512]))
        .unwrap();
    scene.write_data(Channel::Primary, &data);
    scene.ide.run();
    // More at once than the command takes.
    scene.write_registers(&[(2, 2), (7, command::WRITE_SECTORS)]);
    scene.ide.run();
    scene.write_data(Channel::Primary, &data);
    scene.ide.run();
    assert!(!scene.disk().platter.ever_held(&data[..32]));
    let mut junk = [0; 64];
    scene.read_data(Channel::Secondary, &mut junk);
    assert_eq!(junk, [u8::MAX; 64]);
}

#[test]
fn the_drives_buffer_is_never_read_past_the_filter() {
    let mut scene = Scene::new();
    let secret = content(3, 2 * 512);
    scene.disk_mut().platter.prepare(UNNAMED.first, &secret);
    let first = u8::try_from(UNNAMED.first & 0xff).unwrap();
    let [_, mid, high, ..] = UNNAMED.first.to_le_bytes();
    scene.write_registers(&[
        (2, 2),
        (3, first),
        (4, mid),
        (5, high),
        (6, 0x40),
        (7, command::READ_SECTORS),
    ]);
    scene.ide.run();
    let mut taken = vec![0; 4096];
    scene.read_data(Channel::Primary, &mut taken[..700]);
    scene.ide.run();
    scene.read_data(Channel::Primary, &mut taken[700..]);
    scene.ide.run();
    scene.read_data(Channel::Primary, &mut taken[2000..]);
    assert!(
        !taken
            .windows(16)
            .any(|part| secret.windows(16).any(|there| there == part))
    );
}
