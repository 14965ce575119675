//! One mediated device: its mediator, and what that sees of the machine.

use super::{DeviceHost, IdePorts, LeadsTo, MemoryRegisters, Trap};
use alloc::boxed::Box;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_mediator::disk::ata::Ata;
use sekisho_mediator::disk::incident::{Incident, Incidents, Notice};
use sekisho_mediator::pci::Width as PortWidth;
use sekisho_mediator::seam::Instant;

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

    /// A load at `offset` in `trap`.
    pub(crate) fn load(&mut self, trap: &Trap, offset: u64, width: Width) -> u64 {
        match (&mut self.engine, trap.leads_to) {
            (Engine::Ahci { ahci, registers, .. }, LeadsTo::Registers) => {
                ahci.read(offset, width, registers, &mut self.host)
            }
            _ => width.mask(),
        }
    }

    /// A store there.
    pub(crate) fn store(&mut self, trap: &Trap, offset: u64, width: Width, value: u64) {
        if let (Engine::Ahci { ahci, registers, .. }, LeadsTo::Registers) = (&mut self.engine, trap.leads_to)
        {
            ahci.write(offset, width, value, registers, &mut self.host);
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

    /// Does what is due; when to come back, if anything will be due that no access of the guest's tells of.
    pub(crate) fn wake(&mut self) -> Option<Instant> {
        match &mut self.engine {
            Engine::Ahci { .. } | Engine::Ata { .. } | Engine::Closed => None,
        }
    }

    /// Whether the guest may be waiting for a command without looking at a register. Drivers of IDE look.
    pub(super) fn waits(&self) -> bool {
        match &self.engine {
            Engine::Ahci { ahci, .. } => ahci.waits(),
            Engine::Ata { .. } | Engine::Closed => false,
        }
    }

    /// The oldest notice for the log.
    pub(super) fn take_notice(&mut self) -> Option<Notice> {
        self.incidents()?.take_notice()
    }

    /// How many of a kind there were.
    pub(super) fn count(&mut self, incident: Incident) -> u64 {
        self.incidents().map_or(0, |incidents| incidents.count(incident))
    }

    /// Wipes every key. Whatever the guest asks from now on, nothing answers.
    pub(super) fn close(&mut self) {
        self.engine = Engine::Closed;
    }

    fn incidents(&mut self) -> Option<&mut Incidents> {
        match &mut self.engine {
            Engine::Ahci { ahci, .. } => Some(ahci.incidents()),
            Engine::Ata { ata, .. } => Some(ata.incidents()),
            Engine::Closed => None,
        }
    }
}
