//! NMIs: another CPU's call, a timer's, or the guest's own, which it must get as on the bare machine: none lost, none
//! nested.
//!
//! An NMI that exits stays pending (APM volume 2, 15.13.2), so it is taken here, in a window of one instruction. It
//! is a call if the mailbox holds a request, the timer's if its moment has come or one is late; else it is the guest's, and
//! it is the guest's too if the mailbox says that the guest sent one. While the guest handles one, the next waits for its IRET, as in
//! a CPU.
//!
//! The moment "IRET is done" has no exit. So with another NMI waiting, the IRET is single-stepped and the NMI
//! delivered behind it; without one, blocking ends at the exit before the IRET, and an NMI that comes before
//! the IRET was executed is recognised by RIP and RSP and stepped likewise.

use super::{startup, wake};
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::svm::{Exception, Watch};
use core::arch::asm;
use core::mem;
use core::sync::atomic::Ordering::Relaxed;
use sekisho_mediator::wake::{Cause, Owner};

/// RFLAGS.TF.
const TRAP: u64 = 1 << 8;

/// Where one CPU's guest NMIs stand.
#[derive(Default)]
pub(crate) struct NonMaskable {
    /// The guest handles one: the next must wait.
    blocked: bool,
    /// One waits.
    waiting: bool,
    /// This CPU sent itself an NMI, for one that waits behind another event.
    sent_back: bool,
    /// RIP and RSP of the IRET that ends the handling, once it is about to be executed.
    returning: Option<(u64, u64)>,
    /// Stepping over that IRET, and whether the guest had TF set itself.
    stepping: Option<Stepping>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stepping {
    OursAlone,
    GuestsToo,
}

/// An NMI exit.
pub(crate) fn arrived(cpu: &mut Cpu) {
    cpu.count(Counter::Nmi);
    take();
    cpu.hand_on_machine_check();
    let called = startup::requested(cpu);
    let sent = cpu.peer.request.take_non_maskable();
    if sent {
        cpu.peer.request.settle();
        take();
    }
    let sent = sent | mem::take(&mut cpu.non_maskable.sent_back);
    let cause = if called || sent {
        Cause::Another
    } else {
        Cause::Unknown
    };
    // Last, since what was taken above may have been the timer's.
    let owner = wake::judge(cpu, cause);
    if sent || !called && owner == Owner::Other {
        offer(cpu);
    }
    let before = cpu.previous_byte();
    cpu.vcpu.replay_shadow(before);
}

/// Takes the pending NMI in the host, if there is one.
pub(super) fn take() {
    // SAFETY: the host's IDT is loaded and interrupts are masked; what else GIF held back is handled there too.
    unsafe { asm!("stgi", "nop", "clgi", options(nostack)) };
}

/// One more NMI for the guest. A second one waiting is the same one, as in a CPU.
fn offer(cpu: &mut Cpu) {
    cpu.non_maskable.waiting = true;
    if !cpu.non_maskable.blocked {
        return deliver(cpu);
    }
    match (cpu.non_maskable.returning, cpu.non_maskable.stepping) {
        (Some(place), None) if place == cpu.place() => step(cpu),
        (Some(_), None) => deliver(cpu),
        // Before its IRET, or stepping over it already.
        _ => {}
    }
}

/// Delivers the waiting NMI with the next entry. If another event goes first, an NMI to itself brings this CPU back
/// here behind it.
fn deliver(cpu: &mut Cpu) {
    cpu.non_maskable.waiting = false;
    if cpu.vcpu.delivers() {
        let id = cpu.apic.id();
        cpu.non_maskable.sent_back = true;
        return cpu.apic.wake(id);
    }
    cpu.non_maskable.blocked = true;
    cpu.non_maskable.returning = None;
    cpu.vcpu.inject_nmi();
}

/// The guest is about to execute IRET while NMIs are blocked.
pub(crate) fn returning(cpu: &mut Cpu) {
    cpu.count(Counter::InterruptReturn);
    cpu.forget_interrupt_return();
    cpu.non_maskable.returning = Some(cpu.place());
    if cpu.non_maskable.waiting {
        step(cpu);
    }
}

/// Lets the guest execute one instruction: the IRET.
fn step(cpu: &mut Cpu) {
    let flags = cpu.vcpu.rflags();
    let stepping = if flags & TRAP == 0 {
        Stepping::OursAlone
    } else {
        Stepping::GuestsToo
    };
    cpu.non_maskable.stepping = Some(stepping);
    cpu.vcpu.set_rflags(flags | TRAP);
    cpu.vcpu.watch_single_step(Watch::On);
}

/// The IRET is done (its own flags are loaded): NMIs are open, the waiting one goes in.
pub(crate) fn stepped(cpu: &mut Cpu) {
    cpu.count(Counter::SingleStep);
    cpu.vcpu.watch_single_step(Watch::Off);
    let stepping = cpu.non_maskable.stepping.take();
    cpu.non_maskable.blocked = false;
    cpu.non_maskable.returning = None;
    if stepping != Some(Stepping::OursAlone) {
        cpu.raise(Exception::SingleStep);
    }
    if cpu.non_maskable.waiting {
        deliver(cpu);
    }
}

impl Cpu {
    /// Where the guest is: enough to know whether it executed anything in between.
    fn place(&self) -> (u64, u64) {
        (self.vcpu.rip(), self.vcpu.rsp())
    }

    /// A machine check that the window let in is the guest's: it owns the hardware that reports.
    fn hand_on_machine_check(&mut self) {
        if self.machine_check_seen.swap(0, Relaxed) != 0 {
            self.raise(Exception::MachineCheck);
        }
    }

    /// Forgets everything about NMIs: the CPU was reset.
    pub(crate) fn reset_non_maskable(&mut self) {
        self.non_maskable = NonMaskable::default();
    }

    /// The byte before RIP, if it lies in the same page.
    fn previous_byte(&self) -> Option<u8> {
        use sekisho_mediator::cpu::fetch::fetch;
        if !self.vcpu.in_interrupt_shadow() {
            return None;
        }
        let view = self.vcpu.view();
        let before = view.code_address().wrapping_sub(1);
        let bytes = fetch(&view.paging(), before, view.privilege(), self.machine.ram).ok()?;
        bytes.as_slice().first().copied()
    }
}
