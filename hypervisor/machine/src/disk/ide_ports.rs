//! The ports of a real IDE controller.

use super::{LeadsTo, Trap};
use crate::io_port;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_mediator::pci::Width;

/// Where the blocks of a controller begin; `None` for one that it does not have.
#[derive(Clone, Copy, Default)]
pub(crate) struct IdePorts {
    command: [Option<u16>; 2],
    control: [Option<u16>; 2],
    bus_master: Option<u16>,
}

impl IdePorts {
    /// Of controller number `controller`, by its traps.
    pub(super) fn of(traps: &[Trap], controller: usize) -> Self {
        let mut ports = Self::default();
        for trap in traps.iter().filter(|trap| trap.controller == controller) {
            if let (LeadsTo::Ide(block, offset), Some((first, _))) = (trap.leads_to, trap.ports()) {
                *ports.place(block) = first.checked_sub(offset);
            }
        }
        ports
    }

    fn place(&mut self, block: Block) -> &mut Option<u16> {
        let [primary, secondary] = match block {
            Block::Command(_) => &mut self.command,
            Block::Control(_) => &mut self.control,
            Block::BusMaster => return &mut self.bus_master,
        };
        match block {
            Block::Command(Channel::Secondary) | Block::Control(Channel::Secondary) => secondary,
            _ => primary,
        }
    }

    fn port(&self, block: Block, offset: u16) -> Option<u16> {
        // A copy of five numbers, to find one of them.
        let first = *Self::place(&mut { *self }, block);
        first.and_then(|first| first.checked_add(offset))
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
