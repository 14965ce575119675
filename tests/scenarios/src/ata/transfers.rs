//! Content, by every way that an IDE driver has.

use super::{CLEAR, DATA, Rig, SYSTEM, content, on_disk};
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Fault, TaskFile};
use sekisho_models::guest::{Failure, IdeDriver, Request, Unit};
use sekisho_models::ide::spec::{bus_master, register};

/// Writes by one command and reads by another; the disk has ciphertext in between.
fn goes_and_comes_back(move_data: Move, seed: u64, sectors: usize, write: TaskFile, read: TaskFile) {
    let mut rig = Rig::new();
    let (driver, data) = (rig.first(), content(seed, sectors));
    move_data(&driver, &mut rig, &Request::sends(write, &data)).unwrap();
    let (index, start) = if write.lba >= DATA.0 {
        (1, DATA.0)
    } else {
        (0, SYSTEM.0)
    };
    let image = rig.disk().platter.image(write.lba, sectors as u64);
    assert!(image == on_disk(index, start, write.lba, &data), "{write:?}");
    let back = move_data(&driver, &mut rig, &Request::brings(read, data.len())).unwrap();
    assert!(back == data, "{read:?}");
    assert!(!rig.disk().platter.ever_held(&data[..64]));
    rig.is_sound();
}

type Move = fn(&IdeDriver, &mut Rig, &Request) -> Result<Vec<u8>, Failure>;

#[test]
fn programmed_io_with_28_and_48_bits_is_encrypted() {
    let short = |code, count| TaskFile::short(code, SYSTEM.0 + 77, count);
    let long = |code, count| TaskFile::long(code, DATA.0 + 5, count);
    let cases = [
        (short(command::WRITE_SECTORS, 5), short(command::READ_SECTORS, 5)),
        (short(command::WRITE_SECTORS, 0), short(command::READ_SECTORS, 0)),
        (
            long(command::WRITE_SECTORS_EXT, 40),
            long(command::READ_SECTORS_EXT, 40),
        ),
        (
            long(command::WRITE_SECTORS_EXT, 300),
            long(command::READ_SECTORS_EXT, 300),
        ),
    ];
    for ((write, read), seed) in cases.into_iter().zip(1..) {
        let sectors = if write.count == 0 { 256 } else { write.count.into() };
        goes_and_comes_back(IdeDriver::pio, seed, sectors, write, read);
    }
}

#[test]
fn the_multiple_commands_move_whole_blocks_and_a_shorter_last_one() {
    let short = |code, count| TaskFile::short(code, SYSTEM.0, count);
    let long = |code, count| TaskFile::long(code, DATA.0 + 5, count);
    goes_and_comes_back(
        IdeDriver::pio,
        1,
        40,
        short(command::WRITE_MULTIPLE, 40),
        short(command::READ_MULTIPLE, 40),
    );
    goes_and_comes_back(
        IdeDriver::pio,
        2,
        7,
        long(command::WRITE_MULTIPLE_EXT, 7),
        long(command::READ_MULTIPLE_EXT, 7),
    );
}

#[test]
fn the_multiple_commands_follow_the_number_that_the_guest_sets() {
    let mut rig = Rig::new();
    let driver = rig.first();
    let set = TaskFile {
        count: 8,
        ..TaskFile::plain(command::SET_MULTIPLE)
    };
    driver.pio(&mut rig, &Request::plain(set)).unwrap();
    let data = content(9, 20);
    let write = TaskFile::short(command::WRITE_MULTIPLE, SYSTEM.0, 20);
    driver.pio(&mut rig, &Request::sends(write, &data)).unwrap();
    let read = TaskFile::short(command::READ_MULTIPLE, SYSTEM.0, 20);
    let back = driver.pio(&mut rig, &Request::brings(read, data.len())).unwrap();
    assert!(back == data);
    rig.is_sound();
}

#[test]
fn the_bus_master_moves_ciphertext_only() {
    let long = |code, count| TaskFile::long(code, DATA.0 + 1, count);
    let short = |code, count| TaskFile::short(code, SYSTEM.0 + 3, count);
    let cases = [
        (short(command::WRITE_DMA, 1), short(command::READ_DMA, 1)),
        (long(command::WRITE_DMA_EXT, 8), long(command::READ_DMA_EXT, 8)),
        // Pieces: more than the buffer holds.
        (
            long(command::WRITE_DMA_EXT, 257),
            long(command::READ_DMA_EXT, 257),
        ),
        (
            long(command::WRITE_DMA_EXT, 2000),
            long(command::READ_DMA_EXT, 2000),
        ),
        (
            long(command::WRITE_DMA_FUA_EXT, 9),
            long(command::READ_DMA_EXT, 9),
        ),
    ];
    for ((write, read), seed) in cases.into_iter().zip(1..) {
        goes_and_comes_back(IdeDriver::dma, seed, write.count.into(), write, read);
    }
}

#[test]
fn the_largest_command_is_one_completion_for_the_guest() {
    let mut rig = Rig::new();
    let driver = rig.driver(Channel::Primary, Unit::First);
    let read = TaskFile::long(command::READ_DMA_EXT, SYSTEM.0, 0);
    let regions: Vec<(u64, usize)> = (0..512)
        .map(|part| (0x100_0000 + part * 0x1_0000, 0x1_0000))
        .collect();
    let request = Request::brings(read, 65_536 * 512).in_regions(&regions);
    driver.dma(&mut rig, &request).unwrap();
    let pieces = rig
        .disk()
        .commands()
        .iter()
        .filter(|task| task.command == command::READ_DMA_EXT);
    assert_eq!(pieces.count(), 256);
    rig.is_sound();
}

#[test]
fn regions_of_every_size_are_served_in_their_order() {
    let mut rig = Rig::new();
    let (driver, data) = (rig.first(), content(4, 3));
    let regions = [
        (0x20_0002, 2),
        (0x30_0000, 512),
        (0x20_0100, 1000),
        (0x2f_fffe, 2),
        (0x40_0000, 20),
    ];
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.0, 3);
    driver
        .dma(&mut rig, &Request::sends(write, &data).in_regions(&regions))
        .unwrap();
    assert!(rig.disk().platter.image(SYSTEM.0, 3) == on_disk(0, SYSTEM.0, SYSTEM.0, &data));
    let read = TaskFile::short(command::READ_DMA, SYSTEM.0, 3);
    let back = driver
        .dma(&mut rig, &Request::brings(read, data.len()).in_regions(&regions))
        .unwrap();
    assert!(back == data);
    rig.is_sound();
}

#[test]
fn the_engine_may_be_started_before_the_command_is_given() {
    let mut rig = Rig::new();
    let (driver, data) = (rig.first(), content(5, 2));
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.0, 2);
    driver.dma(&mut rig, &Request::sends(write, &data)).unwrap();
    rig.write_table(Channel::Primary, 0x10_0000);
    rig.write(
        Block::BusMaster,
        bus_master::COMMAND,
        bus_master::TO_MEMORY | bus_master::START,
    );
    let block = Block::Command(Channel::Primary);
    for (offset, value) in [
        (register::COUNT, 2),
        (register::LBA_LOW, 0),
        (register::LBA_MID, 8),
        (register::LBA_HIGH, 0),
        (register::DEVICE, 0x40),
        (register::STATUS, command::READ_DMA),
    ] {
        rig.write(block, offset, value);
    }
    rig.ide.run();
    let status = rig.read(Block::BusMaster, bus_master::STATUS);
    assert_eq!(
        status & (bus_master::INTERRUPT | bus_master::ACTIVE),
        bus_master::INTERRUPT
    );
    assert!(rig.memory.ram().bytes(0x11_0000, data.len()) == data);
    rig.is_sound();
}

#[test]
fn between_pieces_the_guest_sees_one_command_under_way() {
    let mut rig = Rig::new();
    let driver = rig.first();
    let request = Request::brings(TaskFile::long(command::READ_DMA_EXT, SYSTEM.0, 600), 600 * 512);
    driver.dma(&mut rig, &request).unwrap();
    rig.write(Block::BusMaster, bus_master::COMMAND, bus_master::TO_MEMORY);
    rig.write_table(Channel::Primary, 0x10_0000);
    rig.write(
        Block::Command(Channel::Primary),
        register::STATUS,
        command::READ_DMA_EXT,
    );
    rig.write(
        Block::BusMaster,
        bus_master::COMMAND,
        bus_master::TO_MEMORY | bus_master::START,
    );
    // The drive's interrupt for the first of three pieces.
    rig.ide.run();
    assert!(rig.ide.is_interrupting(Channel::Primary));
    let status = rig.read(Block::BusMaster, bus_master::STATUS);
    assert_eq!(
        status & (bus_master::INTERRUPT | bus_master::ACTIVE),
        bus_master::ACTIVE
    );
    assert_eq!(
        rig.read(Block::Command(Channel::Primary), register::STATUS) & 0x80,
        0x80
    );
    assert!(!rig.ide.is_interrupting(Channel::Primary));
    rig.ide.run();
    assert_eq!(rig.read(Block::Control(Channel::Primary), 2) & 0x80, 0x80);
    rig.ide.run();
    let status = rig.read(Block::BusMaster, bus_master::STATUS);
    assert_eq!(
        status & (bus_master::INTERRUPT | bus_master::ACTIVE),
        bus_master::INTERRUPT
    );
    assert!(rig.ide.is_interrupting(Channel::Primary));
    rig.is_sound();
}

#[test]
fn every_block_of_programmed_io_has_its_own_interrupt() {
    let mut rig = Rig::new();
    let block = Block::Command(Channel::Primary);
    let before = rig.ide.edges(Channel::Primary);
    let registers = [
        (2, 3),
        (3, 0),
        (4, 8),
        (5, 0),
        (6, 0x40),
        (7, command::READ_SECTORS),
    ];
    for (offset, value) in registers {
        rig.write(block, offset, value);
    }
    for taken in 1..=3 {
        rig.ide.run();
        assert_eq!(rig.ide.edges(Channel::Primary), before + taken);
        assert_eq!(rig.read(block, register::STATUS) & 0x88, 0x08);
        rig.read_data(Channel::Primary, &mut [0; 512]);
    }
    assert_eq!(rig.read(block, register::STATUS) & 0x88, 0);
    rig.is_sound();
}

#[test]
fn sectors_in_clear_are_as_the_guest_writes_them() {
    let mut rig = Rig::new();
    let (driver, data) = (rig.first(), content(6, 4));
    let write = TaskFile::short(command::WRITE_DMA, CLEAR.0, 4);
    driver.dma(&mut rig, &Request::sends(write, &data)).unwrap();
    assert!(rig.disk().platter.image(CLEAR.0, 4) == data);
    rig.is_sound();
}

#[test]
fn a_command_over_a_border_is_split_where_it_lies() {
    let mut rig = Rig::new();
    let (driver, data) = (rig.first(), content(7, 4));
    let write = TaskFile::short(command::WRITE_SECTORS, CLEAR.1 - 1, 4);
    driver.pio(&mut rig, &Request::sends(write, &data)).unwrap();
    assert!(rig.disk().platter.image(CLEAR.1 - 1, 2) == data[..1024]);
    assert!(rig.disk().platter.image(SYSTEM.0, 2) == on_disk(0, SYSTEM.0, SYSTEM.0, &data[1024..]));
    rig.is_sound();
}

#[test]
fn a_bad_sector_fails_the_guests_command_with_its_own_address() {
    let by = |move_data: Move, code: u8| {
        let mut rig = Rig::new();
        rig.disk_mut().platter.spoil(SYSTEM.0 + 500);
        let driver = rig.first();
        let request = Request::brings(TaskFile::long(code, SYSTEM.0, 600), 600 * 512);
        let failure = move_data(&driver, &mut rig, &request).unwrap_err();
        assert!(
            matches!(failure, Failure::Device { error: 0x40, lba, .. } if lba == SYSTEM.0 + 500),
            "{failure:?}"
        );
        rig.is_sound();
        // The drive goes on.
        driver.identify(&mut rig).unwrap();
    };
    by(IdeDriver::dma, command::READ_DMA_EXT);
    by(IdeDriver::pio, command::READ_SECTORS_EXT);
}

#[test]
fn a_drive_that_is_slow_is_waited_for() {
    let mut rig = Rig::new();
    let number = rig.disk().commands().len() as u64 + 1;
    rig.disk_mut().inject(Fault::Slow {
        command: number,
        steps: 50,
    });
    let (driver, data) = (rig.first(), content(8, 2));
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.0, 2);
    driver.dma(&mut rig, &Request::sends(write, &data)).unwrap();
    assert!(rig.disk().platter.image(SYSTEM.0, 2) == on_disk(0, SYSTEM.0, SYSTEM.0, &data));
    rig.is_sound();
}

#[test]
fn the_second_drive_about_which_nothing_is_said_reads_zeros() {
    let mut rig = Rig::new();
    let secret = content(3, 1);
    let second = rig.ide.disk_mut(Channel::Primary, 1).unwrap();
    second.platter.prepare(100, &secret);
    let driver = rig.driver(Channel::Primary, Unit::Second);
    let read = TaskFile::short(command::READ_DMA, 100, 1);
    let back = driver.dma(&mut rig, &Request::brings(read, 512)).unwrap();
    assert_eq!(back, [0; 512]);
    let write = TaskFile::short(command::WRITE_DMA, 100, 1);
    let refused = driver.dma(&mut rig, &Request::sends(write, &secret)).unwrap_err();
    assert!(
        matches!(refused, Failure::Device { error: 0x04, .. }),
        "{refused:?}"
    );
    assert!(
        rig.ide
            .disk(Channel::Primary, 1)
            .unwrap()
            .platter
            .written()
            .is_empty()
    );
}
