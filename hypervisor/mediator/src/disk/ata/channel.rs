//! One channel as the guest has it: registers, the command that is under way, two drives.
//!
//! What the guest writes into the registers of a command reaches the drives as it is, so that presence, signatures and
//! selection are theirs; a command is made of our copy of them, and written anew when it is given. The data port is the
//! drive's only for a packet command's data.

use super::Ports;
use super::bus_master::{BusMaster, Lever, UNDER_WAY};
use super::dma::Dma;
use super::memory::Shadow;
use super::packet::{Movement, Packet};
use super::payload::Payload;
use super::pio::{Pio, Progress};
use super::registers::{Position, Written};
use super::slots::Slots;
use super::spec::{control, register, status};
use super::wire::Wire;
use crate::disk::command::After;
use crate::seam::Host;
use sekisho_abi::storage::Atapi;

/// What the guest reads in the status while a command is under way: busy, and ready as in most drives.
const BUSY: u8 = status::BUSY | status::READY;

/// A channel.
pub(super) struct Mediated {
    pub(super) slots: Slots,
    pub(super) written: Written,
    /// What the guest wrote to the device control register.
    pub(super) control: u8,
    pub(super) activity: Activity,
    pub(super) master: BusMaster,
    pub(super) shadow: Shadow,
    pub(super) atapi: Atapi,
}

/// What is under way.
pub(super) enum Activity {
    /// Nothing of ours: the drive's registers say how it is.
    Drive,
    /// A command without data; what is done when the drive has carried it out.
    Passing(Position, After),
    /// Programmed I/O.
    Pio(Pio),
    /// A bus-master transfer.
    Dma(Dma),
    /// A packet command that is not [`Activity::Dma`] (yet).
    Packet(Packet),
    /// A drive waits for data that it does not get: busy until it is reset.
    Halted,
}

impl Mediated {
    /// The guest reads a register of the command block that is not the data port.
    pub(super) fn read<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, offset: u16) -> u8 {
        self.poll(wire);
        match self.status() {
            Some(status) if offset == register::STATUS => status,
            _ => wire.register(offset),
        }
    }

    /// The guest reads the alternate status.
    pub(super) fn read_alternate<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>) -> u8 {
        self.poll(wire);
        self.status().unwrap_or_else(|| wire.alternate())
    }

    /// The status that is not the drive's own.
    const fn status(&self) -> Option<u8> {
        match &self.activity {
            Activity::Pio(pio) => pio.status(),
            Activity::Dma(_) | Activity::Halted => Some(BUSY),
            Activity::Drive | Activity::Passing(..) | Activity::Packet(_) => None,
        }
    }

    /// The guest writes a register of the command block that is neither data nor command.
    pub(super) fn write<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, offset: u16, value: u8) {
        self.poll(wire);
        let now = self.status().unwrap_or_else(|| wire.alternate());
        // At a drive that is at work the write has no effect; where there is none, it may select the other one.
        if rests(now) || status::FLOATING.contains(&now) {
            self.written.write(offset, value);
            wire.set_register(offset, value);
        }
    }

    /// Whether the selected drive would take a command.
    pub(super) fn rests<P: Ports, H: Host>(&self, wire: &mut Wire<'_, P, H>) -> bool {
        rests(self.status().unwrap_or_else(|| wire.alternate()))
    }

    /// The guest writes the device control register.
    pub(super) fn write_control<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, value: u8) {
        const KNOWN: u8 = control::HIGH_ORDER | control::OBSOLETE | control::RESET | control::NO_INTERRUPT;
        if value & control::RESET != 0 {
            self.abandon(wire);
            self.written = Written::RESET;
            self.slots.reset();
        }
        self.control = value & KNOWN;
        wire.set_control(self.control);
    }

    /// Whatever is under way is given up; the bus master no longer reaches memory.
    pub(super) fn abandon<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>) {
        if let Activity::Dma(dma) = &mut self.activity {
            dma.stop(wire, &mut self.shadow);
        }
        self.activity = Activity::Drive;
    }

    /// The guest reads the data port.
    pub(super) fn read_data<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, bytes: &mut [u8]) {
        match &mut self.activity {
            Activity::Pio(pio) => {
                let drive = self.slots.drive(pio.position);
                if let (Some(drive), Some(buffer)) = (drive, self.shadow.data.as_mut()) {
                    let progress = pio.read(wire, drive, buffer, bytes);
                    self.settle(wire, progress);
                }
            }
            Activity::Packet(packet) if packet.position == self.written.selected() => {
                packet.read(wire, bytes);
            }
            _ => bytes.fill(u8::MAX),
        }
    }

    /// The guest writes the data port.
    pub(super) fn write_data<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, bytes: &[u8]) {
        match &mut self.activity {
            Activity::Pio(pio) => {
                let drive = self.slots.drive(pio.position);
                if let (Some(drive), Some(buffer)) = (drive, self.shadow.data.as_mut()) {
                    let progress = pio.write(wire, drive, buffer, bytes);
                    self.settle(wire, progress);
                }
            }
            Activity::Packet(packet) if packet.position == self.written.selected() => {
                packet.write(wire, self.atapi, bytes);
                self.try_begin(wire);
            }
            _ => {}
        }
    }

    /// The guest reads a byte of its half of the bus master.
    pub(super) fn read_master<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, offset: u16) -> u8 {
        self.poll(wire);
        self.master.read(wire, offset, self.hidden())
    }

    /// The guest writes a byte of its half of the bus master.
    pub(super) fn write_master<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        offset: u16,
        value: u8,
    ) {
        self.poll(wire);
        let hidden = self.hidden();
        match self.master.write(wire, offset, value, hidden) {
            Lever::Started => self.try_begin(wire),
            // Given up in the middle: the drive waits for its reset, as on the bare machine.
            Lever::Stopped if self.is_running() => self.abandon(wire),
            Lever::Stopped | Lever::Unmoved => {}
        }
    }

    const fn is_running(&self) -> bool {
        matches!(&self.activity, Activity::Dma(dma) if dma.is_running())
    }

    /// What is hidden of the bus master's status.
    const fn hidden(&self) -> u8 {
        if self.is_running() { UNDER_WAY } else { 0 }
    }

    /// Begins the transfer for which both the command and the guest's bus master are there.
    pub(super) fn try_begin<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>) {
        if !self.master.is_started() {
            return;
        }
        if let Activity::Packet(packet) = &self.activity
            && packet.is_given()
            && packet.movement == Movement::BusMaster
        {
            let payload = Payload::Packet(self.master.towards());
            let dma = Dma::packet(packet.position, payload, Shadow::CAPACITY);
            self.activity = Activity::Dma(dma);
        }
        let Activity::Dma(dma) = &mut self.activity else {
            return;
        };
        if let Some(drive) = self.slots.drive(dma.position)
            && !dma.is_running()
        {
            let progress = dma.begin(wire, drive, &mut self.shadow, self.master.table());
            self.settle(wire, progress);
        }
    }

    /// Looks what has become of the command that is under way.
    pub(super) fn poll<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>) {
        match &mut self.activity {
            Activity::Passing(position, after) => {
                let now = wire.alternate();
                if now & status::BUSY != 0 {
                    return;
                }
                if let Some(drive) = self.slots.drive(*position)
                    && now & (status::ERROR | status::FAULT) == 0
                {
                    drive.answered(*after, 0, &mut []);
                }
                self.activity = Activity::Drive;
            }
            Activity::Dma(dma) => {
                if let Some(drive) = self.slots.drive(dma.position) {
                    let progress = dma.poll(wire, drive, &mut self.shadow);
                    self.settle(wire, progress);
                }
            }
            Activity::Drive | Activity::Pio(_) | Activity::Packet(_) | Activity::Halted => {}
        }
    }

    /// A transfer has gone on.
    fn settle<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, progress: Progress) {
        self.activity = match (progress, &self.activity) {
            (Progress::Going, _) => return,
            (Progress::Over, Activity::Dma(dma)) => {
                if dma.has_exhausted() {
                    self.master.finish();
                }
                Activity::Drive
            }
            (Progress::Failed, Activity::Dma(dma)) => {
                self.master.fail();
                // A packet device that waits for its data takes no other command.
                if !dma.is_packet() {
                    wire.abort(self.written.device());
                }
                Activity::Drive
            }
            (Progress::Over, _) => Activity::Drive,
            (Progress::Failed, _) => Activity::Halted,
        };
    }
}

/// Whether a drive with this status takes registers and commands.
const fn rests(now: u8) -> bool {
    now & (status::BUSY | status::DATA_REQUEST) == 0
}
