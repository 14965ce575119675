//! Instructions of one operation: `bench.efi` bare and under the hypervisor, on a clock that counts instructions.

use super::Row;
use crate::command::PASSPHRASE;
use crate::encrypted::{self, EncryptedLaptop};
use crate::failure::Failure;
use crate::guest::{Laptop, Program};
use crate::machine::{Clock, Controller, Cpu, Machine, Running};
use std::collections::BTreeMap;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// MiB of the volume.
const VOLUME: u64 = 1;

/// The program's name of an operation, ours, the aim and the ancestor's figure.
const OPERATIONS: [(&str, &str, f64, Option<f64>); 10] = [
    ("cpuid", "CPUID", 150.0, Some(364.0)),
    ("config-port-write", "config port write", 250.0, Some(381.0)),
    ("config-port-read", "config port read", 250.0, Some(678.0)),
    ("config-window-read", "config window read", 1000.0, Some(17_243.0)),
    ("apic-write", "local APIC write", 250.0, Some(17_229.0)),
    (
        "apic-end-of-interrupt",
        "local APIC end of interrupt",
        250.0,
        None,
    ),
    ("apic-read", "local APIC read", 0.0, None),
    ("msr-read", "read of an MSR that is not ours", 0.0, None),
    ("msr-write", "write of an MSR that is not ours", 0.0, None),
    ("ahci-read", "AHCI register read", 1000.0, Some(17_335.0)),
];

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    // The volume is there for its controller to be mediated; the program does not use it.
    let laptop = Laptop::with_program(Program::Bench, "bench", VOLUME)?;
    let policy = encrypted::policy(Controller::Ahci)?;
    let laptop = EncryptedLaptop::of(laptop, "bench", Controller::Ahci, &policy)?;
    let bare = run(Machine::bare(&laptop.laptop.path), "bench-bare", |_| Ok(()))?;
    let under = run(laptop.machine(), "bench", |machine| machine.unlock(PASSPHRASE))?;
    let mut rows = Vec::new();
    for (key, name, aim, reference) in OPERATIONS {
        let (Some(under), Some(bare)) = (under.get(key), bare.get(key)) else {
            continue;
        };
        let row = Row::new(format!("{name}, beyond bare"), under - bare, "instructions").with_aim(aim);
        rows.push(match reference {
            Some(value) => row.with_reference(value),
            None => row,
        });
    }
    Ok(rows)
}

/// Instructions by operation.
fn run(
    machine: Machine,
    name: &str,
    start: impl FnOnce(&mut Running) -> Result<(), Failure>,
) -> Result<BTreeMap<String, f64>, Failure> {
    let mut machine = machine.with_cpus(Cpu::Epyc, 1);
    machine.clock = Clock::Instructions;
    let mut machine = machine.start(name)?;
    start(&mut machine)?;
    let text = machine.expect_com1("bench: end", PATIENCE)?;
    let pair = |line: &str| {
        let (name, value) = line.trim().strip_prefix("bench: ")?.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(text.lines().filter_map(pair).collect())
}
