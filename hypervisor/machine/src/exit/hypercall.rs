//! What the guest may ask: the counters, if the policy says `[guest] status = true`. Otherwise VMMCALL is #UD.
//!
//! RAX = 534b5348h ("SKSH"); RBX = 0: number of counters in RAX; RBX = 1: counter number RCX: value in RAX, name of
//! up to 16 bytes in RDX and RSI, zero-padded. What is not known gives all ones in RAX. Any privilege level may ask:
//! the counters say nothing that a guest does not know from itself.

use crate::counters::{self, Counter};
use crate::cpu::Cpu;
use crate::svm::Exception;

/// "SKSH", big-endian.
const SIGNATURE: u64 = 0x534b_5348;
const UNKNOWN: u64 = u64::MAX;
/// VMMCALL takes three bytes.
const LENGTH: u64 = 3;

/// VMMCALL.
pub(crate) fn handle(cpu: &mut Cpu) {
    cpu.count(Counter::Hypercall);
    if !cpu.machine.guest_status || cpu.vcpu.rax() != SIGNATURE {
        return cpu.raise(Exception::InvalidOpcode);
    }
    let general = cpu.vcpu.registers.general;
    let answer = match general[3] {
        0 => counters::COUNT as u64 + cpu.machine.attempts() as u64,
        1 => counter(cpu, general[1]).unwrap_or(UNKNOWN),
        _ => UNKNOWN,
    };
    cpu.vcpu.set_rax(answer);
    let next = cpu.vcpu.next_rip(LENGTH);
    cpu.vcpu.retire(next);
}

/// The value of counter `number`; its name goes to RDX and RSI.
fn counter(cpu: &mut Cpu, number: u64) -> Option<u64> {
    let (name, value) = cpu.machine.counter(usize::try_from(number).ok()?)?;
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    let (low, high) = bytes.split_at(8);
    cpu.vcpu.registers.general[2] = low.try_into().map_or(0, u64::from_le_bytes);
    cpu.vcpu.registers.general[6] = high.try_into().map_or(0, u64::from_le_bytes);
    Some(value)
}
