//! The whole machine as its CPUs share it: policy, devices, log, and each other.

use crate::address::PhysRange;
use crate::clock::Clock;
use crate::counters::{self, Counter};
use crate::cpu::{Cpu, Peer, halt_for_ever};
use crate::device::{Countable, Devices, Mediated};
use crate::memory::GuestRam;
use crate::pci::Pci;
use crate::serial::SerialPort;
use crate::timer::Timer;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use sekisho_mediator::cpu::efer::Features;
use sekisho_mediator::log::{Event, Log};
use sekisho_mediator::pci::Attempt;
use spin::Mutex;
use x86_64::instructions::port::Port;

/// Reset control register of PC chipsets, and the value for a full reset (Intel ICH9 datasheet, 13.7.5).
pub(crate) const RESET_CONTROL: u16 = 0xcf9;
const FULL_RESET: u8 = 0x0e;
/// Tries for the log's lock before a dying CPU does without.
const PATIENCE: u32 = 1_000_000;

/// What all CPUs share. Built by `prepare`, never freed.
pub struct Machine {
    /// The hypervisor's memory.
    pub(crate) region: PhysRange,
    /// Now.
    pub(crate) clock: &'static Clock,
    /// The guest's memory, for copying.
    pub(crate) ram: &'static GuestRam,
    /// Physical address of the xAPIC page.
    pub(crate) apic_page: u64,
    /// The configuration window, if the machine has one.
    pub(crate) window: Option<PhysRange>,
    /// Every CPU that will be entered, by number.
    pub(crate) peers: &'static [Peer],
    /// What the CPUs have, where EFER and the clock registers depend on it.
    pub(crate) features: Features,
    /// `[guest] status`.
    pub(crate) guest_status: bool,
    /// ACPI's reset register, if it is a port, and the value to write.
    pub(crate) reset: Option<(u16, u8)>,
    /// Configuration space.
    pub(crate) pci: Mutex<Pci>,
    /// The devices that a mediator has.
    pub(crate) devices: Devices,
    /// What wakes a CPU while the guest gives no occasion, where a device needs that.
    pub(crate) timer: Option<Timer>,
    /// Held from judging a write of a memory type register to doing it: siblings may share those registers.
    pub(crate) memory_types: Mutex<()>,
    /// The log and its way out.
    pub(crate) journal: Mutex<Journal>,
    /// A CPU has found a broken invariant: all stop.
    pub(crate) stop: AtomicBool,
}

/// The log and the port it goes out by.
pub(crate) struct Journal {
    pub(crate) log: Log,
    pub(crate) serial: SerialPort,
}

impl Machine {
    /// Offset into the configuration window, if `address` lies in it.
    #[inline]
    pub(crate) fn window_offset(&self, address: u64) -> Option<u64> {
        self.window
            .filter(|window| window.contains(address))
            .map(|window| address - window.start)
    }

    /// The timer, if `address` lies in its page.
    pub(crate) fn timer_at(&self, address: u64) -> Option<&Timer> {
        self.timer.as_ref().filter(|timer| timer.page().contains(address))
    }

    /// Lets every device do what is due, and sees to it that somebody comes back in time.
    pub(crate) fn poll(&self) {
        let next = self
            .devices
            .numbers()
            .filter_map(|number| self.device(number, |device| device.wake(&self.journal))?);
        let next = next.min();
        if let (Some(timer), Some(next)) = (&self.timer, next) {
            timer.arm(next.0.saturating_sub(self.clock.now().0));
        }
    }

    /// Writes a line to the log.
    pub(crate) fn tell(&self, event: Event, text: fmt::Arguments<'_>) {
        let journal = &mut *self.journal.lock();
        journal.log.write(&mut journal.serial, event, text);
    }

    /// An access to configuration space, and the log lines it gave rise to.
    #[inline]
    pub(crate) fn configure<T>(&self, access: impl FnOnce(&mut Pci) -> T) -> T {
        let mut pci = self.pci.lock();
        let result = access(&mut pci);
        let notice = pci.mediator.take_notice();
        drop(pci);
        if let Some(notice) = notice {
            self.tell(notice.event(), format_args!("{notice}"));
        }
        result
    }

    /// Works on a mediated device, and tells what the log should have of it. `None` if there is no device of this number.
    pub(crate) fn device<T>(&self, number: usize, access: impl FnOnce(&mut Mediated) -> T) -> Option<T> {
        let (result, notice) = self.devices.with(number, access)?;
        if let Some(notice) = notice {
            self.tell(notice.event(), format_args!("device {number}: {notice}"));
        }
        Some(result)
    }

    /// Whether a CPU has asked all to stop.
    #[inline]
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Number of counters of devices, behind those of [`counters`].
    pub(crate) fn attempts(&self) -> usize {
        Attempt::ALL.len() + Countable::number()
    }

    /// Name and value of counter `number`, over all CPUs.
    pub(crate) fn counter(&self, number: usize) -> Option<(&'static str, u64)> {
        if let Some(name) = counters::NAMES.get(number) {
            let each = self.peers.iter().filter_map(|peer| peer.counters.get(number));
            return Some((name, each.map(|counter| counter.load(Ordering::Relaxed)).sum()));
        }
        let number = number - counters::COUNT;
        if let Some(attempt) = Attempt::ALL.get(number) {
            return Some((attempt.name(), self.pci.lock().mediator.count(*attempt)));
        }
        let kind = Countable::all().nth(number - Attempt::ALL.len())?;
        Some((kind.name(), self.devices.count(kind)))
    }

    /// The guest asked for a reset, in whatever way: the whole platform gets one.
    pub(crate) fn restart(&self, cpu: usize, why: &str) -> ! {
        self.tell(
            Event::GUEST_RESET,
            format_args!("CPU {cpu}: {why}: the platform resets"),
        );
        self.devices.close();
        self.say_last();
        if let Some((port, value)) = self.reset {
            // SAFETY: what follows is a reset.
            unsafe { Port::<u8>::new(port).write(value) };
        }
        // SAFETY: as above.
        unsafe { Port::<u8>::new(RESET_CONTROL).write(FULL_RESET) };
        halt_for_ever()
    }

    /// An invariant of ours is broken: tells why, stops every CPU.
    pub(crate) fn stop(&self, cpu: usize, why: fmt::Arguments<'_>) -> ! {
        let first = !self.stop.swap(true, Ordering::AcqRel);
        if first {
            self.devices.close();
            self.tell_dying(format_args!("CPU {cpu}: {why}"));
            self.say_last();
        }
        crate::apic::LocalApic::current().wake_others();
        halt_for_ever()
    }

    /// Sends what is left of the log by the network, where that is possible at once; the keys of tunnels are wiped then.
    pub(crate) fn say_last(&self) {
        if let Some(journal) = self.journal.try_lock() {
            self.devices.flush(&journal.log);
        }
    }

    /// Writes to the log even if this CPU (or one that will never run again) holds its lock.
    fn tell_dying(&self, text: fmt::Arguments<'_>) {
        for _ in 0..PATIENCE {
            if let Some(mut journal) = self.journal.try_lock() {
                let journal = &mut *journal;
                return journal
                    .log
                    .write(&mut journal.serial, Event::BROKEN_INVARIANT, text);
            }
            core::hint::spin_loop();
        }
        // SAFETY: the holder is this CPU, which will not go on, or one that has been stuck for as long; all stop now.
        unsafe { self.journal.force_unlock() };
        self.tell(Event::BROKEN_INVARIANT, text);
    }
}

impl Cpu {
    /// Tells of a register write that vanished.
    pub(crate) fn refused_register(&self, number: u32, value: u64) {
        let text = format_args!("write of {value:#x} to MSR {number:#x} has no effect");
        self.tell_of(Counter::RefusedRegister, Event::CPU_REFUSED, text);
    }

    /// Counts, and tells of the first on this CPU, the second, the fourth and so on: the guest cannot flood the log.
    pub(crate) fn tell_of(&self, counter: Counter, event: Event, text: fmt::Arguments<'_>) {
        self.count(counter);
        let count = self
            .peer
            .counters
            .get(counter as usize)
            .map_or(0, |count| count.load(Ordering::Relaxed));
        if count.is_power_of_two() {
            self.machine
                .tell(event, format_args!("CPU {}: {text}, {count} so far", self.index));
        }
    }
}
