//! How fast AES rounds alone can be on this CPU.
#![expect(unsafe_code, reason = "only instructions themselves say what the CPU can do")]

use std::arch::asm;

/// Rounds in one turn of the loop.
pub(super) const ROUNDS: u32 = 40;

/// Carries out AES rounds of ten streams that do not wait for each other, `turns` times [`ROUNDS`] in all; `None` where
/// the CPU has no instruction for it.
pub(super) fn aes_rounds(turns: u32) -> Option<()> {
    if !std::is_x86_feature_detected!("aes") {
        return None;
    }
    // SAFETY: the CPU has the instructions, and registers are all they touch.
    unsafe {
        asm!(
            "2:",
            ".rept 4",
            "aesenc xmm0, xmm10",
            "aesenc xmm1, xmm10",
            "aesenc xmm2, xmm10",
            "aesenc xmm3, xmm10",
            "aesenc xmm4, xmm10",
            "aesenc xmm5, xmm10",
            "aesenc xmm6, xmm10",
            "aesenc xmm7, xmm10",
            "aesenc xmm8, xmm10",
            "aesenc xmm9, xmm10",
            ".endr",
            "dec {turns:e}",
            "jnz 2b",
            turns = inout(reg) turns.max(1) => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _,
            out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _,
            out("xmm10") _,
            options(nomem, nostack),
        );
    }
    Some(())
}
