//! The hypervisor's counters, by the status hypercall that a policy with `[guest] status = true` allows.
//!
//! Without that permission, and on a bare machine, VMMCALL is #UD and this process dies by SIGILL: that too is
//! an answer the tests look for.

use core::arch::asm;
use std::fmt::Write;

/// RAX of every status call: `SKSH`.
const STATUS_CALL: u64 = 0x534b_5348;
/// RBX: how many counters there are.
const FUNCTION_COUNT: u64 = 0;
/// RBX: value and name of the counter in RCX.
const FUNCTION_COUNTER: u64 = 1;
/// More counters than any build has: an answer beyond it is a wrong answer.
const COUNTERS_AT_MOST: u64 = 4096;

/// What one call leaves in the registers.
struct Answer {
    rax: u64,
    rdx: u64,
    rsi: u64,
}

/// One line for each counter: `NAME VALUE`.
pub fn report() -> Result<String, String> {
    let count = call(FUNCTION_COUNT, 0).rax;
    if count > COUNTERS_AT_MOST {
        return Err(format!("{count:#x} is no number of counters"));
    }
    let mut report = String::new();
    for index in 0..count {
        let answer = call(FUNCTION_COUNTER, index);
        let name: String = [answer.rdx, answer.rsi]
            .iter()
            .flat_map(|half| half.to_le_bytes())
            .take_while(|byte| *byte != 0)
            .map(char::from)
            .collect();
        let _ = writeln!(report, "{name} {}", answer.rax);
    }
    Ok(report)
}

fn call(function: u64, index: u64) -> Answer {
    let (rax, rdx, rsi): (u64, u64, u64);
    // SAFETY: the call reads no memory and answers in RAX, RDX and RSI only; RBX, which the compiler keeps for
    // itself, is restored.
    unsafe {
        asm!(
            "xchg rbx, {function}",
            "vmmcall",
            "xchg rbx, {function}",
            function = inout(reg) function => _,
            inout("rax") STATUS_CALL => rax,
            in("rcx") index,
            lateout("rdx") rdx,
            lateout("rsi") rsi,
            options(nostack),
        );
    }
    Answer { rax, rdx, rsi }
}
