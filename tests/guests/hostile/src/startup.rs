//! INIT and start-up messages: every CPU that comes back must come back inside.
//!
//! The start-up code asks CPUID in real mode and leaves the answer in its page.

use crate::report::{Outcome, Report};
use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering};
use platform::apic::{self, deliver};
use platform::exception::{self, Frame, Taken};

/// EBX of CPUID leaf 0x4000_0000: the first four letters of the signature.
const SIGNATURE: u32 = u32::from_le_bytes(*b"Seki");
/// Where in the page the answer and the count of arrivals are.
const ANSWER: u64 = 0x800;
const ARRIVALS: u64 = 0x804;
/// Turns of a waiting loop; each reads memory that the other CPU writes.
const PATIENCE: u32 = 200_000_000;
const NMI: u64 = 2;

global_asm!(
    ".pushsection .rodata",
    ".globl startup_code",
    ".globl startup_code_end",
    "startup_code:",
    ".code16",
    "cli",
    "mov ax, cs",
    "mov ds, ax",
    "mov eax, 0x40000000",
    "cpuid",
    "mov dword ptr [0x800], ebx",
    "lock inc dword ptr [0x804]",
    "2: hlt",
    "jmp 2b",
    ".code64",
    "startup_code_end:",
    ".popsection",
);

unsafe extern "C" {
    static startup_code: u8;
    static startup_code_end: u8;
}

static NMIS: AtomicU32 = AtomicU32::new(0);

fn count_nmi(frame: &mut Frame) -> Taken {
    if frame.vector == NMI {
        NMIS.fetch_add(1, Ordering::SeqCst);
        return Taken::Yes;
    }
    Taken::No
}

/// Plays with every other CPU; `page` lies below 1 MiB.
pub fn run(report: &mut Report, page: u64) {
    place(page);
    let vector = deliver::STARTUP | (page >> 12) as u32;
    let others = apic_ids();
    apic::write(apic::SPURIOUS, 0x1ff);
    for id in (1..others).map(|id| id as u8) {
        apic::send(id, deliver::INIT);
        settle();
        apic::send(id, vector);
        tell(report, page, format_args!("CPU {id} after INIT and start-up"), 1);
        apic::send(id, vector);
        settle();
        tell_count(report, page, format_args!("CPU {id} after a second start-up"), 0);
        apic::send(id, deliver::INIT);
        settle();
        tell_count(report, page, format_args!("CPU {id} after INIT alone"), 0);
        apic::send(id, vector);
        tell(report, page, format_args!("CPU {id} after a late start-up"), 1);
    }
    if others > 1 {
        let due = others - 1;
        apic::write(apic::COMMAND_LOW, deliver::INIT | deliver::TO_OTHERS);
        settle();
        apic::write(apic::COMMAND_LOW, vector | deliver::TO_OTHERS);
        tell(report, page, format_args!("all others after a broadcast"), due);
    }
    nmi_to_self(report);
}

fn place(page: u64) {
    // SAFETY: both symbols bound the code above, and the page belongs to this program.
    unsafe {
        let start = &raw const startup_code;
        let length = (&raw const startup_code_end).offset_from(start) as usize;
        core::ptr::copy_nonoverlapping(start, page as *mut u8, length);
    }
}

fn cell(address: u64) -> &'static AtomicU32 {
    // SAFETY: the page belongs to this program for ever, and all its users access it atomically.
    unsafe { AtomicU32::from_ptr(address as *mut u32) }
}

/// CPUs the firmware started have consecutive APIC IDs here; CPUID leaf 1 tells how many there are.
fn apic_ids() -> u32 {
    (core::arch::x86_64::__cpuid(1).ebx >> 16 & 0xff).max(1)
}

/// Waits until as many as `due` arrived, and judges the signature.
fn tell(report: &mut Report, page: u64, name: core::fmt::Arguments<'_>, due: u32) {
    let arrivals = cell(page + ARRIVALS);
    let mut patience = PATIENCE;
    while arrivals.load(Ordering::SeqCst) < due && patience > 0 {
        core::hint::spin_loop();
        patience -= 1;
    }
    let answer = Outcome::Value(cell(page + ANSWER).swap(0, Ordering::SeqCst).into());
    report.tell(format_args!("{name}, its signature"), answer, |outcome| {
        outcome.is_value(SIGNATURE.into())
    });
    tell_count(report, page, name, due);
}

/// Judges how many arrived.
fn tell_count(report: &mut Report, page: u64, name: core::fmt::Arguments<'_>, due: u32) {
    let arrived = Outcome::Value(cell(page + ARRIVALS).swap(0, Ordering::SeqCst).into());
    report.tell(format_args!("{name}, arrivals"), arrived, |outcome| {
        outcome.is_value(due.into())
    });
}

/// Long enough for another CPU to act on a message.
fn settle() {
    for _ in 0..PATIENCE / 20 {
        core::hint::spin_loop();
    }
}

fn nmi_to_self(report: &mut Report) {
    exception::set_hook(count_nmi);
    apic::send(apic::id(), deliver::NMI);
    for _ in 0..PATIENCE / 200 {
        core::hint::spin_loop();
    }
    let count = Outcome::Value(NMIS.swap(0, Ordering::SeqCst).into());
    report.tell(format_args!("an NMI to itself"), count, |outcome| {
        outcome.is_value(1)
    });
}
