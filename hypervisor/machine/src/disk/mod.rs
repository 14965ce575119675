//! Disk controllers that a mediator has: where the guest's accesses to them are trapped, and who answers.
//!
//! Every base address of such a function is trapped. Behind the ones that the mediator does not know nothing answers.

mod attach;
mod controller;
mod host;
mod ide_ports;
mod trap;

pub(crate) use attach::{NotAttached, Surroundings, attach};
pub(crate) use controller::Controller;
use host::{DiskHost, MemoryRegisters};
use ide_ports::IdePorts;
use trap::LeadsTo;
pub(crate) use trap::{Trap, traps};

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use sekisho_mediator::disk::incident::{Incident, Notice};
use spin::Mutex;

/// Tries for a controller's lock before its keys are left as they are.
const PATIENCE: u32 = 10_000_000;

/// Every mediated disk controller of the machine, and where each is trapped.
pub(crate) struct Disks {
    controllers: Box<[Shared]>,
    traps: Box<[Trap]>,
}

struct Shared {
    controller: Mutex<Controller>,
    /// The guest may be waiting for a command without looking at a register. Kept beside the lock, so that a CPU that
    /// waits needs no lock to ask.
    waits: AtomicBool,
}

impl Disks {
    /// These controllers, numbered in their order, with the traps that name them by number.
    pub(crate) fn new(controllers: Vec<Controller>, traps: Vec<Trap>) -> Self {
        let shared = controllers.into_iter().map(|controller| Shared {
            controller: Mutex::new(controller),
            waits: AtomicBool::new(false),
        });
        Self {
            controllers: shared.collect(),
            traps: traps.into(),
        }
    }

    /// One trap of each controller.
    pub(crate) fn register_traps(&self) -> impl Iterator<Item = &Trap> {
        let mut next = 0;
        self.traps.iter().filter(move |trap| {
            let first = trap.controller == next;
            next += usize::from(first);
            first
        })
    }

    /// Wipes every key, because the machine resets or stops. A controller that stays locked for long belongs to a CPU that
    /// is stuck; its keys stay, as they do when the reset button is pressed.
    pub(crate) fn close(&self) {
        for shared in &self.controllers {
            for _ in 0..PATIENCE {
                if let Some(mut controller) = shared.controller.try_lock() {
                    controller.close();
                    break;
                }
                core::hint::spin_loop();
            }
        }
    }

    /// How many incidents of a kind there were, on all controllers.
    pub(crate) fn incidents(&self, incident: Incident) -> u64 {
        let counts = self
            .controllers
            .iter()
            .map(|shared| shared.controller.lock().count(incident));
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

    /// Whether a command runs whose end the guest may be looking for in memory.
    pub(crate) fn waits(&self, controller: usize) -> bool {
        self.controllers
            .get(controller)
            .is_some_and(|shared| shared.waits.load(Ordering::Relaxed))
    }

    /// Works on a controller, and takes a notice that it left for the log.
    pub(crate) fn with<T>(
        &self,
        controller: usize,
        work: impl FnOnce(&mut Controller) -> T,
    ) -> Option<(T, Option<Notice>)> {
        let shared = self.controllers.get(controller)?;
        let mut controller = shared.controller.lock();
        let result = work(&mut controller);
        shared.waits.store(controller.waits(), Ordering::Relaxed);
        Some((result, controller.take_notice()))
    }
}
