//! A channel's bus master: its registers, its table of regions, and the data it moves.

use super::spec::bus_master::{ACTIVE, BOUNDARY, CAPABLE, END, ERROR, INTERRUPT, START, TO_MEMORY};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::{Claim, Memory, POISON};

/// Entries that a table of 64 KiB has.
const MOST_REGIONS: usize = 8192;
const ENTRY_SIZE: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct BusMaster {
    memory: Memory,
    /// The port of the command register, which names it.
    port: u16,
    pub(super) command: u8,
    pub(super) status: u8,
    pub(super) table: u32,
    regions: Vec<(u64, usize)>,
}

impl BusMaster {
    pub(super) const fn new(memory: Memory, port: u16) -> Self {
        Self {
            memory,
            port,
            command: 0,
            status: 0,
            table: 0,
            regions: Vec::new(),
        }
    }

    /// Whether it is at work.
    pub(super) const fn is_active(&self) -> bool {
        self.status & ACTIVE != 0
    }

    /// Whether data goes to memory.
    pub(super) const fn to_memory(&self) -> bool {
        self.command & TO_MEMORY != 0
    }

    /// Bytes that its regions hold.
    pub(super) fn capacity(&self) -> usize {
        self.regions.iter().map(|(_, length)| length).sum()
    }

    pub(super) fn write_command(&mut self, value: u8) {
        self.expect(value & !(START | TO_MEMORY) == 0);
        let (was_on, is_on) = (self.command & START != 0, value & START != 0);
        self.expect(!(was_on && (self.command ^ value) & TO_MEMORY != 0));
        self.command = value & (START | TO_MEMORY);
        if is_on && !was_on {
            self.start();
        } else if !is_on {
            self.stop();
        }
    }

    pub(super) fn write_status(&mut self, value: u8) {
        self.status &= !(value & (ERROR | INTERRUPT));
        self.status = self.status & !CAPABLE | value & CAPABLE;
    }

    pub(super) fn write_table(&mut self, address: u32) {
        self.expect(self.command & START == 0 && address & 3 == 0);
        self.table = address & !3;
    }

    /// All data that the drive will be sent.
    pub(super) fn gather(&mut self, limit: usize) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        for (address, length) in self.parts(limit) {
            data.extend(self.memory.device_read(address, length)?);
        }
        Some(data)
    }

    /// Puts what the drive sent where it belongs.
    pub(super) fn scatter(&mut self, data: &[u8]) -> Option<()> {
        let mut rest = data;
        for (address, length) in self.parts(data.len()) {
            let (part, behind) = rest.split_at(length.min(rest.len()));
            self.memory.device_write(address, part)?;
            rest = behind;
        }
        Some(())
    }

    /// The drive has ended its command after `moved` bytes: it stays active only if regions are left.
    pub(super) fn end(&mut self, moved: usize) {
        if moved == self.capacity() {
            self.status &= !ACTIVE;
        }
    }

    /// Memory could not be reached.
    pub(super) fn fail(&mut self) {
        self.status = self.status & !ACTIVE | ERROR;
    }

    fn start(&mut self) {
        self.status |= ACTIVE;
        let owner = self.port.into();
        match self.read_table() {
            Some(regions) => self.regions = regions,
            None => return self.fail(),
        }
        let table_size = self.regions.len() * ENTRY_SIZE;
        self.memory
            .claim(owner, Claim::Instruction, self.table.into(), table_size);
        for (address, length) in &self.regions {
            self.memory.claim(owner, Claim::Transfer, *address, *length);
        }
        if self.to_memory() {
            let poison = vec![POISON; self.capacity()];
            if self.scatter(&poison).is_none() {
                self.fail();
            }
        }
    }

    fn stop(&mut self) {
        self.status &= !ACTIVE;
        self.regions.clear();
        self.memory.release(self.port.into());
    }

    fn read_table(&self) -> Option<Vec<(u64, usize)>> {
        let mut regions = Vec::new();
        let places = (u64::from(self.table)..).step_by(ENTRY_SIZE);
        for place in places.take(MOST_REGIONS) {
            let entry = self.memory.device_read(place, ENTRY_SIZE)?;
            let (address, count) = (u64::from(bytes::dword(&entry, 0)), bytes::dword(&entry, 4));
            let length = match count & 0xffff {
                0 => 0x1_0000,
                count => count.into(),
            };
            let is_even = (address | length) & 1 == 0;
            let is_reserved_clear = count & !(END | 0xffff) == 0;
            let stays_within = address / BOUNDARY == (address + length - 1) / BOUNDARY;
            let table_stays = place / BOUNDARY == u64::from(self.table) / BOUNDARY;
            self.expect(is_even && is_reserved_clear && stays_within && table_stays);
            regions.push((address, bytes::size(length)));
            if count & END != 0 {
                return Some(regions);
            }
        }
        self.expect(false);
        None
    }

    fn parts(&self, limit: usize) -> Vec<(u64, usize)> {
        let mut rest = limit;
        let mut parts = Vec::new();
        for (address, length) in &self.regions {
            let length = rest.min(*length);
            rest -= length;
            parts.push((*address, length));
        }
        parts.retain(|(_, length)| *length > 0);
        parts
    }

    pub(super) fn expect(&self, holds: bool) {
        if !holds {
            self.memory.breach(Breach::WrongBusMaster(self.port));
        }
    }
}
