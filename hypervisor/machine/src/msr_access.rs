//! Reading and writing MSRs that may not exist or refuse a value: #GP is an answer, not the end.
//!
//! The guest chooses register and value within what the mediator allows; should the mediator's idea of a register
//! differ from the CPU's, the guest gets the #GP that the CPU gave, and the hypervisor goes on.

use core::arch::naked_asm;

/// The CPU answered with #GP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused;

/// What the two routines below return in RAX and RDX.
#[repr(C)]
struct Answer {
    value: u64,
    refused: u64,
}

/// Reads `msr`.
pub(crate) fn read(msr: u32) -> Result<u64, Refused> {
    let answer = read_or_refuse(msr);
    if answer.refused == 0 {
        Ok(answer.value)
    } else {
        Err(Refused)
    }
}

/// Reads `msr`, which every CPU with SVM has. Works before the hypervisor's own descriptor tables are loaded.
pub(crate) fn read_known(msr: u32) -> u64 {
    // SAFETY: the callers name registers that exist; reading those has no effect.
    unsafe { x86_64::registers::model_specific::Msr::new(msr).read() }
}

/// Writes `value` to `msr`.
///
/// # Safety
/// Whatever the register does with the value leaves the hypervisor's memory, mapping and clocks as they are.
pub(crate) unsafe fn write(msr: u32, value: u64) -> Result<(), Refused> {
    if write_or_refuse(msr, value).refused == 0 {
        Ok(())
    } else {
        Err(Refused)
    }
}

/// The labels are known to `faults::general_protection`.
#[unsafe(naked)]
extern "sysv64" fn read_or_refuse(msr: u32) -> Answer {
    naked_asm!(
        "mov ecx, edi",
        ".global sekisho_read_msr",
        "sekisho_read_msr:",
        "rdmsr",
        "shl rdx, 32",
        "or rax, rdx",
        "xor edx, edx",
        "ret",
    )
}

#[unsafe(naked)]
extern "sysv64" fn write_or_refuse(msr: u32, value: u64) -> Answer {
    naked_asm!(
        "mov ecx, edi",
        "mov eax, esi",
        "mov rdx, rsi",
        "shr rdx, 32",
        ".global sekisho_write_msr",
        "sekisho_write_msr:",
        "wrmsr",
        "xor edx, edx",
        "ret",
        ".global sekisho_msr_refused",
        "sekisho_msr_refused:",
        "mov edx, 1",
        "ret",
    )
}
