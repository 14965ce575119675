//! The hypervisor's counters, where its policy lets a guest ask for them.

use crate::attempt::attempt;
use core::arch::asm;

/// `SKSH`.
const STATUS_CALL: u64 = 0x534b_5348;
/// RBX: value and name of the counter in RCX.
const FUNCTION_COUNTER: u64 = 1;
/// More than any build has.
const AT_MOST: u64 = 4096;

/// The value of the counter with this name of at most sixteen letters; `None` where nobody answers or knows it.
#[must_use]
pub fn value(name: &str) -> Option<u64> {
    let mut wanted = [0_u8; 16];
    wanted
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(place, letter)| *place = letter);
    let wanted = u128::from_le_bytes(wanted);
    for index in 0..AT_MOST {
        let (value, low, high) = attempt(|| call(index)).ok()?;
        if value == u64::MAX {
            return None;
        }
        if u128::from(high) << 64 | u128::from(low) == wanted {
            return Some(value);
        }
    }
    None
}

fn call(index: u64) -> (u64, u64, u64) {
    let (value, low, high);
    // SAFETY: the call reads no memory and answers in RAX, RDX and RSI; RBX is restored.
    unsafe {
        asm!(
            "push rbx", "mov ebx, {function}", "vmmcall", "pop rbx",
            function = const FUNCTION_COUNTER,
            inout("rax") STATUS_CALL => value, in("rcx") index, lateout("rdx") low, lateout("rsi") high,
        );
    }
    (value, low, high)
}
