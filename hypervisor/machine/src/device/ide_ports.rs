//! The ports of a real IDE controller.

use super::{LeadsTo, Trap};
use crate::io_port;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_mediator::pci::Width;

/// Where the blocks of a controller begin, by [`place`]; `None` for one that it does not have.
#[derive(Clone, Copy, Default)]
pub(crate) struct IdePorts([Option<u16>; 5]);

impl IdePorts {
    /// Of device number `device`, by its traps.
    pub(super) fn of(traps: &[Trap], device: usize) -> Self {
        let mut ports = Self::default();
        for trap in traps.iter().filter(|trap| trap.device == device) {
            if let (LeadsTo::Ide(block, offset), Some((first, _))) = (trap.leads_to, trap.ports()) {
                ports.set(block, first.checked_sub(offset));
            }
        }
        ports
    }

    fn set(&mut self, block: Block, first: Option<u16>) {
        if let Some(place) = self.0.get_mut(place(block)) {
            *place = first;
        }
    }

    fn port(&self, block: Block, offset: u16) -> Option<u16> {
        self.0
            .get(place(block))?
            .and_then(|first: u16| first.checked_add(offset))
    }
}

const fn place(block: Block) -> usize {
    match block {
        Block::Command(Channel::Primary) => 0,
        Block::Control(Channel::Primary) => 1,
        Block::Command(Channel::Secondary) => 2,
        Block::Control(Channel::Secondary) => 3,
        Block::BusMaster => 4,
    }
}

impl Ports for IdePorts {
    fn read(&mut self, block: Block, offset: u16) -> u8 {
        self.port(block, offset)
            .map_or(u8::MAX, |port| io_port::read(port, Width::Byte) as u8)
    }

    fn write(&mut self, block: Block, offset: u16, value: u8) {
        if let Some(port) = self.port(block, offset) {
            io_port::write(port, Width::Byte, u32::from(value));
        }
    }

    fn write_table(&mut self, channel: Channel, address: u32) {
        let offset = match channel {
            Channel::Primary => 4,
            Channel::Secondary => 12,
        };
        if let Some(port) = self.port(Block::BusMaster, offset) {
            io_port::write(port, Width::Dword, address);
        }
    }

    fn read_data(&mut self, channel: Channel, bytes: &mut [u8]) {
        let Some(port) = self.port(Block::Command(channel), 0) else {
            return bytes.fill(u8::MAX);
        };
        for word in bytes.chunks_exact_mut(2) {
            word.copy_from_slice(&(io_port::read(port, Width::Word) as u16).to_le_bytes());
        }
    }

    fn write_data(&mut self, channel: Channel, bytes: &[u8]) {
        let Some(port) = self.port(Block::Command(channel), 0) else {
            return;
        };
        for word in bytes.chunks_exact(2) {
            let value = word.try_into().map_or(0, u16::from_le_bytes);
            io_port::write(port, Width::Word, u32::from(value));
        }
    }
}
