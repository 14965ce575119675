//! A guest that drives its interrupt controllers by registers (x2APIC) stays inside, and its interrupts cause no exit.

use crate::inside::cycle_cpus;
use crate::{assert_inside, assert_same, bare, under};
use sekisho_system::failure::Failure;
use sekisho_system::machine::{Cpu, Running};

const CPUS: u8 = 4;

#[test]
#[ignore = "long: make test-long"]
fn linux_drives_every_apic_by_registers_and_stays_inside() -> Result<(), Failure> {
    let mut reference = bare()?
        .with_cpus(Cpu::EpycWithX2Apic, CPUS)
        .start("x2apic-bare")?;
    reference.wait_shell()?;
    enabled(&mut reference)?;
    let expected = cycle_cpus(&mut reference)?;
    reference.power_off()?;

    let mut machine = under()?.with_cpus(Cpu::EpycWithX2Apic, CPUS).start("x2apic")?;
    machine.wait_shell()?;
    enabled(&mut machine)?;
    assert_inside(&mut machine, CPUS)?;
    let before = apic_stores(&mut machine)?;
    let seen = cycle_cpus(&mut machine)?;
    assert_same(
        &mut machine,
        "CPUs go and come as on the bare machine",
        &seen,
        &expected,
    )?;
    assert_inside(&mut machine, CPUS)?;
    let after = apic_stores(&mut machine)?;
    assert_same(
        &mut machine,
        "exits for stores to the xAPIC page",
        &after,
        &before,
    )?;
    machine.power_off()
}

/// The kernel says that it uses x2APIC.
fn enabled(machine: &mut Running) -> Result<(), Failure> {
    let said = machine.run("dmesg | grep -i x2apic; true")?;
    if said.contains("x2apic enabled") {
        return Ok(());
    }
    Err(machine.refute(format!("Linux does not use x2APIC:\n{said}")))
}

/// Exits for stores to the xAPIC page so far.
fn apic_stores(machine: &mut Running) -> Result<String, Failure> {
    machine.run("agent counters | grep apic-write")
}
