//! 100,000 accesses drawn from a fixed seed: the concealed device, absent devices, and model-specific registers.
//!
//! Writes avoid what legitimately ends a machine: reset ports, devices the program itself needs, and registers
//! that hold its own mode and addresses.

use crate::report::{Outcome, Report};
use platform::attempt::attempt;
use platform::config::{self, Function};
use platform::{msr, port};

const ACCESSES: u32 = 100_000;
/// Every so often the hypervisor must still answer and the device still be absent.
const CHECK_EVERY: u32 = 10_000;
const SEED: u64 = 0x5e41_5e41_0000_0001;

/// Ranges of registers to write: hypervisors' own, AMD's, and SVM's.
const RANGES: [(u32, u32); 4] = [
    (0x4000_0000, 0x100),
    (0xc001_0000, 0x60),
    (0xc001_0110, 0x10),
    (0xc001_1000, 0x100),
];

/// Marsaglia's xorshift64: enough to spread accesses, and the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Runs them all.
pub fn run(report: &mut Report, concealed: Function) {
    let mut random = Random(SEED);
    let mut seen = 0;
    for number in 0..ACCESSES {
        match random.next() % 4 {
            0 => seen += read_config(&mut random, concealed),
            1 => write_config(&mut random, concealed),
            2 => read_ports(&mut random),
            _ => touch_register(&mut random),
        }
        if number % CHECK_EVERY == 0 {
            report.alive();
        }
    }
    report.tell(
        format_args!("what random reads saw of the device"),
        Outcome::Value(seen),
        |outcome| outcome.is_value(0),
    );
}

/// One read of the concealed device, in any width; counts what is not ones.
fn read_config(random: &mut Random, concealed: Function) -> u64 {
    let choice = random.next();
    concealed.select((choice >> 8) as u8);
    let offset = (choice >> 16) as u16 & 3;
    let differs = match choice % 3 {
        0 => port::read8(config::DATA + offset) != u8::MAX,
        1 => port::read16(config::DATA + (offset & 2)) != u16::MAX,
        _ => port::read32(config::DATA) != u32::MAX,
    };
    differs.into()
}

/// One write to the concealed device or to a device that is not there.
fn write_config(random: &mut Random, concealed: Function) {
    let choice = random.next();
    let absent = Function {
        bus: 0x40 | (choice >> 32) as u8 & 0x3f,
        devfn: (choice >> 40) as u8,
    };
    let target = if choice & 1 << 48 == 0 { concealed } else { absent };
    target.select((choice >> 8) as u8);
    let offset = (choice >> 16) as u16 & 3;
    match choice % 3 {
        0 => port::write8(config::DATA + offset, (choice >> 24) as u8),
        1 => port::write16(config::DATA + (offset & 2), (choice >> 24) as u16),
        _ => port::write32(config::DATA, (choice >> 24) as u32),
    }
}

/// One odd use of the configuration ports. A byte write to 0xCF9 is a reset; word writes would reach it.
fn read_ports(random: &mut Random) {
    let choice = random.next();
    let at = config::ADDRESS + (choice >> 8) as u16 % 8;
    match choice % 4 {
        0 => drop(core::hint::black_box(port::read8(at))),
        1 => drop(core::hint::black_box(port::read16(at))),
        2 => drop(core::hint::black_box(port::read32(at))),
        // A disabled address: the data port then reads no device.
        _ => port::write32(config::ADDRESS, choice as u32 & !(1 << 31)),
    }
}

fn touch_register(random: &mut Random) {
    let choice = random.next();
    let (first, length) = RANGES[choice as usize % RANGES.len()];
    let index = first + (choice >> 8) as u32 % length;
    let value = random.next();
    // Faults are what is expected here.
    let _ = attempt(|| msr::read(index));
    // SAFETY: none of the ranges holds a register that this program's code, stack or tables depend on.
    let _ = attempt(|| unsafe { msr::write(index, value) });
}
