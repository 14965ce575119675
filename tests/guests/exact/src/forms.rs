//! The forms of instructions that reach the local APIC's page, its task priority register as the witness.

use core::arch::asm;
use platform::apic;
use platform::line;

const PRIORITY: u64 = apic::BASE + apic::TASK_PRIORITY;

macro_rules! form {
    ($name:literal, $start:literal, $($code:tt)*) => {{
        apic::write(apic::TASK_PRIORITY, $start);
        let answer: u64;
        // SAFETY: the instruction touches only the task priority register and the registers it names.
        unsafe { asm!($($code)*, in("rdi") PRIORITY, inout("rax") 0x40_u64 => answer, out("rdx") _) };
        line!("exact: {}: {:#x} {:#x}", $name, apic::read(apic::TASK_PRIORITY), answer);
    }};
}

/// Tries each form.
pub fn run() {
    form!("89 store", 0x10, "mov [rdi], eax");
    form!("89 store with REX", 0x10, "mov r9d, 0x50", "mov r10, rdi", "mov [r10], r9d", out("r9") _, out("r10") _);
    form!(
        "89 store with SIB and displacement",
        0x10,
        "lea rdx, [rdi - 0x90]",
        "mov [rdx + rax * 2 + 0x10], eax"
    );
    form!("C7 store", 0x10, "mov dword ptr [rdi], 0x30");
    form!("A3 store", 0x10, ".byte 0xa3", ".quad 0xfee00080");
    form!("A1 load", 0x20, ".byte 0xa1", ".quad 0xfee00080");
    form!("8B load", 0x20, "mov eax, [rdi]");
    form!("87 exchange", 0x20, "xchg [rdi], eax");
    form!("33 load and xor", 0x20, "xor eax, [rdi]");
    form!("09 or", 0x20, "or [rdi], eax");
    form!("83 and", 0x70, "and dword ptr [rdi], 0x30");
    form!("39 compare", 0x40, "cmp [rdi], eax", "sete al");
    form!("F7 test", 0x40, "test dword ptr [rdi], 0x40", "setne al");
    form!("AB store string", 0x10, "stosd", "sub rdi, 4");
    apic::write(apic::TASK_PRIORITY, 0);
}
