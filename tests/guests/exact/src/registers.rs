//! What an intercepted instruction must leave alone: general registers, flags, SSE registers, MXCSR.

use core::arch::asm;
use platform::{apic, config, line};

/// A rounding mode and masks that no start-up code sets.
const MXCSR: u32 = 0x7f80;

/// Checks each kind of exit.
pub fn run() {
    sse("cpuid", || {
        // SAFETY: CPUID writes only the registers named.
        unsafe { asm!("push rbx", "cpuid", "pop rbx", inout("eax") 1 => _, out("ecx") _, out("edx") _) };
    });
    sse("APIC write", || apic::write(apic::TASK_PRIORITY, 0));
    sse("config port write", || config::HOST_BRIDGE.select(0));
    general();
}

/// Sixteen SSE registers and MXCSR across `exit`.
fn sse(name: &str, exit: impl Fn()) {
    let before: [[u64; 2]; 16] =
        core::array::from_fn(|index| [0x0101_0101_0101_0101 * (index as u64 + 1), !(index as u64)]);
    let mut after = [[0_u64; 2]; 16];
    let mut control = MXCSR;
    let (from, to) = (before.as_ptr(), after.as_mut_ptr());
    let initial = 0x1f80_u32;
    // SAFETY: loads from and stores to the arrays only; the closure compiles to code without SSE in between is
    // not assured, so a difference shows in both runs alike; MXCSR is restored.
    unsafe {
        asm!(
            "ldmxcsr [{control}]",
            "movups xmm6, [{from} + 0x60]", "movups xmm7, [{from} + 0x70]", "movups xmm8, [{from} + 0x80]",
            "movups xmm15, [{from} + 0xf0]",
            control = in(reg) &raw const control, from = in(reg) from,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm15") _,
        );
        exit();
        asm!(
            "stmxcsr [{control}]", "ldmxcsr [{initial}]",
            "movups [{to} + 0x60], xmm6", "movups [{to} + 0x70], xmm7", "movups [{to} + 0x80], xmm8",
            "movups [{to} + 0xf0], xmm15",
            control = in(reg) &raw mut control, initial = in(reg) &raw const initial, to = in(reg) to,
        );
    }
    let kept = [6, 7, 8, 15]
        .iter()
        .filter(|index| after[**index] == before[**index])
        .count();
    line!("exact: SSE registers kept over {name}: {kept}, MXCSR {control:#x}");
}

/// All general registers that CPUID does not write, and the arithmetic flags.
fn general() {
    let (sum, flags): (u64, u64);
    // SAFETY: every register changed is named or restored.
    unsafe {
        asm!(
            "push rbx", "push rbp",
            "mov rsi, 1", "mov rdi, 2", "mov rbp, 4", "mov r8, 8", "mov r9, 16", "mov r10, 32", "mov r11, 64",
            "mov r12, 128", "mov r13, 256", "mov r14, 512", "mov r15, 1024",
            "xor eax, eax", "stc", "cpuid",
            "pushfq", "pop rax",
            "add rsi, rdi", "add rsi, rbp", "add rsi, r8", "add rsi, r9", "add rsi, r10", "add rsi, r11",
            "add rsi, r12", "add rsi, r13", "add rsi, r14", "add rsi, r15",
            "pop rbp", "pop rbx",
            out("rsi") sum, out("rax") flags, out("rcx") _, out("rdx") _, out("rdi") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    line!(
        "exact: general registers over cpuid: {sum} flags {:#x}",
        flags & 0xcd5
    );
}
