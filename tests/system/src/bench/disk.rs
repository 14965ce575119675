//! A disk's load in four machines: bare, its controller passed by the hypervisor, mediated with the sectors in clear, and
//! mediated with the sectors encrypted. Clear and encrypted differ in nothing but the cipher.

use super::{POLICY, Row};
use crate::appliance::Appliance;
use crate::command::PASSPHRASE;
use crate::encrypted::{self, EncryptedLaptop};
use crate::failure::Failure;
use crate::guest::{Laptop, Tools};
use crate::machine::{Controller, Machine, Running};
use crate::report;
use std::time::Duration;

/// Each load runs so often; the least CPU time is taken, since noise only adds.
const REPEATS: u8 = 3;
/// For one load, under an emulator that shares its host.
const PATIENCE: Duration = Duration::from_secs(300);
/// The names of the loads for the agent and for people.
const LOADS: [(&str, &str); 3] = [
    ("read", "64 MiB read in sequence"),
    ("write", "64 MiB written in sequence"),
    ("random", "500 pages read at random"),
];
/// MiB of the partition under load.
const SIZE: u64 = 64;
/// The machines beside the bare one, each with its aim and the ancestor's figure, in times bare.
const KINDS: [(Kind, &str, f64, f64); 3] = [
    (Kind::Passed, "passed", 1.2, 2.4),
    (Kind::Clear, "mediated in clear", 2.5, 10.0),
    (Kind::Encrypted, "encrypted", 19.0, 38.0),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Clear,
    Encrypted,
}

/// What one load took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    /// VM exits at registers of the controller.
    exits: f64,
    /// Commands that the guest's driver gave.
    commands: f64,
}

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let laptop = Laptop::make("bench-disk", SIZE, Tools::Disk)?;
    let mut machine = Machine::bare(&laptop.path).start("bench-disk-bare")?;
    machine.wait_shell()?;
    let bare = loads(&mut machine, Kind::Passed)?;
    machine.power_off()?;
    let mut rows: Vec<Row> = LOADS
        .iter()
        .zip(&bare)
        .map(|((_, name), cost)| Row::new(format!("{name}, bare"), cost.seconds, "CPU seconds"))
        .collect();
    let mut clear = Vec::new();
    for (kind, kind_name, aim, reference) in KINDS {
        let mut machine = start(kind, &laptop)?;
        let costs = loads(&mut machine, kind)?;
        machine.power_off()?;
        for (((_, name), cost), bare) in LOADS.iter().zip(&costs).zip(&bare) {
            let ratio = Row::new(
                format!("{name}, {kind_name}"),
                cost.seconds / bare.seconds,
                "times bare",
            );
            rows.push(ratio.with_aim(aim).with_reference(reference));
            if kind != Kind::Passed {
                let exits = cost.exits / cost.commands;
                rows.push(Row::new(format!("{name}, {kind_name}"), exits, "exits/command"));
            }
        }
        if kind == Kind::Encrypted {
            for ((((_, name), cost), clear), bare) in LOADS.iter().zip(&costs).zip(&clear).zip(&bare) {
                let cipher: f64 = cost.seconds - (clear as &Cost).seconds;
                rows.push(Row::new(
                    format!("{name}, of that emulated AES"),
                    cipher / bare.seconds,
                    "times bare",
                ));
            }
        }
        clear = costs;
    }
    Ok(rows)
}

/// Boots a machine of this kind to its shell.
fn start(kind: Kind, laptop: &Laptop) -> Result<Running, Failure> {
    let text = encrypted::policy(Controller::Ahci)?;
    let (name, text) = match kind {
        Kind::Passed => {
            let image = Appliance::example(POLICY)?.disk("bench-disk-passed")?;
            let mut machine = Machine::under(&image, &laptop.path).start("bench-disk-passed")?;
            machine.wait_shell()?;
            return Ok(machine);
        }
        // The small partition is the volume instead: the large one is in clear.
        Kind::Clear => (
            "bench-disk-clear",
            text.replace("partition = 3", "partition = 2")
                .replace("[\"esp\"]", "[\"esp\", 3]"),
        ),
        Kind::Encrypted => ("bench-disk-encrypted", text),
    };
    let laptop = Laptop::make(name, SIZE, Tools::Disk)?;
    let laptop = EncryptedLaptop::of(laptop, name, Controller::Ahci, &text)?;
    let mut machine = laptop.machine().start(name)?;
    machine.unlock(PASSPHRASE)?;
    machine.wait_shell()?;
    Ok(machine)
}

/// Every load on the third partition.
fn loads(machine: &mut Running, kind: Kind) -> Result<Vec<Cost>, Failure> {
    machine.run(encrypted::FIND)?;
    LOADS
        .iter()
        .map(|(load, _)| {
            let mut least = once(machine, load, kind)?;
            for _ in 1..REPEATS {
                let cost = once(machine, load, kind)?;
                if cost.seconds < least.seconds {
                    least = cost;
                }
            }
            Ok(least)
        })
        .collect()
}

fn once(machine: &mut Running, load: &str, kind: Kind) -> Result<Cost, Failure> {
    let (exits, commands) = counts(machine, kind)?;
    let start = machine.cpu_time()?;
    machine.run_within(&format!("agent disk {load} $disk"), PATIENCE)?;
    let seconds = (machine.cpu_time()? - start).as_secs_f64();
    let (exits_after, commands_after) = counts(machine, kind)?;
    Ok(Cost {
        seconds,
        exits: exits_after - exits,
        commands: commands_after - commands,
    })
}

/// VM exits at a controller's registers, and the partition's finished reads and writes, so far.
fn counts(machine: &mut Running, kind: Kind) -> Result<(f64, f64), Failure> {
    // Fields 1 and 5 of Documentation/block/stat.rst.
    let commands = machine.run("awk '{ print $1 + $5 }' /sys/class/block/${disk#/dev/}/stat")?;
    let commands = commands.trim().parse().unwrap_or(f64::NAN);
    if kind == Kind::Passed {
        return Ok((0.0, commands));
    }
    let exits = report::exits(&machine.run("agent counters")?);
    let exits = exits.iter().find(|(name, _)| name == "disk-memory");
    // Counts stay far below 2^53, where doubles are exact.
    let exits = exits.and_then(|(_, count)| u32::try_from(*count).ok());
    Ok((exits.map_or(f64::NAN, f64::from), commands))
}
