//! The symbols that compiled Rust expects from a C library, for binaries that link none.
//!
//! Link it with `use sekisho_runtime as _;`. The memory functions are assembly, because the compiler may turn
//! a loop in Rust into a call of the very function that the loop implements. They rely on the System V ABI's
//! promise that the direction flag is clear at a call. The unwinder's two symbols are only referenced by the
//! precompiled `core`; with `panic = "abort"` nothing reaches them, so they stop at an invalid instruction.
#![cfg_attr(not(test), no_std)]
#![expect(
    unsafe_code,
    reason = "the linker must find these symbols, and the compiler must not see into them"
)]

#[cfg(test)]
mod tests;

use core::arch::global_asm;

/// A line of assembly with a symbol's name in it, which under test is another than the C library's.
#[cfg(not(test))]
macro_rules! named {
    ($before:literal, $name:literal, $after:literal) => {
        concat!($before, $name, $after)
    };
}

#[cfg(test)]
macro_rules! named {
    ($before:literal, $name:literal, $after:literal) => {
        concat!($before, "tested_", $name, $after)
    };
}

// Signatures as in ISO C: rdi is the destination (or first operand), rsi the source (or fill byte), rdx the
// length; the result is in rax. `rep movsb` and `rep stosb` are fast on long blocks, on every CPU with ERMS.
// SAFETY: each function keeps to the System V ABI (only caller-saved registers change, the direction flag is clear
// on return) and touches only the bytes that its C contract lets it touch.
global_asm!(
    ".macro runtime_function name",
    "    .pushsection .text.\\name,\"ax\",@progbits",
    named!("    .globl ", "\\name", ""),
    named!("    .type ", "\\name", ",@function"),
    "    .p2align 4",
    named!("1:  ", "\\name", ":"),
    ".endm",
    ".macro runtime_end name",
    named!("    .size ", "\\name", ", . - 1b"),
    "    .popsection",
    ".endm",
    "",
    // Most copies are short structures, so those up to a page go by 16 bytes, the last of them ending where the copy
    // ends; less than 16 by two overlapping words.
    "runtime_function memcpy",
    "    mov rax, rdi",
    "    cmp rdx, 16",
    "    jb 3f",
    "    cmp rdx, 4096",
    "    ja 6f",
    "    movups xmm1, [rsi + rdx - 16]",
    "    lea r8, [rdi + rdx - 16]",
    "2:  cmp rdi, r8",
    "    jae 8f",
    "    movups xmm0, [rsi]",
    "    movups [rdi], xmm0",
    "    add rsi, 16",
    "    add rdi, 16",
    "    jmp 2b",
    "8:  movups [r8], xmm1",
    "    ret",
    "3:  cmp edx, 8",
    "    jb 4f",
    "    mov rcx, [rsi]",
    "    mov r8, [rsi + rdx - 8]",
    "    mov [rdi], rcx",
    "    mov [rdi + rdx - 8], r8",
    "    ret",
    "4:  cmp edx, 4",
    "    jb 5f",
    "    mov ecx, [rsi]",
    "    mov r8d, [rsi + rdx - 4]",
    "    mov [rdi], ecx",
    "    mov [rdi + rdx - 4], r8d",
    "    ret",
    "5:  test edx, edx",
    "    jz 7f",
    "    movzx ecx, byte ptr [rsi]",
    "    movzx r8d, byte ptr [rsi + rdx - 1]",
    "    mov r10, rdx",
    "    shr r10",
    "    movzx r9d, byte ptr [rsi + r10]",
    "    mov [rdi], cl",
    "    mov [rdi + rdx - 1], r8b",
    "    mov [rdi + r10], r9b",
    "7:  ret",
    "6:  mov rcx, rdx",
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
    named!("    .globl ", "bcmp", ""),
    named!("    .type ", "bcmp", ",@function"),
    named!("    ", "bcmp", ":"),
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
    named!("    .size ", "bcmp", ", . - 1b"),
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
