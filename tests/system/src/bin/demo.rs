//! `make demo`: builds the example policy, boots a Linux guest on it and shows a person what happened.
//!
//! Ends by itself with a verdict; with `INTERACTIVE=1` in the environment it leaves a shell in the guest.
#![forbid(unsafe_code)]

use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use sekisho_system::report;
use std::process::ExitCode;
use std::time::Instant;

const POLICY: &str = "first-light.toml";
/// The event of a device and its driver in the hypervisor's log.
const DEVICE_EVENT: &str = " H0201 ";
const CPUS: usize = 2;

fn main() -> ExitCode {
    match demo() {
        Ok(verdict) => {
            println!("\ndemo: PASS: {verdict}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("\ndemo: FAIL: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<String, Failure> {
    println!("The policy, examples/{POLICY}, becomes a bootable image.");
    let image = Appliance::example(POLICY)?.disk("demo")?;
    let disk = guest::linux_disk()?;

    println!("The machine without it, for comparison, boots ...");
    let before = devices_of_bare_machine(&Machine::bare(&disk))?;

    println!("The same machine with the image before its disk boots ...");
    let start = Instant::now();
    let mut machine = Machine::under(&image, &disk).start("demo")?;
    machine.wait_shell()?;
    println!(
        "Linux is at its shell after {:.0} s.\n",
        start.elapsed().as_secs_f64()
    );

    let hidden = show_devices(&mut machine, &before)?;
    show_cpus(&mut machine)?;
    let exits = show_exits(&mut machine)?;
    if std::env::var_os("INTERACTIVE").is_some_and(|value| !value.is_empty() && value != "0") {
        interact(&mut machine)?;
    } else {
        machine.power_off()?;
    }
    Ok(format!(
        "Debian Linux ran on the hypervisor, {CPUS} of {CPUS} CPUs inside, {hidden} device(s) hidden from it, {exits} VM exits"
    ))
}

fn devices_of_bare_machine(machine: &Machine) -> Result<Vec<String>, Failure> {
    let mut machine = machine.start("demo-bare")?;
    machine.wait_shell()?;
    let devices = machine.run("lspci -nn")?;
    machine.power_off()?;
    Ok(devices
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect())
}

/// The hypervisor's list with the drivers, and the machine's with what the guest sees; how many it does not see.
fn show_devices(machine: &mut Running, before: &[String]) -> Result<usize, Failure> {
    println!("Devices, as the hypervisor found and decided them: (drivers that fit) driver taken");
    for line in machine.com2.text().lines() {
        if let Some((_, device)) = line.split_once(DEVICE_EVENT) {
            println!("    {device}");
        }
    }
    let seen = machine.run("lspci -nn")?;
    let seen: Vec<&str> = seen.lines().map(str::trim).collect();
    println!("\nDevices, as lspci in the guest tells them:");
    let mut hidden = 0;
    for device in before {
        let there = seen.contains(&device.as_str());
        hidden += usize::from(!there);
        println!("    {} {device}", if there { "sees  " } else { "HIDDEN" });
    }
    let others = seen
        .iter()
        .filter(|line| !line.is_empty() && !before.iter().any(|device| device == *line))
        .count();
    if hidden == 1 && others == 0 {
        return Ok(hidden);
    }
    Err(machine.refute(format!(
        "{hidden} devices are hidden, {others} are new; one and none were expected"
    )))
}

fn show_cpus(machine: &mut Running) -> Result<(), Failure> {
    let cpus = machine.run("agent cpus")?;
    println!("\nWho answers CPUID leaf 0x40000000 on each CPU of the guest:");
    for line in cpus.lines().filter(|line| !line.is_empty()) {
        println!("    {line}");
    }
    if report::cpu_count(&cpus) == CPUS && report::outside(&cpus).is_empty() {
        return Ok(());
    }
    Err(machine.refute("a CPU runs outside of the hypervisor"))
}

/// The counters; how many exits they are together.
fn show_exits(machine: &mut Running) -> Result<u64, Failure> {
    let counters = report::exits(&machine.run("agent counters")?);
    println!(
        "\nVM exits from power-on until now, by reason (halts, interrupts, timers and paging cause none):"
    );
    for (name, count) in counters.iter().filter(|(_, count)| *count > 0) {
        println!("    {count:>10}  {name}");
    }
    match counters.iter().map(|(_, count)| count).sum() {
        0 => Err(machine.refute("the hypervisor counted nothing")),
        exits => Ok(exits),
    }
}

/// Joins this terminal and the guest's console until the guest is off.
fn interact(machine: &mut Running) -> Result<(), Failure> {
    println!("\nA shell in the guest; `poweroff -f` ends it.\n");
    machine.give_last("setsid cttyhack sh; poweroff -f")?;
    machine.attach()
}
