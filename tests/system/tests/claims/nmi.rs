//! Linux's own NMI paths behave as on the bare machine.

use crate::{assert_inside, assert_same, bare, under};
use sekisho_system::failure::Failure;
use sekisho_system::machine::{Cpu, Running};

const CPUS: u8 = 2;
/// NMIs from outside, one after the other.
const EXTERNAL: usize = 5;

/// What the kernel counted and said about NMIs.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    /// CPUs that printed a backtrace when asked by NMI.
    backtraces: usize,
    /// Whether the external NMIs were told of.
    unknown_reasons: usize,
    /// Each CPU's NMI count went up.
    counted: Vec<bool>,
}

fn count_of(machine: &mut Running) -> Result<Vec<u64>, Failure> {
    let line = machine.run("grep NMI: /proc/interrupts")?;
    Ok(line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect())
}

fn provoke(machine: &mut Running) -> Result<Seen, Failure> {
    let before = count_of(machine)?;
    // From the first CPU, which needs no NMI for its own backtrace.
    machine.run("dmesg -c > /dev/null; echo 1 > /proc/sys/kernel/sysrq; taskset 1 sh -c 'echo l > /proc/sysrq-trigger'")?;
    let said = machine.run("sleep 2; dmesg")?;
    let backtraces = said
        .lines()
        .filter(|line| line.contains("NMI backtrace for cpu"))
        .count();
    for _ in 0..EXTERNAL {
        machine.monitor("nmi")?;
        machine.run("sleep 1")?;
    }
    let said = machine.run("dmesg")?;
    let unknown_reasons = said
        .lines()
        .filter(|line| line.contains("NMI received for unknown reason"))
        .count();
    let after = count_of(machine)?;
    let counted = before
        .iter()
        .zip(&after)
        .map(|(before, after)| after > before)
        .collect();
    Ok(Seen {
        backtraces,
        unknown_reasons,
        counted,
    })
}

#[test]
fn backtraces_and_external_nmis_are_as_on_the_bare_machine() -> Result<(), Failure> {
    let mut reference = bare()?.with_cpus(Cpu::Epyc, CPUS).start("nmi-bare")?;
    reference.wait_shell()?;
    let expected = provoke(&mut reference)?;
    reference.power_off()?;

    let mut machine = under()?.with_cpus(Cpu::Epyc, CPUS).start("nmi")?;
    machine.wait_shell()?;
    let seen = provoke(&mut machine)?;
    assert_same(&mut machine, "NMIs are as on the bare machine", &seen, &expected)?;
    assert_inside(&mut machine, CPUS)?;
    machine.power_off()
}
