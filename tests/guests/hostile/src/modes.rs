//! Control registers: what the CPU refuses it still refuses, what it allows changes nothing for the hypervisor.
//!
//! Reserved bits of CR4 are not tried: QEMU 7.2 executes such a write for ever, bare or not.

use crate::report::{Exception, Outcome, Report};
use core::arch::asm;
use platform::attempt::attempt;
use platform::msr;

const CR4_GLOBAL_PAGES: u64 = 1 << 7;
const CR0_CACHE_DISABLE: u64 = 1 << 30;
const EFER_LONG_MODE: u64 = 1 << 8;

macro_rules! register {
    ($read:ident, $write:ident, $name:literal) => {
        fn $read() -> u64 {
            let value: u64;
            // SAFETY: reading a control register changes nothing.
            unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nostack, nomem)) };
            value
        }

        fn $write(value: u64) -> Outcome {
            attempt(|| {
                // SAFETY: the values tried are refused, or leave paging and this program's mode as they are.
                unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nostack)) };
                0
            })
            .into()
        }
    };
}

register!(read_cr0, write_cr0, "cr0");
register!(read_cr4, write_cr4, "cr4");
register!(read_cr8, write_cr8, "cr8");

/// Tries them all.
pub fn run(report: &mut Report) {
    let (cr0, cr4) = (read_cr0(), read_cr4());
    for value in [cr4 ^ CR4_GLOBAL_PAGES, cr4] {
        report.tell(
            format_args!("write CR4 {value:#x}"),
            write_cr4(value),
            |outcome| !outcome.is_fault(),
        );
    }
    for value in [cr0 | CR0_CACHE_DISABLE, cr0] {
        report.tell(
            format_args!("write CR0 {value:#x}"),
            write_cr0(value),
            |outcome| !outcome.is_fault(),
        );
    }
    long_mode(report);
    priority(report);
    report.alive();
}

/// Long mode cannot be left while paging is on.
fn long_mode(report: &mut Report) {
    let efer = msr::read(msr::EFER);
    let outcome = attempt(|| {
        // SAFETY: the CPU refuses it; if it did not, the next line would not be reached.
        unsafe { msr::write(msr::EFER, efer & !EFER_LONG_MODE) };
        0
    });
    report.tell(
        format_args!("leave long mode with paging on"),
        outcome,
        |outcome| outcome.is(Exception::GeneralProtection),
    );
}

/// CR8 is the task priority, here and in the local APIC's page.
fn priority(report: &mut Report) {
    let written = write_cr8(5);
    report.tell(format_args!("write CR8"), written, |outcome| !outcome.is_fault());
    report.tell(
        format_args!("CR8 after that"),
        Outcome::Value(read_cr8()),
        |outcome| outcome.is_value(5),
    );
    let page = platform::apic::read(platform::apic::TASK_PRIORITY);
    report.tell(
        format_args!("the APIC's page after that"),
        Outcome::Value(page.into()),
        |outcome| outcome.is_value(0x50),
    );
    let _ = write_cr8(0);
}
