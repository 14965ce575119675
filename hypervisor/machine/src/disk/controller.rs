//! One disk controller: its mediator, and what that sees of the machine.

use super::{DiskHost, LeadsTo, MemoryRegisters, Trap};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_mediator::disk::incident::{Incident, Notice};

/// A controller with its mediator.
pub(crate) struct Controller {
    host: DiskHost,
    engine: Engine,
}

enum Engine {
    Ahci {
        ahci: Ahci,
        registers: MemoryRegisters,
        /// What the guest wrote to the index port.
        index: u32,
    },
}

impl Controller {
    /// An AHCI controller.
    pub(super) fn ahci(ahci: Ahci, registers: MemoryRegisters, host: DiskHost) -> Self {
        let engine = Engine::Ahci {
            ahci,
            registers,
            index: 0,
        };
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
    pub(crate) fn input(&mut self, trap: &Trap, port: u16, width: Width) -> u64 {
        match (&mut self.engine, trap.leads_to) {
            // Both ports of the pair are 32 bits wide (Serial ATA AHCI 1.3.1, 2.4).
            (
                Engine::Ahci {
                    ahci,
                    registers,
                    index,
                },
                LeadsTo::IndexData(first),
            ) => match (port.wrapping_sub(first), width) {
                (0, Width::Four) => u64::from(*index),
                (4, Width::Four) => ahci.read(u64::from(*index), width, registers, &mut self.host),
                _ => width.mask(),
            },
            _ => width.mask(),
        }
    }

    /// OUT at a port of `trap`.
    pub(crate) fn output(&mut self, trap: &Trap, port: u16, width: Width, value: u64) {
        let Engine::Ahci {
            ahci,
            registers,
            index,
        } = &mut self.engine;
        let LeadsTo::IndexData(first) = trap.leads_to else {
            return;
        };
        match (port.wrapping_sub(first), width) {
            (0, Width::Four) => *index = value as u32 & !3,
            (4, Width::Four) => ahci.write(u64::from(*index), width, value, registers, &mut self.host),
            _ => {}
        }
    }

    /// INS at a port of `trap`, as many rounds as fill `bytes`.
    pub(crate) fn input_string(&mut self, trap: &Trap, port: u16, width: Width, bytes: &mut [u8]) {
        for round in bytes.chunks_mut(usize::from(width.bytes())) {
            let value = self.input(trap, port, width).to_le_bytes();
            for (to, from) in round.iter_mut().zip(value) {
                *to = from;
            }
        }
    }

    /// OUTS at a port of `trap`, as many rounds as `bytes` has.
    pub(crate) fn output_string(&mut self, trap: &Trap, port: u16, width: Width, bytes: &[u8]) {
        for round in bytes.chunks(usize::from(width.bytes())) {
            let mut value = [0; 8];
            for (to, from) in value.iter_mut().zip(round) {
                *to = *from;
            }
            self.output(trap, port, width, u64::from_le_bytes(value));
        }
    }

    /// Carries on what is under way.
    pub(crate) fn poll(&mut self) {
        match &mut self.engine {
            Engine::Ahci { ahci, registers, .. } => ahci.poll(registers, &mut self.host),
        }
    }

    /// Whether the guest may be waiting for a command without looking at a register.
    pub(super) fn waits(&self) -> bool {
        match &self.engine {
            Engine::Ahci { ahci, .. } => ahci.waits(),
        }
    }

    /// The oldest notice for the log.
    pub(super) fn take_notice(&mut self) -> Option<Notice> {
        match &mut self.engine {
            Engine::Ahci { ahci, .. } => ahci.incidents().take_notice(),
        }
    }

    /// How many of a kind there were.
    pub(crate) fn count(&mut self, incident: Incident) -> u64 {
        match &mut self.engine {
            Engine::Ahci { ahci, .. } => ahci.incidents().count(incident),
        }
    }
}
