//! Model-specific registers that lead to SVM, or that move memory, clocks or devices.

use crate::report::{Exception, Outcome, Report};
use platform::attempt::attempt;
use platform::msr;

const EFER_SVME: u64 = 1 << 12;

/// Registers that a CPU without SVM does not have.
const OF_SVM: [(&str, u32); 4] = [
    ("VM_CR", 0xc001_0114),
    ("IGNNE", 0xc001_0115),
    ("VM_HSAVE_PA", 0xc001_0117),
    ("SVM_KEY", 0xc001_0118),
];

/// Registers whose change would move memory or devices from under the hypervisor, and a bit to flip.
const THAT_MOVE: [(&str, u32, u64); 9] = [
    ("SYSCFG", 0xc001_0010, 1 << 20),
    ("IORR_BASE0", 0xc001_0016, 1 << 24 | 0x18),
    ("IORR_MASK0", 0xc001_0017, 1 << 24 | 1 << 11),
    ("IORR_BASE1", 0xc001_0018, 1 << 24 | 0x18),
    ("IORR_MASK1", 0xc001_0019, 1 << 24 | 1 << 11),
    ("TOP_MEM", 0xc001_001a, 1 << 24),
    ("TOP_MEM2", 0xc001_001d, 1 << 33),
    ("MMIO_CONFIG_BASE", 0xc001_0058, 1 << 29 | 1),
    ("APIC_BASE", msr::APIC_BASE, 1 << 16),
];

/// Time stamp counter.
const TSC: u32 = 0x10;
/// The first variable MTRR's base and mask.
const MTRR_BASE: u32 = 0x200;
const MTRR_MASK: u32 = 0x201;
const MTRR_VALID: u64 = 1 << 11;
/// Physical address bits of the test machine's CPUs.
const PHYSICAL_MASK: u64 = (1 << 40) - 1;

/// Tries them all.
pub fn run(report: &mut Report, region: Option<u64>) {
    enable_svm(report);
    for (name, index) in OF_SVM {
        let outcome = attempt(|| msr::read(index));
        report.tell(format_args!("read {name}"), outcome, |outcome| {
            outcome.is(Exception::GeneralProtection)
        });
        let outcome = write(index, 0x10_0000);
        report.tell(format_args!("write {name}"), outcome, |outcome| {
            outcome.is(Exception::GeneralProtection)
        });
    }
    for (name, index, flip) in THAT_MOVE {
        keep(report, name, index, flip);
    }
    time(report);
    if let Some(region) = region {
        uncache(report, region);
    }
}

fn write(index: u32, value: u64) -> Outcome {
    // SAFETY: under the hypervisor none of these may take effect; bare, the emulator ignores them.
    attempt(|| unsafe {
        msr::write(index, value);
        0
    })
    .into()
}

/// EFER.SVME cannot be seen and cannot be set.
fn enable_svm(report: &mut Report) {
    let efer = msr::read(msr::EFER);
    report.tell(
        format_args!("EFER.SVME is hidden"),
        Outcome::Value(efer & EFER_SVME),
        |outcome| outcome.is_value(0),
    );
    report.tell(
        format_args!("set EFER.SVME"),
        write(msr::EFER, efer | EFER_SVME),
        |outcome| outcome.is(Exception::GeneralProtection),
    );
    let now = Outcome::Value(msr::read(msr::EFER));
    report.tell(format_args!("EFER after that"), now, |outcome| {
        outcome.is_value(efer)
    });
    report.tell(
        format_args!("EFER written as it is"),
        write(msr::EFER, efer),
        |outcome| !outcome.is_fault(),
    );
}

/// The register refuses the change, or forgets it.
fn keep(report: &mut Report, name: &str, index: u32, flip: u64) {
    let before = match attempt(|| msr::read(index)) {
        Ok(value) => value,
        Err(fault) => {
            // A register that is not there cannot move anything.
            report.tell(format_args!("read {name}"), Outcome::Fault(fault), |_| true);
            let outcome = write(index, flip);
            report.tell(format_args!("write {name}"), outcome, |outcome| {
                outcome.is(Exception::GeneralProtection)
            });
            return;
        }
    };
    let written = write(index, before ^ flip);
    report.tell(format_args!("move {name}"), written, |outcome| {
        !outcome.is_fault() || outcome.is(Exception::GeneralProtection)
    });
    let after = attempt(|| msr::read(index));
    report.tell(format_args!("{name} after that"), after, |outcome| {
        outcome.is_value(before)
    });
    // The bare machine did move it.
    let _ = write(index, before);
}

/// The guest may set its own clock, and reads what it set.
fn time(report: &mut Report) {
    let outcome = write(TSC, 0);
    report.tell(format_args!("set the time stamp counter"), outcome, |outcome| {
        !outcome.is_fault()
    });
    // Ten seconds of a 4 GHz counter: far less than a machine has counted that booted.
    let now = Outcome::Value(msr::read(TSC) >> 36);
    report.tell(
        format_args!("the time stamp counter starts again"),
        now,
        |outcome| outcome.is_value(0),
    );
}

/// An uncacheable MTRR over the region.
fn uncache(report: &mut Report, region: u64) {
    let before = (msr::read(MTRR_BASE), msr::read(MTRR_MASK));
    let mask = PHYSICAL_MASK & !((16 << 20) - 1) | MTRR_VALID;
    for (name, index, value) in [("base", MTRR_BASE, region), ("mask", MTRR_MASK, mask)] {
        report.tell(
            format_args!("uncacheable over the region, {name}"),
            write(index, value),
            |outcome| !outcome.is_fault() || outcome.is(Exception::GeneralProtection),
        );
    }
    for (index, value) in [(MTRR_MASK, before.1), (MTRR_BASE, before.0)] {
        report.tell(
            format_args!("MTRR {index:#x} as before"),
            write(index, value),
            |outcome| !outcome.is_fault(),
        );
    }
}
