//! INIT and startup IPIs, carried out by the hypervisor: no CPU is ever reset from under it. And NMIs, so that the
//! receiver knows that one is the guest's.
//!
//! The sender notes the request and wakes the receiver by NMI; the receiver parks here, in the host, until its
//! startup IPI, and goes on in real mode as a guest. See `sekisho_mediator::cpu::interrupt_command`.

use super::nmi;
use crate::counters::Counter;
use crate::cpu::{Asked, Cpu, Peer, wait_for_nmi};
use core::arch::x86_64::__cpuid;
use sekisho_mediator::cpu::interrupt_command::{CpuSet, CpuView, Decision, InterruptCommand, MAX_CPUS};
use sekisho_mediator::cpu::startup::ResetState;

/// The number of the CPU that starts at power-on. It is never parked.
pub(crate) const BOOT_CPU: usize = 0;

/// Decides an interrupt command of this CPU's guest. `pass` gives it to the real controller.
#[inline]
pub(crate) fn command(cpu: &mut Cpu, command: InterruptCommand, pass: impl FnOnce(&Cpu)) {
    if !command.is_special() {
        return pass(cpu);
    }
    decide(cpu, command, pass);
}

#[cold]
fn decide(cpu: &mut Cpu, command: InterruptCommand, pass: impl FnOnce(&Cpu)) {
    let mut views = [CpuView::ABSENT; MAX_CPUS];
    let peers = cpu.machine.peers;
    for (view, peer) in views.iter_mut().zip(peers) {
        *view = peer.view();
    }
    let views = views.get(..peers.len()).unwrap_or_default();
    match command.decide(views, cpu.index) {
        Decision::Pass => pass(cpu),
        Decision::Swallow => {}
        Decision::NonMaskable(targets) => {
            for peer in targets.iter().filter_map(|index| cpu.machine.peers.get(index)) {
                peer.request.non_maskable(|| wake(cpu, peer));
            }
        }
        Decision::Init(targets) => init(cpu, targets),
        Decision::Startup(targets, vector) => start(cpu, targets, vector),
    }
}

/// INIT at the boot CPU is a reset of the machine: that CPU would start in the firmware.
fn init(cpu: &Cpu, targets: CpuSet) {
    cpu.count(Counter::Init);
    if targets.contains(BOOT_CPU) {
        cpu.machine.restart(cpu.index, "INIT to the boot CPU");
    }
    for peer in targets.iter().filter_map(|index| cpu.machine.peers.get(index)) {
        peer.request.init(|| wake(cpu, peer));
    }
}

fn start(cpu: &Cpu, targets: CpuSet, vector: u8) {
    for peer in targets.iter().filter_map(|index| cpu.machine.peers.get(index)) {
        peer.request.start(vector, || wake(cpu, peer));
    }
}

fn wake(cpu: &Cpu, peer: &Peer) {
    if let Some(id) = peer.apic_id() {
        cpu.apic.wake(id);
    }
}

/// Whether another CPU asked something of this one; if so, it is done.
pub(crate) fn requested(cpu: &mut Cpu) -> bool {
    if cpu.machine.stopping() {
        crate::cpu::halt_for_ever();
    }
    match cpu.peer.request.take() {
        Asked::Nothing => false,
        Asked::Park => {
            park(cpu);
            true
        }
        // A startup IPI is only ever taken while parked.
        Asked::Start(_) => true,
    }
}

/// INIT: the CPU waits here for its startup IPI.
fn park(cpu: &mut Cpu) {
    cpu.apic.reset();
    cpu.peer.note(cpu.apic);
    cpu.reset_non_maskable();
    loop {
        match cpu.peer.request.take() {
            Asked::Start(vector) => {
                cpu.peer.request.settle();
                nmi::take();
                let signature = __cpuid(1).eax;
                return cpu.vcpu.reset(&ResetState::startup(signature, vector));
            }
            Asked::Park => cpu.apic.reset(),
            Asked::Nothing => {
                wait_for_nmi();
                if cpu.machine.stopping() {
                    crate::cpu::halt_for_ever();
                }
            }
        }
    }
}
