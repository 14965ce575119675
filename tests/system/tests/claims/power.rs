//! The guest restarts the machine by each of the ways Linux has, and it comes back inside; it switches it off.

use crate::{assert_inside, under};
use sekisho_system::failure::Failure;

const CPUS: u8 = 2;

/// The kernel's own way; port 0xCF9; the keyboard controller; a triple fault.
const WAYS: [&str; 4] = [
    "reboot -f",
    r"printf '\006' | dd of=/dev/port bs=1 seek=3321 2>/dev/null",
    r"printf '\376' | dd of=/dev/port bs=1 seek=100 2>/dev/null",
    "echo triple > /sys/kernel/reboot/type; echo 1 > /sys/kernel/reboot/force; reboot -f",
];

#[test]
fn the_machine_is_inside_again_after_every_kind_of_restart() -> Result<(), Failure> {
    let mut machine = under()?.start("restart")?;
    machine.wait_shell()?;
    for way in WAYS {
        machine.give_last(way)?;
        machine.wait_shell()?;
        assert_inside(&mut machine, CPUS)?;
    }
    machine.power_off()
}
