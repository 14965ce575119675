//! `make soak`: the same image boots 25 times in a row, each time to a shell with every CPU inside; then one with a shared
//! NIC as often, each time with the appliance answering and the guest's transfers whole; then, without a machine, an hour of
//! the tunnel's engine with wireguard-go over a wire that loses and reorders (or as many minutes as MINUTES says).
#![forbid(unsafe_code)]

use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use sekisho_system::paths;
use sekisho_system::report;
use sekisho_system::wired;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const BOOTS: u32 = 25;
const POLICY: &str = "first-light.toml";
/// The appliance on the shared NIC.
const OWN: &str = "[ip]\naddress = \"198.51.100.7/24\"\n";
const APPLIANCE: &str = "198.51.100.7";
/// MiB that the guest downloads in each boot, and for how long at most.
const SIZE: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let kinds: [(&str, Boot); 2] = [("plain", plain), ("shared", shared)];
    let only = std::env::args().nth(1);
    let is_wanted = |name| only.as_deref().is_none_or(|only| only == name);
    for (name, boot) in kinds {
        if !is_wanted(name) {
            continue;
        }
        if let Err(failure) = repeat(name, boot) {
            println!("soak: FAIL: {failure}");
            return ExitCode::FAILURE;
        }
        println!("soak: PASS: {BOOTS} boots of the same image, {name}, every CPU inside each time");
    }
    if is_wanted("tunnel") {
        return tunnel();
    }
    ExitCode::SUCCESS
}

/// The judge is a test of another workspace.
fn tunnel() -> ExitCode {
    let minutes = std::env::var("MINUTES").unwrap_or_else(|_| "60".to_owned());
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--locked", "-q", "--test", "wireguard_go"]);
    command.args(["--manifest-path", "tests/wireguard/Cargo.toml"]);
    command.args(["--target-dir", "target/wireguard"]);
    command.args(["--", "--nocapture", "over_a_wire_that_loses_and_reorders"]);
    let status = command
        .current_dir(paths::root())
        .env("MINUTES", &minutes)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("soak: FAIL: tunnel");
        return ExitCode::FAILURE;
    }
    println!(
        "soak: PASS: {minutes} minutes of a tunnel over a bad wire, all transfers whole, keys made anew"
    );
    ExitCode::SUCCESS
}

/// Boots once, checks, and powers off; the logs have this name.
type Boot = fn(&str) -> Result<(), Failure>;

fn repeat(name: &str, boot: Boot) -> Result<(), Failure> {
    for number in 1..=BOOTS {
        let start = Instant::now();
        boot(&format!("soak-{name}-{number}"))?;
        println!(
            "soak: {name}: boot {number} of {BOOTS}: {:.0} s",
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn plain(name: &str) -> Result<(), Failure> {
    let machine = Machine::under(&Appliance::example(POLICY)?.disk("soak")?, &guest::linux_disk()?);
    let mut machine = machine.start(name)?;
    machine.wait_shell()?;
    check_cpus(&mut machine)?;
    machine.power_off()
}

fn shared(name: &str) -> Result<(), Failure> {
    let (machine, mut network, wire) = wired::under("soak-shared", "e1000e", "net = \"ippass\"", OWN)?;
    network.lease(&wire)?;
    let mut machine = machine.start(name)?;
    machine.wait_shell()?;
    check_cpus(&mut machine)?;
    wired::get_lease(&mut machine, &wire)?;
    let folder = network.folder().display().to_string();
    let sent = network.run(&format!(
        "cd {folder} && head -c {SIZE}M /dev/urandom > file && md5sum < file"
    ))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    let fetch = format!("wget -q -O - http://{}/file | md5sum", wire.outside());
    let received = machine.run_within(&fetch, PATIENCE)?;
    if received != sent {
        return Err(machine.refute("the guest's download is not what was sent"));
    }
    let answered = network.run(&format!("busybox ping -c 3 -W 5 {APPLIANCE}"));
    answered.map_err(|failure| machine.refute(format!("the appliance: {failure:?}")))?;
    machine.power_off()
}

fn check_cpus(machine: &mut Running) -> Result<(), Failure> {
    let cpus = machine.run("agent cpus")?;
    if report::cpu_count(&cpus) != 2 || !report::outside(&cpus).is_empty() {
        return Err(machine.refute(format!("not every CPU is inside:\n{cpus}")));
    }
    Ok(())
}
