//! The guest may ask for counters only where the policy says so; elsewhere VMMCALL is an invalid instruction.

use crate::{assert_inside, assert_same};
use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::Machine;

/// A shell's status of a program that died by SIGILL.
const DIED_BY_INVALID_INSTRUCTION: i32 = 128 + 4;

const SILENT: &str = r#"
policy = 1
name = "silent"
[defaults]
storage = "pass"
network = "pass"
other = "pass"
[log]
serial = "com2"
[boot]
next = '\EFI\debian\grubx64.efi'
"#;

#[test]
fn a_guest_without_permission_gets_no_counters() -> Result<(), Failure> {
    let image = Appliance::from_policy("silent", SILENT)?.disk("silent")?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?).start("silent")?;
    machine.wait_shell()?;
    let status = match machine.run("agent counters") {
        Err(Failure::Command { status, .. }) => Some(status),
        Err(failure) => return Err(failure),
        Ok(_) => None,
    };
    assert_same(
        &mut machine,
        "VMMCALL is invalid",
        &status,
        &Some(DIED_BY_INVALID_INSTRUCTION),
    )?;
    assert_inside(&mut machine, 2)?;
    machine.power_off()
}
