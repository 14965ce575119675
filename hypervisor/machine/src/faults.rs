//! Exceptions in the host, and panics: what is nobody's fault is handed on, what is ours stops the machine.
//!
//! NMIs are taken in one place only (`exit::nmi`). A machine check is the guest's hardware reporting: it is noted for
//! the guest. Anything else is a broken invariant: all CPUs stop, the
//! record stays in memory.

use crate::cpu::Cpu;
use crate::machine::Machine;
use crate::serial::SerialPort;
use core::arch::naked_asm;
use core::fmt::Write;
use core::mem::offset_of;
use core::panic::PanicInfo;
use sekisho_abi::compiled::Serial;

/// What a handler finds on its stack: ours first, then the CPU's (APM volume 2, 8.9).
#[repr(C)]
pub(crate) struct Frame {
    vector: u64,
    error: u64,
    rip: u64,
}

macro_rules! fatal {
    ($($name:ident = $vector:literal, $error:literal;)*) => { $(
        /// Stops the machine, telling the vector.
        #[unsafe(naked)]
        pub(crate) extern "sysv64" fn $name() {
            naked_asm!(
                $error,
                concat!("push ", $vector),
                "mov rdi, rsp",
                "and rsp, -16",
                "call {stop}",
                stop = sym stop_on_exception,
            )
        }
    )* };
}

fatal! {
    divide_error = "0", "push 0";
    debug = "1", "push 0";
    breakpoint = "3", "push 0";
    invalid_opcode = "6", "push 0";
    device_not_available = "7", "push 0";
    double_fault = "8", "";
    segment_not_present = "11", "";
    stack_fault = "12", "";
    unexpected_protection = "13", "";
    page_fault = "14", "";
    floating_point = "16", "push 0";
    alignment_check = "17", "";
    simd = "19", "push 0";
}

/// Nothing but to have taken it (see `exit::nmi`), and to let a CPU that was about to halt go on instead.
///
/// The NMI can come between the last look at the mailbox and the HLT; a return to the HLT itself would sleep
/// over it, so it is stepped over (HLT is one byte).
#[unsafe(naked)]
pub(crate) extern "sysv64" fn non_maskable_interrupt() {
    naked_asm!(
        "push rax",
        "lea rax, [rip + sekisho_waiting_halt]",
        "cmp rax, [rsp + 8]",
        "jne 2f",
        "inc qword ptr [rsp + 8]",
        "2:",
        "pop rax",
        "iretq",
    )
}

/// Goes on behind an RDMSR or WRMSR that the CPU refused; any other #GP stops the machine. See `msr_access`.
#[unsafe(naked)]
pub(crate) extern "sysv64" fn general_protection() {
    naked_asm!(
        "push rax",
        "lea rax, [rip + sekisho_read_msr]",
        "cmp rax, [rsp + 16]",
        "je 2f",
        "lea rax, [rip + sekisho_write_msr]",
        "cmp rax, [rsp + 16]",
        "je 2f",
        "pop rax",
        "jmp {fatal}",
        "2:",
        "lea rax, [rip + sekisho_msr_refused]",
        "mov [rsp + 16], rax",
        "pop rax",
        "add rsp, 8",
        "iretq",
        fatal = sym unexpected_protection,
    )
}

/// Notes the machine check for the guest, whose hardware it is.
#[unsafe(naked)]
pub(crate) extern "sysv64" fn machine_check() {
    naked_asm!(
        "mov byte ptr gs:[{seen}], 1",
        "iretq",
        seen = const offset_of!(Cpu, machine_check_seen),
    )
}

/// The end of every fatal handler.
extern "sysv64" fn stop_on_exception(frame: &Frame) -> ! {
    let address = x86_64::registers::control::Cr2::read_raw();
    stop(format_args!(
        "exception {} error {:#x} at {:#x} address {:#x}",
        frame.vector, frame.error, frame.rip, address
    ))
}

/// The end of a Rust panic: a broken invariant of ours.
///
/// `machine` is what [`crate::prepare`] built, if it came that far.
pub fn panic(info: &PanicInfo<'_>, machine: Option<&'static Machine>) -> ! {
    let line = info.location().map_or(0, core::panic::Location::line);
    let file = info.location().map_or("?", core::panic::Location::file);
    let Some(machine) = machine else {
        // Still building: there is no log and no policy that names a port. Writing to a port cannot fail.
        let _ = write!(
            SerialPort::new(Serial::Com1),
            "sekisho: panic at {file}:{line}: {}\r\n",
            info.message()
        );
        crate::cpu::halt_for_ever();
    };
    machine.stop(
        usize::MAX,
        format_args!("panic at {file}:{line}: {}", info.message()),
    )
}

/// Tells why, stops every CPU, and never returns.
fn stop(why: core::fmt::Arguments<'_>) -> ! {
    if let Some(cpu) = Cpu::current() {
        cpu.machine.stop(cpu.index, why);
    }
    crate::cpu::halt_for_ever()
}
