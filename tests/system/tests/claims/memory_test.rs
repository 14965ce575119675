//! memtest86+ runs on all CPUs and finds no error under the hypervisor, in the bare machine's memory less the
//! hypervisor's.

use crate::{appliance, assert_same};
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(240);
/// Small, so that the first tests come round quickly; MiB.
const MEMORY: u32 = 192;
/// What the hypervisor takes, and what rounding to a screen of MiB may add.
const TAKEN: std::ops::RangeInclusive<u32> = 16..=18;
/// The test whose beginning ends the run: by then five ran, on one CPU and on all.
const LAST_TEST: &str = "#5  [";

/// What the screen told.
struct Screen {
    threads: bool,
    failed: bool,
    tested: u32,
}

fn run(machine: &mut Running) -> Result<Screen, Failure> {
    machine.expect_com1("SMP: 2T", PATIENCE)?;
    machine.expect_com1(LAST_TEST, PATIENCE)?;
    // The line below a test's name shows how much is tested at once.
    machine.expect_com1("Errors: ", PATIENCE)?;
    let screen = machine.com1.text().to_owned();
    let amounts = screen
        .split("MB of ")
        .skip(1)
        .filter_map(|after| after.split("MB").next()?.parse().ok());
    Ok(Screen {
        threads: screen.contains("2 Cores 2 Threads"),
        failed: screen
            .split("Errors: ")
            .skip(1)
            // The last count may not have come whole yet.
            .filter_map(|after| after.split_once(' '))
            .any(|(count, _)| count != "0"),
        tested: amounts.max().unwrap_or_default(),
    })
}

/// The machine with a screen, which the program insists on.
fn with_screen(mut machine: Machine) -> Machine {
    machine.memory = MEMORY;
    machine.devices.push("VGA".to_owned());
    machine
}

#[test]
fn memtest86_finds_the_machines_memory_and_no_error() -> Result<(), Failure> {
    let disk = guest::memtest_disk()?;
    let mut reference = with_screen(Machine::bare(&disk)).start("memtest-bare")?;
    let bare = run(&mut reference)?;
    drop(reference);
    let mut machine = with_screen(Machine::under(&appliance()?, &disk)).start("memtest")?;
    let under = run(&mut machine)?;
    assert_same(
        &mut machine,
        "both CPUs are used",
        &(under.threads, bare.threads),
        &(true, true),
    )?;
    assert_same(
        &mut machine,
        "no error is found",
        &(under.failed, bare.failed),
        &(false, false),
    )?;
    let taken = bare.tested.saturating_sub(under.tested);
    assert_same(
        &mut machine,
        &format!("{taken} MiB are taken"),
        &TAKEN.contains(&taken),
        &true,
    )
}
