//! The controller: whose register it is.

use super::channel::Channel;
use super::spec::{CONTROL, bus_master};
use crate::ata::{Disk, Drive};
use crate::breach::Breach;
use crate::memory::Memory;
use crate::pace::Pace;
use crate::sequence::Sequence;
use sekisho_mediator::disk::ata::{Block, Channel as Which, Ports};

/// Four drives on two channels: primary first and second, secondary first and second.
#[derive(Clone, Debug)]
pub struct Ide {
    memory: Memory,
    primary: Channel,
    secondary: Channel,
    pace: Pace,
}

const PRIMARY: u16 = 0x1f0;
const SECONDARY: u16 = 0x170;
/// Where the bus master is taken to lie, to name it.
const BUS_MASTER: u16 = 0xc000;
/// More steps than any command needs.
const ENOUGH: usize = 1_000_000;

impl Ide {
    /// A controller with these drives.
    #[must_use]
    pub fn new(memory: &Memory, drives: [Option<Drive>; 4]) -> Self {
        let [a, b, c, d] = drives;
        Self {
            memory: memory.clone(),
            primary: Channel::new(memory, PRIMARY, BUS_MASTER, [a, b]),
            secondary: Channel::new(memory, SECONDARY, BUS_MASTER + bus_master::SIZE, [c, d]),
            pace: Pace::WhenTold,
        }
    }

    /// When it works from now on.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Does one thing; whether there was one to do.
    pub fn step(&mut self) -> bool {
        self.primary.step() || self.secondary.step()
    }

    /// Works until there is nothing left to do.
    pub fn run(&mut self) {
        for _ in 0..ENOUGH {
            if !self.step() {
                return;
            }
        }
    }

    /// Whether the interrupt line of a channel is high.
    #[must_use]
    pub fn is_interrupting(&self, channel: Which) -> bool {
        self.channel(channel).is_interrupting()
    }

    /// How often it went high.
    #[must_use]
    pub fn edges(&self, channel: Which) -> u64 {
        self.channel(channel).edges()
    }

    /// A disk, the first or second (0 or 1) of its channel.
    #[must_use]
    pub fn disk(&self, channel: Which, number: usize) -> Option<&Disk> {
        self.channel(channel).drives.get(number)?.as_ref()?.disk()
    }

    /// A disk, the first or second (0 or 1) of its channel.
    pub fn disk_mut(&mut self, channel: Which, number: usize) -> Option<&mut Disk> {
        self.channel_mut(channel)
            .drives
            .get_mut(number)?
            .as_mut()?
            .disk_mut()
    }

    /// Every disk loses its power, and the controller is as after switching on.
    pub fn lose_power(&mut self, chance: &mut Sequence) {
        let mut take = |channel: &mut Channel| {
            channel.drives.iter_mut().for_each(|drive| {
                if let Some(disk) = drive.as_mut().and_then(Drive::disk_mut) {
                    disk.lose_power(chance);
                }
            });
            std::mem::take(&mut channel.drives)
        };
        let ([a, b], [c, d]) = (take(&mut self.primary), take(&mut self.secondary));
        *self = Self::new(&self.memory, [a, b, c, d]);
    }

    const fn channel(&self, channel: Which) -> &Channel {
        match channel {
            Which::Primary => &self.primary,
            Which::Secondary => &self.secondary,
        }
    }

    const fn channel_mut(&mut self, channel: Which) -> &mut Channel {
        match channel {
            Which::Primary => &mut self.primary,
            Which::Secondary => &mut self.secondary,
        }
    }

    fn access(&mut self) {
        self.memory.tick();
        if self.pace == Pace::AtAccess {
            self.step();
        }
    }

    /// The channel whose bus master has the port at `offset`, and the offset in it.
    fn bus_master(&mut self, offset: u16) -> (&mut Channel, u16) {
        match offset.checked_sub(bus_master::SIZE) {
            None => (&mut self.primary, offset),
            Some(behind) => (&mut self.secondary, behind),
        }
    }
}

impl Ports for Ide {
    fn read(&mut self, block: Block, offset: u16) -> u8 {
        self.access();
        match block {
            Block::Command(channel) => self.channel_mut(channel).read(offset),
            Block::Control(channel) if offset == CONTROL => self.channel_mut(channel).alternate_status(),
            Block::Control(_) => u8::MAX,
            Block::BusMaster => {
                let (channel, offset) = self.bus_master(offset);
                let [a, b, c, d] = channel.bus_master.table.to_le_bytes();
                let registers = [
                    channel.bus_master.command,
                    0,
                    channel.bus_master.status,
                    0,
                    a,
                    b,
                    c,
                    d,
                ];
                crate::bytes::byte(&registers, offset.into())
            }
        }
    }

    fn write(&mut self, block: Block, offset: u16, value: u8) {
        self.access();
        match block {
            Block::Command(channel) => self.channel_mut(channel).write(offset, value),
            Block::Control(channel) if offset == CONTROL => self.channel_mut(channel).write_control(value),
            Block::Control(_) => self.memory.breach(Breach::NotExpected(offset)),
            Block::BusMaster => {
                let (channel, offset) = self.bus_master(offset);
                match offset {
                    bus_master::COMMAND => channel.bus_master.write_command(value),
                    bus_master::STATUS => channel.bus_master.write_status(value),
                    _ => channel.bus_master.expect(false),
                }
            }
        }
    }

    fn write_table(&mut self, channel: Which, address: u32) {
        self.access();
        self.channel_mut(channel).bus_master.write_table(address);
    }

    fn read_data(&mut self, channel: Which, bytes: &mut [u8]) {
        self.access();
        self.channel_mut(channel).read_data(bytes);
    }

    fn write_data(&mut self, channel: Which, bytes: &[u8]) {
        self.access();
        self.channel_mut(channel).write_data(bytes);
    }
}
