//! Takes the place of the operating system and tries to reach the hypervisor and the concealed device.
//!
//! COM1 asks for one line: `bare` or `under`, and the concealed device's slot. Each attempt answers with
//! `hostile: NAME: OUTCOME: pass` or `FAIL`; on the bare machine the outcomes are the reference and nothing passes
//! or fails. Instead, `across LBA` asks for what begins before a disk's ports, at that block of the second drive, and
//! `last NAME` for one attempt that no machine survives.
#![no_std]
#![no_main]

mod across;
mod devices;
mod instructions;
mod last;
mod memory;
mod modes;
mod random;
mod registers;
mod report;
mod startup;

use core::panic::PanicInfo;
use platform::config::Function;
use platform::machine::Machine;
use platform::{counters, line, machine, port, serial};
use report::{Place, Report};
use sekisho_runtime as _;
use uefi::{Status, entry};

/// Exit values.
const ALL_PASSED: u8 = 0x10;
const SOME_FAILED: u8 = 0x11;
const PANICKED: u8 = 0x3e;

/// What the hypervisor calls the attempts it counts.
const COUNTERS: [&str; 3] = ["own-memory", "refused-msr", "svm-instruction"];

#[entry]
fn efi_main() -> Status {
    let machine = machine::take();
    line!("hostile: ready");
    let request = serial::read_line::<64>();
    let (word, rest) = request.text().split_once(' ').unwrap_or((request.text(), ""));
    let mut report = Report::new(match word {
        "under" | "across" => Place::Under,
        _ => Place::Bare,
    });
    match word {
        "last" => last::run(rest, &machine),
        "across" => across::run(&mut report, rest),
        _ => try_everything(&mut report, &machine, Function::parse(rest)),
    }
    line!("hostile: end, {} failed", report.failed());
    // The harness looks at the devices before the machine is gone.
    let _ = serial::read_line::<64>();
    port::exit(if report.failed() == 0 {
        ALL_PASSED
    } else {
        SOME_FAILED
    });
}

fn try_everything(report: &mut Report, machine: &Machine, concealed: Option<Function>) {
    let before = COUNTERS.map(counters::value);
    instructions::run(report);
    modes::run(report);
    registers::run(report, machine.region());
    if let Some(region) = machine.region() {
        memory::run(report, region);
        devices::cover_region(report, region);
    }
    if let Some(concealed) = concealed {
        devices::reach(report, concealed);
        random::run(report, concealed);
    }
    startup::run(report, machine.low_page);
    report.counted(&COUNTERS, &before);
    report.alive();
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    line!("hostile: {info}");
    port::exit(PANICKED);
}
