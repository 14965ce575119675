//! A NIC's mediator, of whichever family, and the registers that it has.

use super::told::{Countable, Told};
use super::{DeviceHost, MemoryRegisters};
use crate::vectors::Lent;
use alloc::boxed::Box;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::log::Log;
use sekisho_mediator::net::incident::Incidents;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::pro100::Pro100;
use sekisho_mediator::net::pro1000::Pro1000;
use sekisho_mediator::seam::{Host, Instant};

/// A NIC.
pub(super) struct Nic {
    family: Family,
    registers: MemoryRegisters,
    /// What the guest lends to the NIC's tunnel.
    lent: Option<&'static Lent>,
}

/// Its mediator.
pub(super) enum Family {
    Pro100(Box<Pro100>),
    Pro1000(Box<Pro1000>),
}

impl Nic {
    /// One whose registers are there in memory, where the mediator has set them up.
    pub(super) const fn new(family: Family, registers: MemoryRegisters, lent: Option<&'static Lent>) -> Self {
        Self {
            family,
            registers,
            lent,
        }
    }

    /// Works on it: the only way by which its tunnel seals and opens packets. What the guest has lent meanwhile, it has back.
    fn work<T>(&mut self, work: impl FnOnce(&mut Family, &mut MemoryRegisters) -> T) -> T {
        let result = work(&mut self.family, &mut self.registers);
        self.lent.iter().for_each(|lent| lent.give_back());
        result
    }

    /// A load at `offset` of its registers.
    pub(super) fn read(&mut self, offset: u64, width: Width, host: &mut DeviceHost) -> u64 {
        self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.read(offset, width, registers, host),
            Family::Pro1000(nic) => nic.read(offset, width, registers, host),
        })
    }

    /// A store there.
    pub(super) fn write(&mut self, offset: u64, width: Width, value: u64, host: &mut DeviceHost) {
        self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.write(offset, width, value, registers, host),
            Family::Pro1000(nic) => nic.write(offset, width, value, registers, host),
        });
    }

    /// IN at `offset` of its ports: the registers themselves, or a window to them.
    pub(super) fn port_read(&mut self, offset: u64, width: Width, host: &mut DeviceHost) -> u64 {
        self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.read(offset, width, registers, host),
            Family::Pro1000(nic) => nic.port_read(offset, width, registers, host),
        })
    }

    /// OUT there.
    pub(super) fn port_write(&mut self, offset: u64, width: Width, value: u64, host: &mut DeviceHost) {
        self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.write(offset, width, value, registers, host),
            Family::Pro1000(nic) => nic.port_write(offset, width, value, registers, host),
        });
    }

    /// Lets the module take what is new in the log.
    pub(super) fn collect(&mut self, log: &Log, now: Instant) {
        self.module().collect(log, now);
    }

    /// Does what is due; when to come back.
    pub(super) fn poll(&mut self, host: &mut DeviceHost) -> Option<Instant> {
        let due = self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.poll(registers, host),
            Family::Pro1000(nic) => nic.poll(registers, host),
        });
        let next = self.module().next_look(host.now());
        due.into_iter().chain(next).min()
    }

    /// Sends the last lines of the log, if they leave here.
    pub(super) fn flush(&mut self, log: &Log, host: &mut DeviceHost) {
        self.work(|family, registers| match family {
            Family::Pro100(nic) => nic.flush(log, registers, host),
            Family::Pro1000(nic) => nic.flush(log, registers, host),
        });
    }

    /// The oldest notice for the log.
    pub(super) fn take_notice(&mut self) -> Option<Told> {
        let notice = self.incidents().take_notice().map(Told::Network);
        let notice = notice.or_else(|| self.module().take_notice().map(Told::Tunnel));
        notice.or_else(|| self.module().losses()?.take_notice().map(Told::Loss))
    }

    /// How many of a kind there were.
    pub(super) fn count(&mut self, kind: Countable) -> u64 {
        match kind {
            Countable::Network(kind) => self.incidents().count(kind),
            Countable::Loss(kind) => self.module().losses().map_or(0, |losses| losses.count(kind)),
            Countable::VectorsLent => self.lent.map_or(0, Lent::times),
            Countable::Disk(_) => 0,
        }
    }

    const fn module(&mut self) -> &mut Module {
        match &mut self.family {
            Family::Pro100(nic) => nic.module(),
            Family::Pro1000(nic) => nic.module(),
        }
    }

    const fn incidents(&mut self) -> &mut Incidents {
        match &mut self.family {
            Family::Pro100(nic) => nic.incidents(),
            Family::Pro1000(nic) => nic.incidents(),
        }
    }
}
