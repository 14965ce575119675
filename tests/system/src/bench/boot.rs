//! A Linux boot: exits by reason up to the shell, and CPU time from the kernel's start to the shell.

use super::{POLICY, Row};
use crate::appliance::Appliance;
use crate::failure::Failure;
use crate::guest;
use crate::machine::Machine;
use crate::report;

/// Boots of each kind; the least CPU time of them is taken, since noise only adds.
const REPEATS: u8 = 5;
const RATIO_AIM: f64 = 1.15;
const RATIO_REFERENCE: f64 = 1.9;

/// One boot.
struct Boot {
    seconds: f64,
    exits: Vec<(String, u64)>,
}

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let disk = guest::linux_disk()?;
    let image = Appliance::example(POLICY)?.disk("bench")?;
    // Alternating, so that a busy host disturbs both alike.
    let mut bare = f64::INFINITY;
    let mut under = f64::INFINITY;
    let mut exits = Vec::new();
    for number in 0..REPEATS {
        bare = bare.min(boot(&Machine::bare(&disk), &format!("bench-boot-bare-{number}"))?.seconds);
        let boot = boot(&Machine::under(&image, &disk), &format!("bench-boot-{number}"))?;
        under = under.min(boot.seconds);
        exits = boot.exits;
    }
    let mut rows = vec![
        Row::new("kernel start to shell, bare", bare, "CPU seconds"),
        Row::new("kernel start to shell", under, "CPU seconds"),
        Row::new("kernel start to shell, ratio", under / bare, "times bare")
            .with_aim(RATIO_AIM)
            .with_reference(RATIO_REFERENCE),
    ];
    for (name, count) in exits {
        // Counts stay far below 2^53, where doubles are exact.
        let count = u32::try_from(count).map_or(f64::INFINITY, f64::from);
        rows.push(Row::new(format!("exits to the shell: {name}"), count, "exits"));
    }
    Ok(rows)
}

fn boot(machine: &Machine, name: &str) -> Result<Boot, Failure> {
    let under = machine.disks.len() > 1;
    let mut machine = machine.start(name)?;
    machine.wait_kernel()?;
    let start = machine.cpu_time()?;
    machine.wait_shell()?;
    let seconds = (machine.cpu_time()? - start).as_secs_f64();
    let exits = if under {
        report::exits(&machine.run("agent counters")?)
    } else {
        Vec::new()
    };
    machine.power_off()?;
    Ok(Boot { seconds, exits })
}
