//! The concealed device by both configuration ways, and devices moved over the hypervisor's memory.

use crate::report::{Outcome, Report};
use core::arch::asm;
use platform::attempt::attempt;
use platform::config::{self, Function, HOST_BRIDGE};
use platform::port;

const COMMAND: u8 = 0x04;
const BAR0: u8 = 0x10;
const DECODE_AND_MASTER: u32 = 0x7;
/// The NIC the example policy conceals, as one double word.
const CONCEALED_ID: u32 = 0x100e_8086;
/// The NIC it passes.
const PASSED_ID: u32 = 0x10d3_8086;
const CLASS_BRIDGE: u32 = 0x0604;

/// Tries to reach `concealed`.
pub fn reach(report: &mut Report, concealed: Function) {
    by_ports(report, concealed);
    by_window(report, concealed);
    move_window(report, concealed);
    renumber_bridges(report);
    report.tell(
        format_args!("the concealed device anywhere"),
        count(CONCEALED_ID),
        |outcome| outcome.is_value(0),
    );
}

fn is_all_ones(outcome: Outcome) -> bool {
    outcome.is_value(u64::from(u32::MAX))
}

fn by_ports(report: &mut Report, concealed: Function) {
    for register in (0..=0xfc).step_by(0x1c) {
        let value = Outcome::Value(concealed.read(register).into());
        report.tell(
            format_args!("port read of register {register:#x}"),
            value,
            is_all_ones,
        );
    }
    concealed.select(0);
    for offset in 0..4 {
        let byte = Outcome::Value(port::read8(config::DATA + offset).into());
        report.tell(format_args!("byte port read at {offset}"), byte, |outcome| {
            outcome.is_value(0xff)
        });
    }
    for offset in [0, 2] {
        let word = Outcome::Value(port::read16(config::DATA + offset).into());
        report.tell(format_args!("word port read at {offset}"), word, |outcome| {
            outcome.is_value(0xffff)
        });
    }
    // The address register in parts: a byte write to it is another port on real machines and must not aim it.
    port::write8(config::ADDRESS + 1, concealed.devfn);
    let value = Outcome::Value(port::read32(config::DATA).into());
    report.tell(format_args!("port read after a byte address"), value, is_all_ones);
    for (register, value) in [
        (COMMAND, DECODE_AND_MASTER),
        (BAR0, 0xfd00_0000),
        (BAR0, 0xfe00_0000),
    ] {
        concealed.write(register, value);
        let after = Outcome::Value(concealed.read(register).into());
        report.tell(
            format_args!("port write of register {register:#x}"),
            after,
            is_all_ones,
        );
    }
    concealed.select(COMMAND);
    port::write8(config::DATA, 7);
    port::write16(config::DATA, 7);
    report.tell(
        format_args!("command register after narrow writes"),
        Outcome::Value(concealed.read(COMMAND).into()),
        is_all_ones,
    );
}

fn peek32(address: u64) -> Outcome {
    attempt(|| {
        let value: u32;
        // SAFETY: the window is mapped one to one by the firmware's tables.
        unsafe { asm!("mov {:e}, [{}]", out(reg) value, in(reg) address, options(nostack)) };
        value.into()
    })
    .into()
}

fn poke32(address: u64, value: u32) -> Outcome {
    attempt(|| {
        // SAFETY: as in `peek32`; the registers written are the concealed device's or the region's.
        unsafe { asm!("mov [{}], {:e}", in(reg) address, in(reg) value, options(nostack)) };
        0
    })
    .into()
}

fn by_window(report: &mut Report, concealed: Function) {
    let window = config::window();
    for register in [0, 4, 0x10, 0xfc, 0x100, 0xffc] {
        let value = peek32(concealed.in_window(window, register));
        report.tell(
            format_args!("window read of register {register:#x}"),
            value,
            is_all_ones,
        );
    }
    let byte = attempt(|| {
        let value: u64;
        let address = concealed.in_window(window, 1);
        // SAFETY: as in `peek32`.
        unsafe { asm!("movzx {:e}, byte ptr [{}]", out(reg) value, in(reg) address, options(nostack)) };
        value
    });
    report.tell(format_args!("byte window read"), byte, |outcome| {
        outcome.is_value(0xff)
    });
    let command = concealed.in_window(window, COMMAND.into());
    let written = poke32(command, DECODE_AND_MASTER);
    report.tell(
        format_args!("window write of the command register"),
        written,
        |outcome| !outcome.is_fault(),
    );
    report.tell(
        format_args!("the command register after that"),
        peek32(command),
        is_all_ones,
    );
    // An access that begins in the function before and ends in this one.
    let crossing = concealed.in_window(window, 0) - 2;
    report.tell(
        format_args!("window read across the function's start"),
        peek32(crossing),
        |outcome| outcome.is_fault() || matches!(outcome, Outcome::Value(value) if value >> 16 == 0xffff),
    );
}

/// The configuration window stays where it is.
fn move_window(report: &mut Report, concealed: Function) {
    let before = HOST_BRIDGE.read(config::WINDOW_REGISTER);
    for value in [before ^ 0x1000_0000, before & !1, before ^ 6] {
        HOST_BRIDGE.write(config::WINDOW_REGISTER, value);
        let after = Outcome::Value(HOST_BRIDGE.read(config::WINDOW_REGISTER).into());
        report.tell(
            format_args!("PCIEXBAR written with {value:#x}"),
            after,
            |outcome| outcome.is_value(before.into()),
        );
    }
    let window = config::window();
    report.tell(
        format_args!("the window after that"),
        peek32(concealed.in_window(window, 0)),
        is_all_ones,
    );
    let bridge = HOST_BRIDGE.read(0);
    report.tell(
        format_args!("the host bridge through it"),
        peek32(HOST_BRIDGE.in_window(window, 0)),
        |outcome| outcome.is_value(bridge.into()),
    );
}

/// New bus numbers for every bridge; what is behind it must not come back under another name.
fn renumber_bridges(report: &mut Report) {
    for devfn in 0..=255 {
        let bridge = Function { bus: 0, devfn };
        if bridge.read(0x08) >> 16 != CLASS_BRIDGE {
            continue;
        }
        let before = bridge.read(0x18);
        bridge.write(0x18, before & 0xff00_00ff | 0x50 << 8 | 0x57 << 16);
        report.tell(
            format_args!("behind bridge {devfn:#x} with other bus numbers"),
            count(CONCEALED_ID),
            |outcome| outcome.is_value(0),
        );
        bridge.write(0x18, before);
    }
}

/// How many functions with this identity there are on any bus.
fn count(identity: u32) -> Outcome {
    let found = (0..=255_u8)
        .flat_map(|bus| (0..=255_u8).map(move |devfn| Function { bus, devfn }))
        .filter(|function| function.read(0) == identity)
        .count();
    Outcome::Value(found as u64)
}

/// A passed device's registers put over the region: nothing of either may be reached there.
pub fn cover_region(report: &mut Report, region: u64) {
    let Some(nic) = (0..=255_u8)
        .map(|devfn| Function { bus: 0, devfn })
        .find(|function| function.read(0) == PASSED_ID)
    else {
        return;
    };
    let command = nic.read(COMMAND);
    let before = nic.read(BAR0);
    nic.write(BAR0, region as u32);
    nic.write(COMMAND, command | 2);
    for offset in [0, 8, 0x5400] {
        let value = peek32(region + offset);
        report.tell(
            format_args!("a BAR over the region, offset {offset:#x}"),
            value,
            |outcome| is_all_ones(outcome) || outcome.is_value(0),
        );
        let written = poke32(region + offset, 0x5e41);
        report.tell(
            format_args!("a write to it, offset {offset:#x}"),
            written,
            |outcome| !outcome.is_fault(),
        );
    }
    report.alive();
    nic.write(COMMAND, command);
    nic.write(BAR0, before);
}
