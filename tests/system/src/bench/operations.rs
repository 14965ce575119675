//! Instructions of one operation: `bench.efi` bare and under the hypervisor, on a clock that counts instructions.

use super::{POLICY, Row};
use crate::appliance::Appliance;
use crate::failure::Failure;
use crate::guest::Program;
use crate::machine::{Clock, Cpu, Machine};
use std::collections::BTreeMap;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// The program's name of an operation, ours, the aim and the ancestor's figure.
const OPERATIONS: [(&str, &str, f64, Option<f64>); 9] = [
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
];

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let disk = Program::Bench.disk()?;
    let image = Appliance::example(POLICY)?.disk("bench")?;
    let bare = run(Machine::bare(&disk), "bench-bare")?;
    let under = run(Machine::under(&image, &disk), "bench")?;
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
fn run(machine: Machine, name: &str) -> Result<BTreeMap<String, f64>, Failure> {
    let mut machine = machine.with_cpus(Cpu::Epyc, 1);
    machine.clock = Clock::Instructions;
    let mut machine = machine.start(name)?;
    let text = machine.expect_com1("bench: end", PATIENCE)?;
    let pair = |line: &str| {
        let (name, value) = line.trim().strip_prefix("bench: ")?.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(text.lines().filter_map(pair).collect())
}
