//! Entry stubs of the interrupt table, and what is done at each vector: recover, count, or give up.

use crate::attempt;
use crate::line;
use crate::port;
use core::arch::naked_asm;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Vectors that have a stub; those from 32 on are for interrupts.
pub const VECTORS: usize = 48;
/// Exit value of a program that died by a fault nobody expected.
const DIED: u8 = 0x3f;

/// What the CPU and the stub have pushed, in memory order.
#[repr(C)]
#[derive(Debug)]
pub struct Frame {
    general: [u64; 15],
    /// Which exception or interrupt.
    pub vector: u64,
    /// Its error code, zero where it has none.
    pub error: u64,
    /// Where it happened, or where to go on.
    pub rip: u64,
    cs: u64,
    /// Flags, restored on return.
    pub rflags: u64,
    /// Stack, restored on return.
    pub rsp: u64,
    ss: u64,
}

/// Whether a hook took a vector for its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It did; go on where the frame says.
    Yes,
    /// It did not.
    No,
}

/// A program's own answer to vectors.
pub type Hook = fn(&mut Frame) -> Taken;

static HOOK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Asks `hook` first at every vector from now on.
pub fn set_hook(hook: Hook) {
    HOOK.store(hook as *mut (), Ordering::SeqCst);
}

/// Called by every stub.
extern "sysv64" fn dispatch(frame: &mut Frame) {
    let hook = HOOK.load(Ordering::SeqCst);
    if !hook.is_null() {
        // SAFETY: only `set_hook` stores here, and it stores a `Hook`.
        let hook: Hook = unsafe { core::mem::transmute(hook) };
        if hook(frame) == Taken::Yes {
            return;
        }
    }
    if attempt::recover(frame) == Taken::Yes {
        return;
    }
    line!(
        "platform: died at vector {} error {:#x} rip {:#x} cr2 {:#x}",
        frame.vector,
        frame.error,
        frame.rip,
        cr2()
    );
    port::exit(DIED);
}

/// The address of the last page fault.
#[must_use]
pub fn cr2() -> u64 {
    let value: u64;
    // SAFETY: reading CR2 changes nothing.
    unsafe { core::arch::asm!("mov {}, cr2", out(reg) value, options(nostack, nomem)) };
    value
}

/// The stub of vector `N`, which the CPU enters with its error code on the stack.
#[unsafe(naked)]
extern "sysv64" fn with_error<const N: u64>() {
    naked_asm!("push {n}", "jmp {common}", n = const N, common = sym common)
}

/// The stub of vector `N`, which has no error code.
#[unsafe(naked)]
extern "sysv64" fn without_error<const N: u64>() {
    naked_asm!("push 0", "push {n}", "jmp {common}", n = const N, common = sym common)
}

/// Saves everything, calls [`dispatch`], restores everything.
#[unsafe(naked)]
extern "sysv64" fn common() {
    naked_asm!(
        "push rax", "push rbx", "push rcx", "push rdx", "push rsi", "push rdi", "push rbp",
        "push r8", "push r9", "push r10", "push r11", "push r12", "push r13", "push r14", "push r15",
        "cld",
        "mov rdi, rsp",
        "mov rbx, rsp",
        "sub rsp, 512",
        "and rsp, -16",
        "fxsave64 [rsp]",
        "call {dispatch}",
        "fxrstor64 [rsp]",
        "mov rsp, rbx",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop r11", "pop r10", "pop r9", "pop r8",
        "pop rbp", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rbx", "pop rax",
        "add rsp, 16",
        "iretq",
        dispatch = sym dispatch,
    )
}

macro_rules! stubs {
    ($($kind:ident $($number:literal)*;)*) => {
        /// Vector number and stub address, for the interrupt table.
        pub(crate) fn stubs() -> [(u8, u64); VECTORS] {
            [$($(($number, $kind::<$number> as *const () as u64),)*)*]
        }
    };
}

// AMD64 Architecture Programmer's Manual, volume 2, table 8-1: which vectors push an error code.
stubs! {
    without_error 0 1 2 3 4 5 6 7 9 15 16 18 19 20 22 23 24 25 26 27 28 31;
    with_error 8 10 11 12 13 14 17 21 29 30;
    without_error 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47;
}
