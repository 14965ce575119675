//! Takes the place of the operating system and tries to reach the hypervisor and the concealed device.
//!
//! COM1 asks for one line: `bare` or `under`, and the concealed device's slot. Each attempt answers with
//! `hostile: NAME: OUTCOME: pass` or `FAIL`; on the bare machine the outcomes are the reference and nothing passes
//! or fails. A further line chooses the last attempt, which no machine survives.
#![no_std]
#![no_main]

mod devices;
mod instructions;
mod last;
mod memory;
mod random;
mod registers;
mod report;
mod startup;

use core::panic::PanicInfo;
use platform::config::Function;
use platform::{line, machine, port, serial};
use report::Report;
use sekisho_runtime as _;
use uefi::{Status, entry};

/// Exit values.
const ALL_PASSED: u8 = 0x10;
const SOME_FAILED: u8 = 0x11;
const PANICKED: u8 = 0x3e;

#[entry]
fn efi_main() -> Status {
    let machine = machine::take();
    line!("hostile: ready");
    let request = serial::read_line::<64>();
    let (place, slot) = request.text().split_once(' ').unwrap_or((request.text(), ""));
    let mut report = Report::new(match place {
        "under" => report::Place::Under,
        _ => report::Place::Bare,
    });
    let concealed = Function::parse(slot);
    instructions::run(&mut report);
    registers::run(&mut report, machine.region());
    if let Some(region) = machine.region() {
        memory::run(&mut report, region);
        devices::cover_region(&mut report, region);
    }
    if let Some(concealed) = concealed {
        devices::reach(&mut report, concealed);
        random::run(&mut report, concealed);
    }
    startup::run(&mut report, machine.low_page);
    report.alive();
    line!("hostile: end, {} failed", report.failed());
    let request = serial::read_line::<64>();
    last::run(request.text(), &machine);
    port::exit(if report.failed() == 0 {
        ALL_PASSED
    } else {
        SOME_FAILED
    });
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    line!("hostile: {info}");
    port::exit(PANICKED);
}
