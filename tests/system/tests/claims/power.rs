//! Shutdown, reboot and reset by the guest end or restart the machine, by each of the ways Linux has.

use crate::{assert_inside, under};
use sekisho_system::failure::Failure;
use std::time::Duration;

const RESTART_PATIENCE: Duration = Duration::from_secs(120);

/// The loader's first line of a second boot, after the guest reset the machine by `command`.
fn restarts_by(name: &str, command: &str) -> Result<(), Failure> {
    let mut machine = under()?.start(name)?;
    machine.wait_shell()?;
    machine.give_last(command)?;
    machine.expect_com1("sekisho: CPU 1: inside", RESTART_PATIENCE)?;
    Ok(())
}

#[test]
fn the_guest_switches_the_machine_off() -> Result<(), Failure> {
    let mut machine = under()?.start("power-off")?;
    machine.wait_shell()?;
    assert_inside(&mut machine, 2)?;
    machine.power_off()
}

#[test]
fn a_reset_by_port_cf9_restarts_inside() -> Result<(), Failure> {
    restarts_by(
        "reset-cf9",
        r"printf '\006' | dd of=/dev/port bs=1 seek=3321 2>/dev/null",
    )
}

#[test]
fn a_reset_by_the_keyboard_controller_restarts_inside() -> Result<(), Failure> {
    restarts_by(
        "reset-8042",
        r"printf '\376' | dd of=/dev/port bs=1 seek=100 2>/dev/null",
    )
}

#[test]
fn a_reset_by_triple_fault_restarts_inside() -> Result<(), Failure> {
    // `reboot=triple` in the kernel's command line would do it at every reboot; sysfs says it for one.
    restarts_by(
        "reset-triple",
        "echo triple > /sys/kernel/reboot/type; echo 1 > /sys/kernel/reboot/force; reboot -f",
    )
}
