//! The guest's driver on the bare controller: what it does is no breach, and the data comes back.

use super::Ide;
use super::spec::{bus_master, register};
use crate::ata::spec::{command, error};
use crate::ata::{Disk, Drive, Fault, Geometry, PacketDrive, TaskFile, packet};
use crate::breach::Breach;
use crate::guest::{Failure, IdeDriver, IdeWindow, Request, Unit};
use crate::memory::{Memory, Reach};
use crate::ram::Ram;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};

const BASE: u64 = 0x10_0000;

impl IdeWindow for Ide {
    fn wait(&mut self) {
        self.step();
    }
}

fn disk(serial: &str) -> Option<Drive> {
    Some(Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: 1 << 29,
        sector_size: 512,
        serial: serial.to_owned(),
    }))))
}

fn bare() -> (Ide, Memory) {
    let memory = Memory::new(Ram::new(64 << 20), Reach::Guest);
    let medium = PacketDrive::new(pattern(7, 32));
    let drives = [disk("FIRST"), disk("SECOND"), Some(Drive::Packet(medium)), None];
    (Ide::new(&memory, drives), memory)
}

fn driver(memory: &Memory, channel: Channel, unit: Unit) -> IdeDriver {
    IdeDriver::new(memory, channel, unit, BASE)
}

fn pattern(seed: u8, sectors: usize) -> Vec<u8> {
    (0..=250)
        .map(|place: u8| seed.wrapping_add(place))
        .cycle()
        .take(sectors * 512)
        .collect()
}

#[test]
fn what_is_written_through_the_data_port_is_read_again() {
    let (mut ide, memory) = bare();
    let driver = driver(&memory, Channel::Primary, Unit::Second);
    let pairs = [
        (
            TaskFile::short(command::WRITE_SECTORS, 100, 40),
            TaskFile::short(command::READ_SECTORS, 100, 40),
        ),
        (
            TaskFile::short(command::WRITE_MULTIPLE, 200, 40),
            TaskFile::short(command::READ_MULTIPLE, 200, 40),
        ),
        (
            TaskFile::long(command::WRITE_SECTORS_EXT, 1 << 28, 40),
            TaskFile::long(command::READ_MULTIPLE_EXT, 1 << 28, 40),
        ),
    ];
    for (seed, (write, read)) in (1..).zip(pairs) {
        let content = pattern(seed, 40);
        driver.pio(&mut ide, &Request::sends(write, &content)).unwrap();
        let back = driver.pio(&mut ide, &Request::brings(read, 40 * 512)).unwrap();
        assert_eq!(back, content, "{write:?}");
    }
    assert_eq!(ide.disk(Channel::Primary, 0).unwrap().commands(), []);
    assert_eq!(memory.breaches(), []);
}

#[test]
fn what_the_bus_master_moves_comes_back() {
    let (mut ide, memory) = bare();
    let driver = driver(&memory, Channel::Primary, Unit::First);
    let content = pattern(3, 300);
    let write = TaskFile::long(command::WRITE_DMA_EXT, 5, 300);
    driver.dma(&mut ide, &Request::sends(write, &content)).unwrap();
    let read = TaskFile::long(command::READ_DMA_EXT, 5, 300);
    let back = driver
        .dma(&mut ide, &Request::brings(read, content.len()))
        .unwrap();
    assert_eq!(back, content);
    assert_eq!(memory.breaches(), []);
}

#[test]
fn a_bad_sector_ends_the_command_behind_the_good_ones() {
    let (mut ide, memory) = bare();
    ide.disk_mut(Channel::Primary, 0).unwrap().platter.spoil(12);
    let driver = driver(&memory, Channel::Primary, Unit::First);
    let request = Request::brings(TaskFile::short(command::READ_SECTORS, 10, 4), 4 * 512);
    let failure = driver.pio(&mut ide, &request).unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Device {
                error: error::UNC,
                lba: 12,
                ..
            }
        ),
        "{failure:?}"
    );
    assert_eq!(memory.breaches(), []);
}

#[test]
fn an_interrupt_comes_with_the_end_and_goes_when_the_status_is_read() {
    let (mut ide, memory) = bare();
    driver(&memory, Channel::Primary, Unit::First)
        .reset(&mut ide)
        .unwrap();
    let command_block = Block::Command(Channel::Primary);
    Ports::write(&mut ide, command_block, register::STATUS, command::FLUSH_CACHE);
    assert!(!ide.is_interrupting(Channel::Primary));
    ide.run();
    assert!(ide.is_interrupting(Channel::Primary));
    assert_eq!(
        Ports::read(&mut ide, Block::BusMaster, bus_master::STATUS),
        bus_master::INTERRUPT
    );
    Ports::read(&mut ide, command_block, register::STATUS);
    assert!(!ide.is_interrupting(Channel::Primary));
}

#[test]
fn a_packet_drive_says_what_it_is_and_reads_by_both_ways() {
    let (mut ide, memory) = bare();
    let driver = driver(&memory, Channel::Secondary, Unit::First);
    assert_eq!(driver.reset(&mut ide).unwrap(), (0x14, 0xeb));
    let read = [packet::operation::READ_10, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0];
    let by_port = Request::brings(
        TaskFile {
            lba: 2048 << 8,
            ..TaskFile::plain(command::PACKET)
        },
        6144,
    );
    let by_dma = Request::brings(TaskFile::plain(command::PACKET).with_features(1), 6144);
    let expected = pattern(7, 32)[2048..8192].to_vec();
    assert_eq!(
        driver.pio(&mut ide, &by_port.with_packet(read)).unwrap(),
        expected
    );
    assert_eq!(driver.dma(&mut ide, &by_dma.with_packet(read)).unwrap(), expected);
    assert_eq!(memory.breaches(), []);
}

#[test]
fn a_silent_drive_is_woken_by_a_software_reset() {
    let (mut ide, memory) = bare();
    ide.disk_mut(Channel::Primary, 0)
        .unwrap()
        .inject(Fault::Silent { command: 1 });
    let driver = driver(&memory, Channel::Primary, Unit::First);
    assert_eq!(driver.identify(&mut ide), Err(Failure::TimedOut));
    driver.reset(&mut ide).unwrap();
    assert!(driver.identify(&mut ide).is_ok());
    assert_eq!(memory.breaches(), []);
}

#[test]
fn nobody_answers_where_no_drive_is() {
    let (mut ide, memory) = bare();
    let driver = driver(&memory, Channel::Secondary, Unit::Second);
    assert_eq!(driver.identify(&mut ide), Err(Failure::Gone));
}

#[test]
fn a_command_or_data_out_of_turn_is_a_breach() {
    let (mut ide, memory) = bare();
    let block = Block::Command(Channel::Primary);
    Ports::write(&mut ide, block, register::STATUS, command::IDENTIFY_DEVICE);
    Ports::write(&mut ide, block, register::STATUS, command::IDENTIFY_DEVICE);
    ide.read_data(Channel::Primary, &mut [0; 2]);
    ide.run();
    ide.read_data(Channel::Primary, &mut [0; 514]);
    assert_eq!(
        memory.breaches(),
        [
            Breach::NotExpected(0x1f7),
            Breach::NotExpected(0x1f0),
            Breach::NotExpected(0x1f0),
        ]
    );
}
