//! One mediated device: its mediator, and what that sees of the machine.

use super::nic::Nic;
use super::told::{Countable, Told};
use super::{DeviceHost, IdePorts, LeadsTo, MemoryRegisters, Trap};
use crate::machine::Journal;
use alloc::boxed::Box;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_mediator::disk::ata::Ata;
use sekisho_mediator::log::Log;
use sekisho_mediator::pci::Width as PortWidth;
use sekisho_mediator::seam::{Host, Instant};
use spin::Mutex;

/// A device with its mediator.
pub(crate) struct Mediated {
    host: DeviceHost,
    engine: Engine,
}

enum Engine {
    Ahci {
        ahci: Box<Ahci>,
        registers: MemoryRegisters,
        /// What the guest wrote to the index port.
        index: u32,
    },
    Ata {
        ata: Box<Ata>,
        ports: IdePorts,
    },
    Network(Nic),
    /// The machine resets or stops: nothing answers any more, and no key is left.
    Closed,
}

impl Mediated {
    /// An AHCI controller.
    pub(super) fn ahci(ahci: Ahci, registers: MemoryRegisters, host: DeviceHost) -> Self {
        let engine = Engine::Ahci {
            ahci: Box::new(ahci),
            registers,
            index: 0,
        };
        Self { host, engine }
    }

    /// An IDE controller.
    pub(super) fn ata(ata: Ata, ports: IdePorts, host: DeviceHost) -> Self {
        let ata = Box::new(ata);
        let engine = Engine::Ata { ata, ports };
        Self { host, engine }
    }

    /// A NIC.
    pub(super) const fn network(nic: Nic, host: DeviceHost) -> Self {
        let engine = Engine::Network(nic);
        Self { host, engine }
    }

    /// One that nobody may have.
    pub(super) const fn closed(host: DeviceHost) -> Self {
        let engine = Engine::Closed;
        Self { host, engine }
    }

    /// A load at `offset` in `trap`.
    pub(crate) fn load(&mut self, trap: &Trap, offset: u64, width: Width) -> u64 {
        match (&mut self.engine, trap.leads_to) {
            (Engine::Ahci { ahci, registers, .. }, LeadsTo::Registers) => {
                ahci.read(offset, width, registers, &mut self.host)
            }
            (Engine::Network(nic), LeadsTo::Registers) => nic.read(offset, width, &mut self.host),
            _ => width.mask(),
        }
    }

    /// A store there.
    pub(crate) fn store(&mut self, trap: &Trap, offset: u64, width: Width, value: u64) {
        let host = &mut self.host;
        match (&mut self.engine, trap.leads_to) {
            (Engine::Ahci { ahci, registers, .. }, LeadsTo::Registers) => {
                ahci.write(offset, width, value, registers, host);
            }
            (Engine::Network(nic), LeadsTo::Registers) => nic.write(offset, width, value, host),
            _ => {}
        }
    }

    /// IN at a port of `trap`.
    pub(crate) fn input(&mut self, trap: &Trap, port: u16, width: PortWidth) -> u32 {
        let host = &mut self.host;
        match (&mut self.engine, trap.leads_to) {
            (Engine::Ata { ata, ports }, LeadsTo::Ide(block, _)) => {
                ata.read(ports, host, block, trap.port_offset(port), width)
            }
            // Both ports of the pair are 32 bits wide (Serial ATA AHCI 1.3.1, 2.4).
            (
                Engine::Ahci {
                    ahci,
                    registers,
                    index,
                },
                LeadsTo::IndexData(first),
            ) => match (port.wrapping_sub(first), width) {
                (0, PortWidth::Dword) => *index,
                (4, PortWidth::Dword) => ahci.read(u64::from(*index), Width::Four, registers, host) as u32,
                _ => width.ones(),
            },
            (Engine::Network(nic), LeadsTo::Ports(first)) => {
                let offset = u64::from(port.wrapping_sub(first));
                nic.port_read(offset, memory_width(width), host) as u32
            }
            _ => width.ones(),
        }
    }

    /// OUT at a port of `trap`.
    pub(crate) fn output(&mut self, trap: &Trap, port: u16, width: PortWidth, value: u32) {
        let host = &mut self.host;
        match (&mut self.engine, trap.leads_to) {
            (Engine::Ata { ata, ports }, LeadsTo::Ide(block, _)) => {
                ata.write(ports, host, block, trap.port_offset(port), width, value);
            }
            (
                Engine::Ahci {
                    ahci,
                    registers,
                    index,
                },
                LeadsTo::IndexData(first),
            ) => match (port.wrapping_sub(first), width) {
                (0, PortWidth::Dword) => *index = value & !3,
                (4, PortWidth::Dword) => {
                    ahci.write(u64::from(*index), Width::Four, u64::from(value), registers, host);
                }
                _ => {}
            },
            (Engine::Network(nic), LeadsTo::Ports(first)) => {
                let offset = u64::from(port.wrapping_sub(first));
                nic.port_write(offset, memory_width(width), u64::from(value), host);
            }
            _ => {}
        }
    }

    /// INS at a port of `trap`, as many rounds of `width` as fill `bytes`.
    pub(crate) fn input_string(&mut self, trap: &Trap, port: u16, width: PortWidth, bytes: &mut [u8]) {
        if let (Engine::Ata { ata, ports }, Some(channel)) = (&mut self.engine, trap.data_port(port, width)) {
            return ata.read_data(ports, &mut self.host, channel, bytes);
        }
        for round in bytes.chunks_mut(usize::from(width.bytes())) {
            let value = self.input(trap, port, width).to_le_bytes();
            for (to, from) in round.iter_mut().zip(value) {
                *to = from;
            }
        }
    }

    /// OUTS at a port of `trap`, as many rounds of `width` as `bytes` has.
    pub(crate) fn output_string(&mut self, trap: &Trap, port: u16, width: PortWidth, bytes: &[u8]) {
        if let (Engine::Ata { ata, ports }, Some(channel)) = (&mut self.engine, trap.data_port(port, width)) {
            return ata.write_data(ports, &mut self.host, channel, bytes);
        }
        for round in bytes.chunks(usize::from(width.bytes())) {
            let mut value = [0; 4];
            for (to, from) in value.iter_mut().zip(round) {
                *to = *from;
            }
            self.output(trap, port, width, u32::from_le_bytes(value));
        }
    }

    /// Carries on what is under way.
    pub(crate) fn poll(&mut self) {
        if let Engine::Ahci { ahci, registers, .. } = &mut self.engine {
            ahci.poll(registers, &mut self.host);
        }
    }

    /// Does what is due, with what is new in the log; when to come back, if anything will be due that no access of the
    /// guest's tells of.
    pub(crate) fn wake(&mut self, journal: &Mutex<Journal>) -> Option<Instant> {
        match &mut self.engine {
            Engine::Network(nic) => {
                nic.collect(&journal.lock().log, self.host.now());
                nic.poll(&mut self.host)
            }
            Engine::Ahci { .. } | Engine::Ata { .. } | Engine::Closed => None,
        }
    }

    /// Sends the last lines of the log, if they leave here, and wipes the keys of a tunnel.
    pub(crate) fn flush(&mut self, log: &Log) {
        if let Engine::Network(nic) = &mut self.engine {
            nic.flush(log, &mut self.host);
        }
    }

    /// Whether the guest may be waiting for a command without looking at a register. Drivers of IDE look.
    pub(super) fn waits(&self) -> bool {
        match &self.engine {
            Engine::Ahci { ahci, .. } => ahci.waits(),
            Engine::Ata { .. } | Engine::Network(_) | Engine::Closed => false,
        }
    }

    /// The oldest notice for the log.
    pub(super) fn take_notice(&mut self) -> Option<Told> {
        match &mut self.engine {
            Engine::Ahci { ahci, .. } => ahci.incidents().take_notice().map(Told::Disk),
            Engine::Ata { ata, .. } => ata.incidents().take_notice().map(Told::Disk),
            Engine::Network(nic) => nic.take_notice(),
            Engine::Closed => None,
        }
    }

    /// How many of a kind there were.
    pub(super) fn count(&mut self, kind: Countable) -> u64 {
        match (&mut self.engine, kind) {
            (Engine::Ahci { ahci, .. }, Countable::Disk(kind)) => ahci.incidents().count(kind),
            (Engine::Ata { ata, .. }, Countable::Disk(kind)) => ata.incidents().count(kind),
            (Engine::Network(nic), kind) => nic.count(kind),
            _ => 0,
        }
    }

    /// Wipes every key. Whatever the guest asks of a disk from now on, nothing answers; a NIC may still have to carry
    /// the last lines of the log, and wipes its keys with [`Self::flush`].
    pub(super) fn close(&mut self) {
        if !matches!(self.engine, Engine::Network(_)) {
            self.engine = Engine::Closed;
        }
    }
}

/// The same width, as memory accesses have it.
const fn memory_width(width: PortWidth) -> Width {
    match width {
        PortWidth::Byte => Width::One,
        PortWidth::Word => Width::Two,
        PortWidth::Dword => Width::Four,
    }
}
