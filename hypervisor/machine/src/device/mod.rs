//! Devices that a mediator has: where the guest's accesses to them are trapped, and who answers.
//!
//! Every base address of such a function is trapped. Behind the ones that the mediator does not know nothing answers.

mod attach;
mod host;
mod ide_ports;
mod mediated;
mod network;
mod nic;
mod told;
mod trap;

pub(crate) use attach::{Absent, Attached, NotAttached, Surroundings, attach};
use host::DeviceHost;
pub(crate) use host::MemoryRegisters;
use ide_ports::IdePorts;
pub(crate) use mediated::Mediated;
pub(crate) use told::{Countable, Told};
use trap::LeadsTo;
pub(crate) use trap::{Trap, traps};

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};
use sekisho_mediator::log::Log;
use spin::Mutex;

/// Tries for a device's lock before its keys are left as they are.
const PATIENCE: u32 = 10_000_000;

/// Every mediated device of the machine, and where each is trapped.
pub(crate) struct Devices {
    devices: Box<[Shared]>,
    traps: Box<[Trap]>,
}

struct Shared {
    device: Mutex<Mediated>,
    /// The guest may be waiting for a command without looking at a register. Kept beside the lock, so that a CPU that
    /// waits needs no lock to ask.
    waits: AtomicBool,
}

impl Devices {
    /// These devices, numbered in their order, with the traps that name them by number.
    pub(crate) fn new(devices: Vec<Mediated>, traps: Vec<Trap>) -> Self {
        let shared = devices.into_iter().map(|device| Shared {
            device: Mutex::new(device),
            waits: AtomicBool::new(false),
        });
        Self {
            devices: shared.collect(),
            traps: traps.into(),
        }
    }

    /// The number of each device.
    pub(crate) fn numbers(&self) -> Range<usize> {
        0..self.devices.len()
    }

    /// Sends the last lines of the log, where nobody else works on the device: for a machine that stops.
    pub(crate) fn flush(&self, log: &Log) {
        for shared in &self.devices {
            if let Some(mut device) = shared.device.try_lock() {
                device.flush(log);
            }
        }
    }

    /// Wipes every key, because the machine resets or stops. A device that stays locked for long belongs to a CPU that
    /// is stuck; its keys stay, as they do when the reset button is pressed.
    pub(crate) fn close(&self) {
        for shared in &self.devices {
            for _ in 0..PATIENCE {
                if let Some(mut device) = shared.device.try_lock() {
                    device.close();
                    break;
                }
                core::hint::spin_loop();
            }
        }
    }

    /// How many of a kind there were, on all devices.
    pub(crate) fn count(&self, kind: Countable) -> u64 {
        let counts = self.devices.iter().map(|shared| shared.device.lock().count(kind));
        counts.sum()
    }

    /// The trap that `address` lies in, and its offset there.
    #[inline]
    pub(crate) fn at_address(&self, address: u64) -> Option<(&Trap, u64)> {
        self.traps
            .iter()
            .find_map(|trap| Some((trap, trap.memory_offset(address)?)))
    }

    /// Where `address` lies beside a trapped range in a page that is absent for the guest: bytes from there to the next
    /// trapped range, or to the end of the page.
    pub(crate) fn room_beside(&self, address: u64) -> Option<u64> {
        let shared = |trap: &&Trap| trap.pages().is_some_and(|pages| pages.contains(address));
        let page = self.traps.iter().find(shared)?.pages()?;
        let starts = self
            .traps
            .iter()
            .filter_map(Trap::memory)
            .map(|range| range.start);
        let next = starts.filter(|start| *start > address).min();
        Some(next.unwrap_or(page.end).min(page.end) - address)
    }

    /// The trap that `port` lies in.
    #[inline]
    pub(crate) fn at_port(&self, port: u16) -> Option<&Trap> {
        self.traps.iter().find(|trap| trap.has_port(port))
    }

    /// Whether an access of `width` bytes at `port` touches any trap.
    pub(crate) fn are_touched(&self, port: u16, width: u8) -> bool {
        self.traps.iter().any(|trap| trap.is_touched(port, width))
    }

    /// Whether a command runs whose end the guest may be looking for in memory.
    pub(crate) fn waits(&self, number: usize) -> bool {
        self.devices
            .get(number)
            .is_some_and(|shared| shared.waits.load(Ordering::Relaxed))
    }

    /// Works on a device, and takes a notice that it left for the log.
    pub(crate) fn with<T>(
        &self,
        number: usize,
        work: impl FnOnce(&mut Mediated) -> T,
    ) -> Option<(T, Option<Told>)> {
        let shared = self.devices.get(number)?;
        let mut device = shared.device.lock();
        let result = work(&mut device);
        shared.waits.store(device.waits(), Ordering::Relaxed);
        Some((result, device.take_notice()))
    }
}
