//! Work that no access of the guest's gives occasion for: devices are polled when the timer's NMI has come.
//!
//! The timer's page is read-only for the guest, and its stores are judged.

use super::memory::{Neighbour, carry_out};
use super::startup::BOOT_CPU;
use crate::address::HostPhys;
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::timer::Timer;
use sekisho_mediator::cpu::emulate::{Device, Fault};
use sekisho_mediator::cpu::registers::Width;

/// Whether the timer's moment has come, on the CPU that it wakes. If so the devices were polled, and the next moment is set.
pub(super) fn due(cpu: &Cpu) -> bool {
    if passed(cpu).is_none() {
        return false;
    }
    cpu.count(Counter::Wake);
    cpu.machine.poll();
    true
}

/// Sets the timer's next moment again if it has passed: its NMI may have been taken together with another one, and then
/// nothing would ever wake this CPU again.
pub(super) fn keep_awake(cpu: &Cpu) {
    if let Some(timer) = passed(cpu) {
        timer.arm(0);
    }
}

/// The timer, if it wakes this CPU and its moment has passed. Another CPU, at an NMI of its own, must leave it alone: the
/// one on its way would find no moment that has passed, and be taken for the guest's.
fn passed(cpu: &Cpu) -> Option<&Timer> {
    let timer = cpu.machine.timer.as_ref()?;
    (cpu.index == BOOT_CPU && timer.is_due()).then_some(timer)
}

/// A store to the timer's page, or a load in an instruction that stores too.
#[cold]
pub(super) fn timer_page(cpu: &mut Cpu, fault: Fault, timer: &'static Timer) {
    let offset = fault.address - timer.page().start;
    let register = Neighbour {
        address: HostPhys(fault.address),
        room: timer.page().length() - offset,
    };
    carry_out(
        cpu,
        fault,
        &mut TimerPage {
            timer,
            offset,
            register,
        },
    );
}

struct TimerPage {
    timer: &'static Timer,
    offset: u64,
    /// What the guest may read there.
    register: Neighbour,
}

impl Device for TimerPage {
    const MAY_BEGIN_BEFORE: bool = false;

    fn read(&mut self, width: Width) -> u64 {
        self.register.read(width)
    }

    fn write(&mut self, width: Width, value: u64) {
        self.timer.guest_writes(self.offset, width, value);
    }
}
