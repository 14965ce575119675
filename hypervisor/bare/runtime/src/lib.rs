//! The symbols that compiled Rust expects from a C library, for binaries that link none.
//!
//! Link it with `use sekisho_runtime as _;`. The memory functions are assembly, because the compiler may turn
//! a loop in Rust into a call of the very function that the loop implements. They rely on the System V ABI's
//! promise that the direction flag is clear at a call. The unwinder's two symbols are only referenced by the
//! precompiled `core`; with `panic = "abort"` nothing reaches them, so they stop at an invalid instruction.
#![no_std]
#![expect(
    unsafe_code,
    reason = "the linker must find these symbols, and the compiler must not see into them"
)]

use core::arch::global_asm;

// Signatures as in ISO C: rdi is the destination (or first operand), rsi the source (or fill byte), rdx the
// length; the result is in rax. `rep movsb` and `rep stosb` are the fast forms on every CPU with ERMS.
// SAFETY: each function keeps to the System V ABI (only caller-saved registers change, the direction flag is clear
// on return) and touches only the bytes that its C contract lets it touch.
global_asm!(
    ".macro runtime_function name",
    "    .pushsection .text.\\name,\"ax\",@progbits",
    "    .globl \\name",
    "    .type \\name,@function",
    "    .p2align 4",
    "    \\name:",
    ".endm",
    ".macro runtime_end name",
    "    .size \\name, . - \\name",
    "    .popsection",
    ".endm",
    "",
    "runtime_function memcpy",
    "    mov rax, rdi",
    "    mov rcx, rdx",
    "    rep movsb",
    "    ret",
    "runtime_end memcpy",
    "",
    // Backwards only if the destination starts inside the source: (destination - source) < length, unsigned.
    "runtime_function memmove",
    "    mov rax, rdi",
    "    mov rcx, rdi",
    "    sub rcx, rsi",
    "    cmp rcx, rdx",
    "    mov rcx, rdx",
    "    jb 2f",
    "    rep movsb",
    "    ret",
    "2:  lea rdi, [rdi + rdx - 1]",
    "    lea rsi, [rsi + rdx - 1]",
    "    std",
    "    rep movsb",
    "    cld",
    "    ret",
    "runtime_end memmove",
    "",
    "runtime_function memset",
    "    mov r8, rdi",
    "    mov eax, esi",
    "    mov rcx, rdx",
    "    rep stosb",
    "    mov rax, r8",
    "    ret",
    "runtime_end memset",
    "",
    // bcmp needs only zero or not, so memcmp's answer will do for both.
    "runtime_function memcmp",
    "    .globl bcmp",
    "    .type bcmp,@function",
    "    bcmp:",
    "    xor ecx, ecx",
    "2:  cmp rcx, rdx",
    "    je 3f",
    "    movzx eax, byte ptr [rdi + rcx]",
    "    movzx r8d, byte ptr [rsi + rcx]",
    "    inc rcx",
    "    sub eax, r8d",
    "    je 2b",
    "    ret",
    "3:  xor eax, eax",
    "    ret",
    "    .size bcmp, . - bcmp",
    "runtime_end memcmp",
    "",
    "runtime_function strlen",
    "    xor eax, eax",
    "2:  cmp byte ptr [rdi + rax], 0",
    "    je 3f",
    "    inc rax",
    "    jmp 2b",
    "3:  ret",
    "runtime_end strlen",
    "",
    "runtime_function rust_eh_personality",
    "    ud2",
    "runtime_end rust_eh_personality",
    "",
    "runtime_function _Unwind_Resume",
    "    ud2",
    "runtime_end _Unwind_Resume",
    "",
    ".purgem runtime_function",
    ".purgem runtime_end",
);
