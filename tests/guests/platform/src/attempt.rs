//! Runs code that may fault and tells how it ended.
//!
//! One attempt at a time, on the boot CPU. What a faulting attempt held is leaked, so attempts hold nothing.

use crate::exception::{self, Frame, Taken};
use core::arch::naked_asm;
use core::cell::UnsafeCell;
use core::fmt;

/// Direction and trap flag: an attempt may have set them when it faulted.
const FLAGS_CLEARED: u64 = 1 << 10 | 1 << 8;

/// A fault that ended an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The exception's vector.
    pub vector: u8,
    /// Its error code.
    pub error: u64,
    /// CR2 at that moment.
    pub address: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vector {
            0 => f.write_str("#DE"),
            1 => f.write_str("#DB"),
            6 => f.write_str("#UD"),
            8 => f.write_str("#DF"),
            10 => write!(f, "#TS({:#x})", self.error),
            11 => write!(f, "#NP({:#x})", self.error),
            12 => write!(f, "#SS({:#x})", self.error),
            13 => write!(f, "#GP({:#x})", self.error),
            14 => write!(f, "#PF({:#x})", self.error),
            other => write!(f, "#{other}"),
        }
    }
}

/// Where to go on after a fault.
#[repr(C)]
struct Recovery {
    /// Zero while no attempt is under way.
    rsp: u64,
    rip: u64,
    fault: Option<Fault>,
}

struct Cell(UnsafeCell<Recovery>);
// SAFETY: only the boot CPU runs attempts and takes faults.
unsafe impl Sync for Cell {}

static RECOVERY: Cell = Cell(UnsafeCell::new(Recovery {
    rsp: 0,
    rip: 0,
    fault: None,
}));

/// Runs `code` to its end or its first fault.
///
/// # Errors
/// The fault.
pub fn attempt<T, F: FnOnce() -> T>(code: F) -> Result<T, Fault> {
    let mut state = (Some(code), None::<T>);
    let recovery = RECOVERY.0.get();
    // SAFETY: one attempt at a time, so nothing else refers to the recovery; `run` gets the state it is made for.
    unsafe {
        (*recovery).fault = None;
        guarded(run::<T, F>, (&raw mut state).cast(), recovery);
        (*recovery).rsp = 0;
        match (*recovery).fault {
            Some(fault) => Err(fault),
            None => Ok(state.1.expect("an attempt without a fault has a result")),
        }
    }
}

extern "sysv64" fn run<T, F: FnOnce() -> T>(state: *mut ()) {
    // SAFETY: `attempt` passes its own state, which lives until it returns.
    let state = unsafe { &mut *state.cast::<(Option<F>, Option<T>)>() };
    if let Some(code) = state.0.take() {
        state.1 = Some(code());
    }
}

/// Calls `code(state)` such that a fault returns from here.
#[unsafe(naked)]
extern "sysv64" fn guarded(code: extern "sysv64" fn(*mut ()), state: *mut (), recovery: *mut Recovery) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdx], rsp",
        "lea rax, [rip + 2f]",
        "mov [rdx + 8], rax",
        "mov rax, rdi",
        "mov rdi, rsi",
        "sub rsp, 8",
        "call rax",
        "add rsp, 8",
        "2:",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

/// Ends the attempt under way, if there is one.
pub(crate) fn recover(frame: &mut Frame) -> Taken {
    let recovery = RECOVERY.0.get();
    // SAFETY: as in `attempt`; the interrupted attempt does not touch it before it goes on.
    unsafe {
        if (*recovery).rsp == 0 {
            return Taken::No;
        }
        (*recovery).fault = Some(Fault {
            vector: frame.vector as u8,
            error: frame.error,
            address: exception::cr2(),
        });
        frame.rsp = (*recovery).rsp;
        frame.rip = (*recovery).rip;
        frame.rflags &= !FLAGS_CLEARED;
    }
    Taken::Yes
}
