//! The hypervisor's memory: reads, writes, stacks, tables and jumps into it.
//!
//! Allowed: reads of zeros or ones that no write changes, and faults that come back. Whatever the instruction, the
//! region reads the same afterwards.

use crate::report::{Outcome, Report};
use core::arch::asm;
use platform::attempt::attempt;

const REGION_SIZE: u64 = 16 << 20;
const STEP: u64 = 1 << 20;
/// A slot of the top-level table that the firmware's identity map does not use.
const FREE_SLOT: u64 = 0x1f0;
const PRESENT_WRITABLE: u64 = 3;

/// Tries everything at `region`.
pub fn run(report: &mut Report, region: u64) {
    let middle = region + REGION_SIZE / 2;
    for offset in (0..REGION_SIZE).step_by(STEP as usize) {
        read_and_write(report, region + offset);
    }
    read_and_write(report, region + REGION_SIZE - 8);
    widths(report, middle);
    stores(report, middle);
    copies(report, region);
    stacks(report, middle);
    jump(report, region);
    page_tables(report, region);
    for offset in (0..REGION_SIZE).step_by(STEP as usize) {
        unchanged(report, region + offset);
    }
}

/// What memory that is not there reads as.
fn is_absent(outcome: Outcome) -> bool {
    outcome.is_value(0) || outcome.is_value(u64::MAX)
}

fn peek(address: u64) -> Outcome {
    attempt(|| {
        let value: u64;
        // SAFETY: the firmware's map covers the address; what is not there answers zeros or ones.
        unsafe { asm!("mov {}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
        value
    })
    .into()
}

fn unchanged(report: &mut Report, address: u64) {
    report.tell(format_args!("read {address:#x}"), peek(address), is_absent);
}

fn read_and_write(report: &mut Report, address: u64) {
    let before = peek(address);
    report.tell(format_args!("read {address:#x}"), before, is_absent);
    let written = attempt(|| {
        // SAFETY: the write must vanish; if it does not, the run has failed.
        unsafe { asm!("mov [{}], {}", in(reg) address, in(reg) 0x5e41_5e41_5e41_5e41_u64, options(nostack)) };
        0
    });
    report.tell(format_args!("write {address:#x}"), written, |outcome| {
        !outcome.is_fault()
    });
    report.tell(
        format_args!("read {address:#x} after that"),
        peek(address),
        |outcome| outcome == before,
    );
}

macro_rules! at {
    ($report:expr, $address:expr, $name:literal, $allowed:expr, $($code:tt)*) => {{
        let outcome = attempt(|| {
            // SAFETY: the instruction touches only the region and registers it names.
            unsafe { asm!($($code)*, in("rdi") $address) };
            0
        });
        $report.tell(format_args!($name), outcome, $allowed);
        unchanged($report, $address);
    }};
}

/// Each width of a plain read answers all zeros or all ones.
fn widths(report: &mut Report, address: u64) {
    let bytes = attempt(|| {
        let (one, two, four): (u64, u64, u64);
        // SAFETY: as in `peek`.
        unsafe {
            asm!(
                "movzx {one:e}, byte ptr [rdi]",
                "movzx {two:e}, word ptr [rdi + 2]",
                "mov {four:e}, dword ptr [rdi + 4]",
                one = out(reg) one, two = out(reg) two, four = out(reg) four, in("rdi") address,
                options(nostack),
            );
        }
        one | two << 16 | four << 32
    });
    report.tell(
        format_args!("read bytes, words and double words"),
        bytes,
        |outcome| outcome.is_value(0) || outcome.is_value(0xffff_ffff_ffff_00ff),
    );
}

/// Instructions that write in other ways: each is done without effect, or faults.
fn stores(report: &mut Report, address: u64) {
    let any = |_: Outcome| true;
    at!(
        report,
        address,
        "mov of an immediate",
        any,
        "mov dword ptr [rdi], 0x5e41"
    );
    at!(report, address, "mov of a byte", any, "mov byte ptr [rdi], 0x5e");
    at!(report, address, "locked add", any, "lock add dword ptr [rdi], 1");
    at!(report, address, "exchange", any, "xchg [rdi], rax", out("rax") _);
    at!(report, address, "SSE store", any, "movups [rdi], xmm0");
    at!(report, address, "non-temporal store", any, "movnti [rdi], rax");
    at!(report, address, "fxsave64", any, "fxsave64 [rdi]");
    at!(report, address, "sgdt", any, "sgdt [rdi]");
    at!(report, address, "cmpxchg16b", any, "cmpxchg16b [rdi]", out("rax") _, out("rdx") _);
    at!(report, address, "bit test and set", any, "bts dword ptr [rdi], 3");
}

/// String instructions in both directions.
fn copies(report: &mut Report, region: u64) {
    let stored = attempt(|| {
        // SAFETY: the page lies in the region, where writes vanish.
        unsafe { asm!("rep stosb", inout("rcx") 4096_u64 => _, inout("rdi") region => _, in("al") 0x5e_u8) };
        0
    });
    report.tell(format_args!("rep stosb over a page"), stored, |_| true);
    unchanged(report, region);
    let mut buffer = [0x5e_u8; 64];
    let copied = attempt(|| {
        // SAFETY: the destination is the buffer, the source is in the region.
        unsafe {
            asm!(
                "rep movsb",
                inout("rcx") 64_u64 => _, inout("rsi") region => _, inout("rdi") buffer.as_mut_ptr() => _,
            );
        }
        0
    });
    report.tell(format_args!("rep movsb out of it"), copied, |_| true);
    // What a fault left untouched still holds the fill.
    let leaked = buffer
        .iter()
        .filter(|byte| ![0, 0xff, 0x5e].contains(*byte))
        .count();
    report.tell(
        format_args!("bytes copied out"),
        Outcome::Value(leaked as u64),
        |outcome| outcome.is_value(0),
    );
}

/// The stack there: push, call, and a fault taken while RSP points into it.
fn stacks(report: &mut Report, address: u64) {
    let any = |_: Outcome| true;
    at!(
        report, address, "push with the stack there", any,
        "mov rax, rsp", "mov rsp, rdi", "push rdi", "mov rsp, rax", out("rax") _
    );
    at!(
        report, address, "call with the stack there", any,
        "mov rbx, rbx", "mov rax, rsp", "mov rsp, rdi", "call 2f", "2:", "mov rsp, rax", out("rax") _
    );
    at!(
        report,
        address,
        "a fault with the stack there",
        Outcome::is_fault,
        "mov rsp, rdi",
        "ud2"
    );
    at!(
        report, address, "enter with the stack there", any,
        "push rbp", "mov rax, rsp", "mov rsp, rdi", "enter 16, 0", "mov rsp, rax", "pop rbp", out("rax") _
    );
}

/// Running what is there: a fault, since neither zeros nor ones are a way back.
fn jump(report: &mut Report, region: u64) {
    for offset in [0, 0x1000, REGION_SIZE - 16] {
        let mut scratch = 0_u64;
        let outcome = attempt(|| {
            // SAFETY: the attempt ends with the first fault; RAX points at a variable in case the bytes there are
            // `add [rax], al`.
            unsafe {
                asm!("call {}", in(reg) region + offset, in("rax") &raw mut scratch, clobber_abi("sysv64"))
            };
            0
        });
        report.tell(
            format_args!("jump to {:#x}", region + offset),
            outcome,
            Outcome::is_fault,
        );
    }
}

/// Page tables there: a walk through them finds nothing, or faults.
fn page_tables(report: &mut Report, region: u64) {
    let top: u64;
    // SAFETY: reading CR3 changes nothing.
    unsafe { asm!("mov {}, cr3", out(reg) top, options(nostack, nomem)) };
    let slot = (top & !0xfff) + FREE_SLOT * 8;
    // The firmware may have made its tables read-only.
    without_write_protection(|| {
        // SAFETY: the slot is free; the entry is taken back below.
        unsafe { (slot as *mut u64).write_volatile(region | PRESENT_WRITABLE) };
    });
    let through = 0xffff_0000_0000_0000 | FREE_SLOT << 39;
    let outcome = peek(through);
    report.tell(
        format_args!("read through page tables there"),
        outcome,
        |outcome| outcome.is_fault() || is_absent(outcome),
    );
    without_write_protection(|| {
        // SAFETY: back to what it was.
        unsafe { (slot as *mut u64).write_volatile(0) };
    });
    unchanged(report, region);
}

fn without_write_protection(code: impl FnOnce()) {
    use x86_64::registers::control::{Cr0, Cr0Flags};
    // SAFETY: write protection is on again before anything else runs.
    unsafe {
        Cr0::update(|flags| flags.remove(Cr0Flags::WRITE_PROTECT));
        code();
        Cr0::update(|flags| flags.insert(Cr0Flags::WRITE_PROTECT));
    }
    x86_64::instructions::tlb::flush_all();
}
