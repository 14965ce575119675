//! The guest's IDE driver, the mediator, and a controller with two disks and a packet drive.

mod hostile;
mod packets;
mod pokes;
mod power;
mod refusals;
mod resets;
mod transfers;

use super::layout;
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::disk::ata::{Ata, Block, Channel, Ports};
use sekisho_mediator::pci::Width;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Disk, Drive, PacketDrive};
use sekisho_models::guest::{IdeDriver, IdeWindow, Unit};
use sekisho_models::ide::Ide;
use sekisho_models::ide::spec::{CONTROL, bus_master, control, register};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Where the guest's driver keeps its table, and behind it its data.
const TABLE: u32 = 0x10_0000;
const DATA_PLACE: u64 = 0x11_0000;
const COMMAND_BLOCK: Block = Block::Command(Channel::Primary);

/// A controller that was taken over, and its guest. Every scenario asserts that the mediator went by the book.
struct Scene {
    ide: Ide,
    ata: Ata,
    memory: Memory,
}

impl Scene {
    /// Two disks on the primary channel, a packet drive as the second one of the secondary.
    fn new() -> Self {
        Self::with_packets(Atapi::Refuse)
    }

    fn with_packets(atapi: Atapi) -> Self {
        let disk = |serial| Some(layout::disk(serial, BlockSize::B512));
        let medium = PacketDrive::new(layout::content(7, 64 * 2048));
        Self::of(
            [disk("FIRST"), disk("SECOND"), None, Some(Drive::Packet(medium))],
            atapi,
        )
    }

    fn of(drives: [Option<Drive>; 4], atapi: Atapi) -> Self {
        let mut memory = Memory::new(Ram::new(64 << 20), Reach::Buffers);
        let mut ide = Ide::new(&memory, drives);
        ide.set_pace(Pace::AtAccess);
        let source = memory.clone();
        let ata = Ata::attach(
            atapi,
            &mut ide,
            &mut memory,
            &mut |length, _| Some(source.buffer(length)),
            &mut layout::Everywhere::default(),
        );
        ide.set_pace(Pace::WhenTold);
        Self {
            ide,
            ata: ata.ok().unwrap(),
            memory,
        }
    }

    /// The guest's driver of the first disk.
    fn driver(&self) -> IdeDriver {
        self.driver_of(Channel::Primary, Unit::First)
    }

    fn driver_of(&self, channel: Channel, unit: Unit) -> IdeDriver {
        IdeDriver::new(&self.memory, channel, unit, TABLE.into())
    }

    /// The first disk.
    fn disk(&self) -> &Disk {
        self.ide.disk(Channel::Primary, 0).unwrap()
    }

    fn disk_mut(&mut self) -> &mut Disk {
        self.ide.disk_mut(Channel::Primary, 0).unwrap()
    }

    /// Software reset of the primary channel, and IDENTIFY of its first disk.
    fn reset(&mut self) {
        for value in [control::SRST, 0] {
            self.write(Block::Control(Channel::Primary), CONTROL, value);
        }
        self.ide.run();
        self.write_registers(&[
            (register::DEVICE, 0),
            (register::STATUS, command::IDENTIFY_DEVICE),
        ]);
        self.ide.run();
        self.read_data(Channel::Primary, &mut [0; 512]);
    }

    /// Writes registers of the primary channel one after another; the command is register 7.
    fn write_registers(&mut self, registers: &[(u16, u8)]) {
        for (offset, value) in registers {
            self.write(COMMAND_BLOCK, *offset, *value);
        }
    }

    /// Writes the primary bus master's command register.
    fn drive_engine(&mut self, command: u8) {
        self.write(Block::BusMaster, bus_master::COMMAND, command);
    }

    /// The interrupt and active bits of the primary bus master's status.
    fn engine(&mut self) -> u8 {
        self.read(Block::BusMaster, bus_master::STATUS) & (bus_master::INTERRUPT | bus_master::ACTIVE)
    }

    /// The primary channel's status, read as it takes the interrupt back.
    fn status(&mut self) -> u8 {
        self.read(COMMAND_BLOCK, register::STATUS)
    }

    fn alternate(&mut self) -> u8 {
        self.read(Block::Control(Channel::Primary), CONTROL)
    }

    fn load(&mut self, block: Block, offset: u16, width: Width) -> u32 {
        self.ata
            .read(&mut self.ide, &mut self.memory, block, offset, width)
    }

    fn store(&mut self, block: Block, offset: u16, width: Width, value: u32) {
        self.ata
            .write(&mut self.ide, &mut self.memory, block, offset, width, value);
    }
}

/// The guest's accesses end in the mediator.
impl Ports for Scene {
    fn read(&mut self, block: Block, offset: u16) -> u8 {
        self.load(block, offset, Width::Byte).try_into().unwrap()
    }

    fn write(&mut self, block: Block, offset: u16, value: u8) {
        self.store(block, offset, Width::Byte, value.into());
    }

    fn write_table(&mut self, channel: Channel, address: u32) {
        let offset = match channel {
            Channel::Primary => bus_master::TABLE,
            Channel::Secondary => bus_master::SIZE + bus_master::TABLE,
        };
        self.store(Block::BusMaster, offset, Width::Dword, address);
    }

    fn read_data(&mut self, channel: Channel, bytes: &mut [u8]) {
        self.ata
            .read_data(&mut self.ide, &mut self.memory, channel, bytes);
    }

    fn write_data(&mut self, channel: Channel, bytes: &[u8]) {
        self.ata
            .write_data(&mut self.ide, &mut self.memory, channel, bytes);
    }
}

impl IdeWindow for Scene {
    fn wait(&mut self) {
        self.ide.step();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.memory.breaches(), [], "the mediator went by the book");
            for number in 0..2 {
                let disk = self.ide.disk(Channel::Primary, number);
                let harm = disk.map(Disk::harm).unwrap_or_default();
                assert_eq!(harm, [], "a command did harm on disk {number}");
            }
        }
    }
}
