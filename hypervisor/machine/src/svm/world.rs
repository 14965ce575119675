//! The switch between the two worlds: VMRUN and back, saving what the CPU does not.
//!
//! VMRUN and #VMEXIT exchange RAX, RSP, RIP, RFLAGS, the control registers and CS, SS, DS, ES (APM volume 2,
//! 15.5.1 and 15.6). The rest is exchanged here: the other general registers; XMM0-15 and MXCSR, because the
//! precompiled `core` uses them (legacy SSE leaves the guest's upper YMM halves alone; [`crate::vectors`] keeps them where
//! something else is used); and by VMSAVE and VMLOAD FS, GS, TR, LDTR and the system-call MSRs, so that the host has its
//! own TSS and GS base.

use super::Vcpu;
use crate::cpu::Cpu;
use core::arch::naked_asm;
use core::mem::offset_of;
use sekisho_mediator::cpu::registers::Registers;

/// MXCSR after reset: all exceptions masked, round to nearest (APM volume 1, 4.2.2).
const HOST_MXCSR: u32 = 0x1f80;

/// Byte offset in [`Cpu`] of general register `number`, in encoding order.
const fn general(number: usize) -> usize {
    offset_of!(Cpu, vcpu) + offset_of!(Vcpu, registers) + offset_of!(Registers, general) + number * 8
}

/// Runs the guest on this CPU for ever, calling [`crate::exit::handle`] at each exit.
///
/// # Safety
/// `cpu` is this CPU's own and fully set up ([`Vcpu::capture`]); its host VMCB holds the host's state; GIF is 0;
/// the stack is this CPU's host stack.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn run(cpu: *mut Cpu) -> ! {
    naked_asm!(
        // Behind the return address this push aligns the stack to 16 bytes, as the call below needs it.
        "push rdi",
        "2:",
        "mov rdi, [rsp]",
        "mov rax, [rdi + {guest_vmcb}]",
        "ldmxcsr [rdi + {mxcsr}]",
        "movaps xmm0, [rdi + {xmm} + 0x00]",
        "movaps xmm1, [rdi + {xmm} + 0x10]",
        "movaps xmm2, [rdi + {xmm} + 0x20]",
        "movaps xmm3, [rdi + {xmm} + 0x30]",
        "movaps xmm4, [rdi + {xmm} + 0x40]",
        "movaps xmm5, [rdi + {xmm} + 0x50]",
        "movaps xmm6, [rdi + {xmm} + 0x60]",
        "movaps xmm7, [rdi + {xmm} + 0x70]",
        "movaps xmm8, [rdi + {xmm} + 0x80]",
        "movaps xmm9, [rdi + {xmm} + 0x90]",
        "movaps xmm10, [rdi + {xmm} + 0xa0]",
        "movaps xmm11, [rdi + {xmm} + 0xb0]",
        "movaps xmm12, [rdi + {xmm} + 0xc0]",
        "movaps xmm13, [rdi + {xmm} + 0xd0]",
        "movaps xmm14, [rdi + {xmm} + 0xe0]",
        "movaps xmm15, [rdi + {xmm} + 0xf0]",
        "mov rcx, [rdi + {rcx}]",
        "mov rdx, [rdi + {rdx}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rbp, [rdi + {rbp}]",
        "mov rsi, [rdi + {rsi}]",
        "mov r8, [rdi + {r8}]",
        "mov r9, [rdi + {r9}]",
        "mov r10, [rdi + {r10}]",
        "mov r11, [rdi + {r11}]",
        "mov r12, [rdi + {r12}]",
        "mov r13, [rdi + {r13}]",
        "mov r14, [rdi + {r14}]",
        "mov r15, [rdi + {r15}]",
        "mov rdi, [rdi + {rdi}]",
        "vmload rax",
        "vmrun rax",
        "vmsave rax",
        "push rdi",
        "mov rdi, [rsp + 8]",
        "mov [rdi + {rcx}], rcx",
        "mov [rdi + {rdx}], rdx",
        "mov [rdi + {rbx}], rbx",
        "mov [rdi + {rbp}], rbp",
        "mov [rdi + {rsi}], rsi",
        "mov [rdi + {r8}], r8",
        "mov [rdi + {r9}], r9",
        "mov [rdi + {r10}], r10",
        "mov [rdi + {r11}], r11",
        "mov [rdi + {r12}], r12",
        "mov [rdi + {r13}], r13",
        "mov [rdi + {r14}], r14",
        "mov [rdi + {r15}], r15",
        "pop rax",
        "mov [rdi + {rdi}], rax",
        "movaps [rdi + {xmm} + 0x00], xmm0",
        "movaps [rdi + {xmm} + 0x10], xmm1",
        "movaps [rdi + {xmm} + 0x20], xmm2",
        "movaps [rdi + {xmm} + 0x30], xmm3",
        "movaps [rdi + {xmm} + 0x40], xmm4",
        "movaps [rdi + {xmm} + 0x50], xmm5",
        "movaps [rdi + {xmm} + 0x60], xmm6",
        "movaps [rdi + {xmm} + 0x70], xmm7",
        "movaps [rdi + {xmm} + 0x80], xmm8",
        "movaps [rdi + {xmm} + 0x90], xmm9",
        "movaps [rdi + {xmm} + 0xa0], xmm10",
        "movaps [rdi + {xmm} + 0xb0], xmm11",
        "movaps [rdi + {xmm} + 0xc0], xmm12",
        "movaps [rdi + {xmm} + 0xd0], xmm13",
        "movaps [rdi + {xmm} + 0xe0], xmm14",
        "movaps [rdi + {xmm} + 0xf0], xmm15",
        "stmxcsr [rdi + {mxcsr}]",
        "ldmxcsr [rdi + {host_mxcsr}]",
        "mov rax, [rdi + {host_vmcb}]",
        "vmload rax",
        "call {handle}",
        "jmp 2b",
        guest_vmcb = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, guest_vmcb),
        host_vmcb = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, host_vmcb),
        mxcsr = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, mxcsr),
        host_mxcsr = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, host_mxcsr),
        xmm = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, xmm),
        rcx = const general(1),
        rdx = const general(2),
        rbx = const general(3),
        rbp = const general(5),
        rsi = const general(6),
        rdi = const general(7),
        r8 = const general(8),
        r9 = const general(9),
        r10 = const general(10),
        r11 = const general(11),
        r12 = const general(12),
        r13 = const general(13),
        r14 = const general(14),
        r15 = const general(15),
        handle = sym crate::exit::handle,
    )
}

/// Leaves the caller's stack for the host's and goes to `begin(cpu)`, interrupts masked.
///
/// # Safety
/// `cpu` is this CPU's own, with its host stack set; the running page tables map the region at its physical
/// address; `begin` never returns.
#[unsafe(naked)]
pub(crate) unsafe extern "sysv64" fn leave_to(
    cpu: *mut Cpu,
    begin: unsafe extern "sysv64" fn(*mut Cpu) -> !,
) -> ! {
    naked_asm!(
        "cli",
        "mov dword ptr [rdi + {host_mxcsr}], {default_mxcsr}",
        "stmxcsr [rdi + {mxcsr}]",
        "mov rsp, [rdi + {stack}]",
        // The end of the frame chain, and the alignment of a called function.
        "xor ebp, ebp",
        "push rbp",
        "jmp rsi",
        mxcsr = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, mxcsr),
        host_mxcsr = const offset_of!(Cpu, vcpu) + offset_of!(Vcpu, host_mxcsr),
        default_mxcsr = const HOST_MXCSR,
        stack = const offset_of!(Cpu, stack_top),
    )
}
