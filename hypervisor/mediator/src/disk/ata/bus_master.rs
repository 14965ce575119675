//! What the guest wrote to its half of the bus master. None of it reaches the real engine but what it clears.

use super::Ports;
use super::spec::bus_master::{ACTIVE, COMMAND, ERROR, INTERRUPT, SIZE, START, STATUS, TABLE, TO_MEMORY};
use super::wire::{Towards, Wire};
use crate::seam::Host;

/// The guest's view.
pub(super) struct BusMaster {
    command: u8,
    table: u32,
    /// Started, with regions left.
    active: bool,
    /// Its table led where it has no memory, or was too short.
    failed: bool,
}

/// What a write to the command register did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lever {
    /// The engine was stopped, and is to run.
    Started,
    /// It was to run, and is stopped.
    Stopped,
    /// Neither.
    Unmoved,
}

impl BusMaster {
    pub(super) const IDLE: Self = Self {
        command: 0,
        table: 0,
        active: false,
        failed: false,
    };

    /// Whether the guest lets it run.
    pub(super) const fn is_started(&self) -> bool {
        self.command & START != 0
    }

    /// Which way the guest says.
    pub(super) const fn towards(&self) -> Towards {
        if self.command & TO_MEMORY == 0 {
            Towards::Drive
        } else {
            Towards::Memory
        }
    }

    /// Where the guest's table lies.
    pub(super) const fn table(&self) -> u32 {
        self.table
    }

    /// The guest's regions are used up.
    pub(super) const fn finish(&mut self) {
        self.active = false;
    }

    /// The guest's table did not serve: what a bus error looks like.
    pub(super) const fn fail(&mut self) {
        self.active = false;
        self.failed = true;
    }

    /// Reads a byte. `hidden` are bits of the real status that are not the guest's to see yet.
    pub(super) fn read<P: Ports, H: Host>(&self, wire: &mut Wire<'_, P, H>, offset: u16, hidden: u8) -> u8 {
        const END: u16 = SIZE - 1;
        let [t0, t1, t2, t3] = self.table.to_le_bytes();
        match offset {
            COMMAND => self.command,
            STATUS => {
                let active = if self.active { ACTIVE } else { 0 };
                let failed = if self.failed { ERROR } else { 0 };
                wire.master(STATUS) & !(ACTIVE | hidden) | active | failed
            }
            TABLE => t0,
            5 => t1,
            6 => t2,
            END => t3,
            _ => 0,
        }
    }

    /// Writes a byte. `hidden` are bits of the real status that are not the guest's to clear yet.
    pub(super) fn write<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        offset: u16,
        value: u8,
        hidden: u8,
    ) -> Lever {
        const END: u16 = SIZE - 1;
        let [mut t0, mut t1, mut t2, mut t3] = self.table.to_le_bytes();
        match offset {
            COMMAND => return self.pull(value & (START | TO_MEMORY)),
            STATUS => {
                self.failed &= value & ERROR == 0;
                wire.set_master(STATUS, value & !(ACTIVE | hidden));
            }
            TABLE => t0 = value & !3,
            5 => t1 = value,
            6 => t2 = value,
            END => t3 = value,
            _ => {}
        }
        self.table = u32::from_le_bytes([t0, t1, t2, t3]);
        Lever::Unmoved
    }

    const fn pull(&mut self, command: u8) -> Lever {
        let before = self.is_started();
        self.command = command;
        self.active = self.is_started() && (self.active || !before);
        match (before, self.is_started()) {
            (false, true) => Lever::Started,
            (true, false) => Lever::Stopped,
            _ => Lever::Unmoved,
        }
    }
}

/// What is hidden of the real status while a transfer of ours is under way.
pub(super) const UNDER_WAY: u8 = ERROR | INTERRUPT;
