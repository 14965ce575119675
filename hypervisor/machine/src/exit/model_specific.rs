//! RDMSR and WRMSR of the registers that are ours. What becomes of them, the mediator says.

use super::startup;
use crate::apic::LocalApic;
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::msr_access;
use crate::svm::Exception;
use core::arch::x86_64::_rdtsc;
use sekisho_mediator::cpu::interrupt_command::InterruptCommand;
use sekisho_mediator::cpu::msr::{self, Hardware, ReadDecision, State, WriteDecision};

/// RDMSR and WRMSR take two bytes; see `cpu_identification` on prefixes.
const LENGTH: u64 = 2;

/// RDMSR.
pub(crate) fn read(cpu: &mut Cpu) {
    cpu.count(Counter::MsrRead);
    let number = cpu.vcpu.registers.general[1] as u32;
    match msr::read(number, &state(cpu)) {
        ReadDecision::Value(value) => {
            cpu.vcpu.set_rax(value & 0xffff_ffff);
            cpu.vcpu.registers.general[2] = value >> 32;
            done(cpu);
        }
        ReadDecision::Fault => cpu.raise(Exception::GeneralProtection),
    }
}

/// WRMSR.
pub(crate) fn write(cpu: &mut Cpu) {
    cpu.count(Counter::MsrWrite);
    let number = cpu.vcpu.registers.general[1] as u32;
    let value = cpu.vcpu.rax() & 0xffff_ffff | cpu.vcpu.registers.general[2] << 32;
    let state = state(cpu);
    let machine = cpu.machine;
    let _held = is_memory_type(number).then(|| machine.memory_types.lock());
    let decision = msr::write(number, value, &state, &mut cpu.memory_types, &Registers);
    match decision {
        WriteDecision::Fault => return cpu.raise(Exception::GeneralProtection),
        WriteDecision::Hardware(value) => {
            if !hand_on(number, value) {
                return cpu.raise(Exception::GeneralProtection);
            }
        }
        WriteDecision::Unchanged => {}
        WriteDecision::Vanish => cpu.refused_register(number, value),
        WriteDecision::Efer(value) => {
            cpu.vcpu.set_efer(value);
            // The CPU would forget translations made under another NXE.
            cpu.vcpu.flush_translations();
        }
        WriteDecision::Clock { offset, adjust } => {
            cpu.vcpu.set_tsc_offset(offset);
            cpu.tsc_adjust = adjust;
        }
        WriteDecision::Apic(value, mode) => {
            if !hand_on(msr::APIC_BASE, value) {
                return cpu.raise(Exception::GeneralProtection);
            }
            cpu.apic = LocalApic::current();
            cpu.peer.note_mode(cpu.apic, mode);
        }
        WriteDecision::Command(value) => {
            let command = InterruptCommand::x2apic(value);
            startup::command(cpu, command, |_| {
                hand_on(number, value);
            });
        }
    }
    done(cpu);
}

/// The variable ranges and the default type.
const fn is_memory_type(number: u32) -> bool {
    matches!(number, 0x200..=0x21f | 0x2ff)
}

fn done(cpu: &mut Cpu) {
    let next = cpu.vcpu.next_rip(LENGTH);
    cpu.vcpu.retire(next);
}

/// Gives the value to the real register; whether the CPU took it.
fn hand_on(number: u32, value: u64) -> bool {
    // SAFETY: the mediator lets only values through that leave the hypervisor's memory and clocks as they are.
    unsafe { msr_access::write(number, value) }.is_ok()
}

fn state(cpu: &Cpu) -> State {
    State {
        efer: cpu.vcpu.efer(),
        cr0: cpu.vcpu.cr0(),
        tsc_offset: cpu.vcpu.tsc_offset(),
        tsc_adjust: cpu.tsc_adjust,
        features: cpu.machine.features,
        apic_mode: cpu.peer.view().mode,
    }
}

/// The running CPU's real registers.
struct Registers;

impl Hardware for Registers {
    fn msr(&self, msr: u32) -> u64 {
        // One that the CPU does not have reads as nothing, and writing it back would be refused likewise.
        msr_access::read(msr).unwrap_or(0)
    }

    fn timestamp(&self) -> u64 {
        // SAFETY: the host never sets CR4.TSD.
        unsafe { _rdtsc() }
    }
}
