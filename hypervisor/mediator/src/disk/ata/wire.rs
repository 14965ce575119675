//! One channel of the real controller, as the rest of the mediator speaks to it.

use super::registers::Position;
use super::spec::{CONTROL, bus_master, register, status};
use super::{Block, Channel, Ports};
use crate::disk::command::{TaskFile, aborted};
use crate::disk::incident::{Incident, Incidents};
use crate::seam::{DeviceAddress, Host};

/// Reads of the alternate status that take the 400 ns in which a device may not yet show that it is busy (ATA/ATAPI-7
/// volume 2, 9.2).
const SETTLE: usize = 4;

/// The channel, what the machine lends for the time of one access, and where incidents are counted.
pub(super) struct Wire<'a, P, H> {
    pub(super) ports: &'a mut P,
    pub(super) host: &'a mut H,
    pub(super) incidents: &'a mut Incidents,
    pub(super) channel: Channel,
}

/// Which way the bus master moves data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Towards {
    /// From the drive.
    Memory,
    /// To the drive.
    Drive,
}

impl Towards {
    const fn bit(self) -> u8 {
        match self {
            Self::Memory => bus_master::TO_MEMORY,
            Self::Drive => 0,
        }
    }
}

impl<P: Ports, H: Host> Wire<'_, P, H> {
    /// A register of the command block; reading the status takes a waiting interrupt back.
    pub(super) fn register(&mut self, offset: u16) -> u8 {
        self.ports.read(Block::Command(self.channel), offset)
    }

    /// Writes a register of the command block.
    pub(super) fn set_register(&mut self, offset: u16, value: u8) {
        self.ports.write(Block::Command(self.channel), offset, value);
    }

    /// The status, without a side effect.
    pub(super) fn alternate(&mut self) -> u8 {
        self.ports.read(Block::Control(self.channel), CONTROL)
    }

    /// The same, when it has come to hold for a command just given or a drive just selected.
    pub(super) fn settled(&mut self) -> u8 {
        let mut now = 0;
        for _ in 0..SETTLE {
            now = self.alternate();
        }
        now
    }

    /// Writes the device control register.
    pub(super) fn set_control(&mut self, value: u8) {
        self.ports.write(Block::Control(self.channel), CONTROL, value);
    }

    /// A register of this channel's half of the bus master.
    pub(super) fn master(&mut self, offset: u16) -> u8 {
        let offset = self.master_offset(offset);
        self.ports.read(Block::BusMaster, offset)
    }

    /// Writes a register of this channel's half of the bus master.
    pub(super) fn set_master(&mut self, offset: u16, value: u8) {
        let offset = self.master_offset(offset);
        self.ports.write(Block::BusMaster, offset, value);
    }

    const fn master_offset(&self, offset: u16) -> u16 {
        match self.channel {
            Channel::Primary => offset,
            Channel::Secondary => offset + bus_master::SIZE,
        }
    }

    /// Clears what the bus master reports. The other bits of its status keep their values: they are the firmware's.
    pub(super) fn clear_master(&mut self) {
        let reported = bus_master::ERROR | bus_master::INTERRUPT;
        let now = self.master(bus_master::STATUS);
        self.set_master(bus_master::STATUS, now & !bus_master::ACTIVE | reported);
    }

    /// Prepares a transfer over the descriptor table at `table`.
    pub(super) fn aim(&mut self, towards: Towards, table: DeviceAddress) {
        self.stop(towards);
        self.clear_master();
        // `Memory` has checked that tables lie below 4 GiB.
        let table = u32::try_from(table.0).unwrap_or_default();
        self.ports.write_table(self.channel, table);
    }

    /// Lets the engine run.
    pub(super) fn start(&mut self, towards: Towards) {
        self.set_master(bus_master::COMMAND, towards.bit() | bus_master::START);
    }

    /// Stops the engine: from now on it neither reads nor writes memory.
    pub(super) fn stop(&mut self, towards: Towards) {
        self.set_master(bus_master::COMMAND, towards.bit());
    }

    /// Gives a command to the drive that `task` selects. Every register is written twice, so that nothing is left of
    /// what the guest wrote.
    pub(super) fn give(&mut self, task: &TaskFile) {
        let [features, features_before] = task.features.to_le_bytes();
        let [count, count_before] = task.count.to_le_bytes();
        let [low, mid, high, low_before, mid_before, high_before, ..] = task.lba.to_le_bytes();
        self.set_register(register::DEVICE, task.device);
        self.settled();
        for (offset, before, now) in [
            (register::FEATURES, features_before, features),
            (register::COUNT, count_before, count),
            (register::LBA_LOW, low_before, low),
            (register::LBA_MID, mid_before, mid),
            (register::LBA_HIGH, high_before, high),
        ] {
            self.set_register(offset, before);
            self.set_register(offset, now);
        }
        self.set_register(register::STATUS, task.command);
        self.settled();
    }

    /// Gives a command that the drive aborts, in place of one that is not carried out: error, status and interrupt are
    /// the drive's own.
    /// `device` is what the guest has in the device register.
    pub(super) fn abort(&mut self, device: u8) {
        self.give(&TaskFile { device, ..aborted() });
    }

    /// Whether the drive has, or waits for, data at the data port.
    pub(super) fn is_ready(&mut self) -> bool {
        self.alternate() & (status::BUSY | status::DATA_REQUEST) == status::DATA_REQUEST
    }

    /// Counts an incident at a drive.
    pub(super) fn count(&mut self, incident: Incident, position: Position, subject: u64) {
        self.incidents.add(incident, self.channel.port(position), subject);
    }
}
