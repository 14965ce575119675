//! Interrupts, NMIs, single steps and instruction forms are exactly as on the bare machine.

use crate::{appliance, assert_same};
use sekisho_system::failure::Failure;
use sekisho_system::guest::Program;
use sekisho_system::machine::{Cpu, Ending, Machine};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(180);
/// The program's exit value where it came to its end.
const DONE: Ending = Ending::Value(0x10);

/// The program's lines.
fn run(machine: &Machine, name: &str) -> Result<Vec<String>, Failure> {
    let mut machine = machine.start(name)?;
    let text = machine.expect_com1("exact: end", PATIENCE)?;
    let ending = machine.wait_end(PATIENCE)?;
    assert_same(&mut machine, "the program comes to its end", &ending, &DONE)?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("exact: "));
    Ok(lines.map(str::to_owned).collect())
}

fn compares(cpu: Cpu, reference: Cpu) -> Result<(), Failure> {
    let disk = Program::Exact.disk()?;
    let expected = run(
        &Machine::bare(&disk).with_cpus(reference, 1),
        &format!("exact-{reference:?}-bare"),
    )?;
    let under = Machine::under(&appliance()?, &disk).with_cpus(cpu, 1);
    let seen = run(&under, &format!("exact-{cpu:?}"))?;
    let differing: Vec<_> = seen
        .iter()
        .zip(&expected)
        .filter(|(seen, expected)| seen != expected)
        .collect();
    if differing.is_empty() && seen.len() == expected.len() && !seen.is_empty() {
        return Ok(());
    }
    Err(Failure::Claim {
        what: format!(
            "{} lines under, {} bare; (under, bare): {differing:#?}",
            seen.len(),
            expected.len()
        ),
        tail: String::new(),
    })
}

#[test]
fn interrupts_and_steps_on_epyc_are_as_on_the_bare_machine() -> Result<(), Failure> {
    compares(Cpu::Epyc, Cpu::EpycWithoutSvm)
}

#[test]
fn interrupts_and_steps_on_max_are_as_on_the_bare_machine() -> Result<(), Failure> {
    compares(Cpu::Max, Cpu::Max)
}
