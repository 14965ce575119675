//! Interrupts, NMIs, single steps and instruction forms at the places where a hypervisor easily differs.
//!
//! Each line `exact: NAME: VALUE` must be the same on the bare machine and under the hypervisor; the harness
//! compares. A lost wake-up shows as silence.
#![no_std]
#![no_main]

mod forms;
mod nmi;
mod registers;
mod step;
mod wake;

use core::panic::PanicInfo;
use platform::{apic, line, machine, port};
use sekisho_runtime as _;
use uefi::{Status, entry};

const DONE: u8 = 0x10;
const PANICKED: u8 = 0x3e;
/// Software enable, and the spurious vector.
const APIC_ENABLED: u32 = 0x12f;

#[entry]
fn efi_main() -> Status {
    let _machine = machine::take();
    apic::write(apic::SPURIOUS, APIC_ENABLED);
    forms::run();
    registers::run();
    step::run();
    nmi::run();
    wake::run();
    line!("exact: end");
    port::exit(DONE);
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    line!("exact: {info}");
    port::exit(PANICKED);
}
