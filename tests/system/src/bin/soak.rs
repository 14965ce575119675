//! `make soak`: the same image boots 25 times in a row, each time to a shell with every CPU inside.
#![forbid(unsafe_code)]

use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::Machine;
use sekisho_system::report;
use std::process::ExitCode;
use std::time::Instant;

const BOOTS: u32 = 25;
const POLICY: &str = "first-light.toml";

fn main() -> ExitCode {
    match soak() {
        Ok(()) => {
            println!("soak: PASS: {BOOTS} boots of the same image, every CPU inside each time");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("soak: FAIL: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn soak() -> Result<(), Failure> {
    let machine = Machine::under(&Appliance::example(POLICY)?.disk("soak")?, &guest::linux_disk()?);
    for number in 1..=BOOTS {
        let start = Instant::now();
        let mut machine = machine.start(&format!("soak-{number}"))?;
        machine.wait_shell()?;
        let cpus = machine.run("agent cpus")?;
        if report::cpu_count(&cpus) != 2 || !report::outside(&cpus).is_empty() {
            return Err(machine.refute(format!("boot {number}: not every CPU is inside:\n{cpus}")));
        }
        machine.power_off()?;
        println!(
            "soak: boot {number} of {BOOTS}: {:.0} s",
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
