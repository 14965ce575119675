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
use sekisho_mediator::wake::{Cause, Owner};

/// Whose the NMI is that this CPU has just taken. At the timer's moment devices were polled and the next moment is set.
/// Another CPU than the one that the timer wakes leaves it alone.
pub(super) fn judge(cpu: &Cpu, cause: Cause) -> Owner {
    let timer = cpu.machine.timer.as_ref().filter(|_| cpu.index == BOOT_CPU);
    let owner = timer.map_or(Owner::Other, |timer| timer.judge(cause));
    if owner == Owner::Moment {
        cpu.count(Counter::Wake);
        cpu.machine.poll();
    }
    owner
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
