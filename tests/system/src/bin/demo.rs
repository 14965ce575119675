//! `make demo`: builds the example policy, boots a Linux guest on it and shows a person what happened.
//!
//! Ends by itself with a verdict; with `INTERACTIVE=1` in the environment it leaves a shell in the guest.
#![forbid(unsafe_code)]

use sekisho_system::encrypted::{EncryptedLaptop, POLICY};
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Controller, Machine, Running};
use sekisho_system::report;
use std::process::ExitCode;
use std::time::Instant;

/// What nobody may find on the disk.
const SECRET: &str = "Dear Ada, the bridge at Hakone is watched tonight.";
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
    println!(
        "The policy, examples/{POLICY}: sekisho makes its keys, encrypts a laptop's disk, and builds the image."
    );
    let laptop = EncryptedLaptop::make("demo", Controller::Ahci)?;

    println!("The machine without the image, for comparison, boots ...");
    let before = devices_of_bare_machine(&Machine::bare(&guest::linux_disk()?))?;

    println!("The laptop boots from the image; the loader asks for the passphrase ...");
    let start = Instant::now();
    let mut machine = laptop.boot("demo")?;
    println!(
        "Linux is at its shell after {:.0} s.\n",
        start.elapsed().as_secs_f64()
    );

    let hidden = show_devices(&mut machine, &before)?;
    show_cpus(&mut machine)?;
    write_a_file(&mut machine)?;
    let exits = show_exits(&mut machine)?;
    if std::env::var_os("INTERACTIVE").is_some_and(|value| !value.is_empty() && value != "0") {
        interact(&mut machine)?;
    } else {
        machine.power_off()?;
    }
    show_platter(&laptop)?;
    Ok(format!(
        "Debian Linux ran on the hypervisor, {CPUS} of {CPUS} CPUs inside, {hidden} device(s) hidden from it, its files \
         ciphertext on the disk and readable by cryptsetup, {exits} VM exits"
    ))
}

/// A file system in the volume, and a file in it.
fn write_a_file(machine: &mut Running) -> Result<(), Failure> {
    machine.run("/usr/sbin/mke2fs -q -t ext4 $disk && mkdir /volume && mount $disk /volume")?;
    machine.run(&format!("echo '{SECRET}' > /volume/letter; umount /volume"))?;
    println!("\nThe guest made an ext4 file system on its partition and wrote a letter: \"{SECRET}\"");
    Ok(())
}

/// The letter is nowhere on the disk, and dm-crypt of a stock kernel reads it.
fn show_platter(laptop: &EncryptedLaptop) -> Result<(), Failure> {
    let platter = laptop.laptop.platter()?;
    let found = platter
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes());
    println!(
        "\nThe raw disk, {} MiB of it: the letter is {}there.",
        platter.len() >> 20,
        if found { "" } else { "not " }
    );
    println!("The bare machine boots with the disk, the volume's header and a stock kernel ...");
    println!("    # {}", EncryptedLaptop::OPEN);
    let mut machine = laptop.boot_bare("demo-bare-disk")?;
    let read = machine.run("mkdir /volume && mount /dev/mapper/plain /volume && cat /volume/letter")?;
    println!("    # cat /volume/letter\n    {}", read.trim());
    if found || read.trim() != SECRET {
        return Err(machine.refute("the letter was expected in the volume, and nowhere on the platter"));
    }
    machine.power_off()
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
    println!(
        "Devices, as the hypervisor found and decided them: (drivers that fit) driver taken, by which line and rule"
    );
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
