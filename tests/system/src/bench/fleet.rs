//! Policies in a pipeline: how long a fleet is planned, with how much memory, and how long one policy is checked.
//!
//! The fleet is made here: machines of some models, one a line, as an inventory tool would write them. Seconds are the
//! clock's, from the start of the command to its end; what else the machine does is in them.

use super::Row;
use crate::failure::Failure;
use crate::{paths, tool};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The policy that is planned and checked.
const POLICY: &str = "examples/field-laptop.toml";
const MACHINES: u32 = 100_000;
const DEVICES: u32 = 30;
/// Hardware models of the fleet.
const MODELS: u32 = 50;
/// Runs of each; the least time is taken, since noise only adds.
const REPEATS: u8 = 3;
const CHECKS: u8 = 20;
/// How often the memory of a run is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// What one run costs.
struct Cost {
    seconds: f64,
    mebibytes: f64,
}

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let binary = binary()?;
    let folder = paths::cache("fleet")?;
    let plan = |machines, devices, models| -> Result<Cost, Failure> {
        let inventory = folder.join("fleet.jsonl");
        write_fleet(&inventory, machines, devices, models).map_err(Failure::file(&inventory))?;
        let mut least = run(
            &binary,
            &["plan", POLICY, "--inventory", &inventory.to_string_lossy()],
        )?;
        for _ in 1..REPEATS {
            let next = run(
                &binary,
                &["plan", POLICY, "--inventory", &inventory.to_string_lossy()],
            )?;
            least.seconds = least.seconds.min(next.seconds);
            least.mebibytes = least.mebibytes.max(next.mebibytes);
        }
        fs::remove_file(&inventory).map_err(Failure::file(&inventory))?;
        Ok(least)
    };
    let fleet = plan(MACHINES, DEVICES, MODELS)?;
    let half = plan(MACHINES / 2, DEVICES, MODELS)?;
    let fewer = plan(MACHINES, DEVICES / 2, MODELS)?;
    let unlike = plan(MACHINES / 10, DEVICES, MACHINES / 10)?;
    let mut check = f64::INFINITY;
    for _ in 0..CHECKS {
        check = check.min(run(&binary, &["check", POLICY])?.seconds);
    }
    Ok(vec![
        Row::new("100,000 machines of 30 devices planned", fleet.seconds, "seconds").with_aim(2.0),
        Row::new("peak memory of that", fleet.mebibytes, "MiB").with_aim(500.0),
        Row::new(
            "100,000 machines beside 50,000",
            fleet.seconds / half.seconds,
            "times",
        )
        .with_aim(2.2),
        Row::new(
            "30 devices a machine beside 15",
            fleet.seconds / fewer.seconds,
            "times",
        )
        .with_aim(2.2),
        Row::new("10,000 machines, no two alike", unlike.seconds, "seconds"),
        Row::new("peak memory of that, unlike", unlike.mebibytes, "MiB"),
        Row::new(
            "check of a policy, with the start",
            check * 1000.0,
            "milliseconds",
        )
        .with_aim(20.0),
    ])
}

/// The command as users have it.
fn binary() -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(paths::root());
    tool::run(build.args(["build", "--quiet", "--locked", "--release", "--bin", "sekisho"]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::root().join("target"), PathBuf::from);
    Ok(target.join("release").join("sekisho"))
}

/// The fleet, its devices of `models` kinds; each model has laptops' usual devices over and over, in slots of its own.
fn write_fleet(path: &Path, machines: u32, devices: u32, models: u32) -> std::io::Result<()> {
    let models: Vec<String> = (0..models).map(|model| model_text(model, devices)).collect();
    let mut out = BufWriter::new(File::create(path)?);
    for (machine, devices) in (0..machines).zip(models.iter().cycle()) {
        writeln!(
            out,
            "{{\"machine\": \"laptop-{machine:06}\", \"devices\": [{devices}]}}"
        )?;
    }
    out.flush()
}

/// Class code and id of a laptop's devices.
const KINDS: [(&str, &str); 10] = [
    ("060000", "5914"),
    ("030000", "5917"),
    ("0c0330", "9d2f"),
    ("118000", "9d31"),
    ("078000", "9d3a"),
    ("010601", "9d03"),
    ("060400", "9d10"),
    ("040300", "9d71"),
    ("020000", "15d7"),
    ("028000", "24fd"),
];

fn model_text(model: u32, devices: u32) -> String {
    let device = |(place, (class, id)): (u32, &(&str, &str))| {
        format!(
            "{{\"slot\": \"{:02x}:{:02x}.0\", \"vendor\": \"8086\", \"device\": \"{id}\", \"sub_vendor\": \"17aa\", \
             \"sub_device\": \"{:04x}\", \"revision\": \"21\", \"class_code\": \"{class}\", \"header_type\": \"00\"}}",
            place / 32,
            place % 32,
            model % 0x1_0000,
        )
    };
    let kinds = (0..devices).zip(KINDS.iter().cycle());
    kinds.map(device).collect::<Vec<_>>().join(", ")
}

/// One run of the command; whether it finds something is not the question.
fn run(binary: &Path, arguments: &[&str]) -> Result<Cost, Failure> {
    let mut command = Command::new(binary);
    command.current_dir(paths::root()).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().map_err(Failure::file(binary))?;
    let mut kibibytes = 0;
    let status = loop {
        kibibytes = peak(child.id()).unwrap_or(kibibytes);
        match child.try_wait().map_err(Failure::file(binary))? {
            Some(status) => break status,
            None => thread::sleep(GLANCE.min(start.elapsed() / 50)),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    match status.code() {
        Some(0 | 1) => Ok(Cost {
            seconds,
            mebibytes: f64::from(kibibytes) / 1024.0,
        }),
        _ => Err(Failure::Tool {
            command: format!("{command:?}"),
            output: status.to_string(),
        }),
    }
}

/// The most memory that a process had so far, in KiB.
fn peak(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
