//! A hostile guest gains nothing: each of its attempts ends as on hardware without SVM, without that memory and
//! without that device; the hypervisor lives and counts.

use crate::disk::contains;
use crate::{appliance, assert_same};
use sekisho_system::command::PASSPHRASE;
use sekisho_system::encrypted::{EncryptedLaptop, policy};
use sekisho_system::failure::Failure;
use sekisho_system::guest::{Laptop, Program};
use sekisho_system::machine::{Controller, Cpu, Ending, Machine, Running};
use std::sync::OnceLock;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);
/// Where the test machine has the NIC that the policy conceals.
const CONCEALED_SLOT: &str = "00:01.0";
/// Its command register in the configuration window, where the emulator's firmware puts that.
const CONCEALED_COMMAND: u64 = 0xb000_8004;
const DECODE_AND_MASTER: u16 = 7;
/// The program's exit value where nothing failed.
const ALL_PASSED: Ending = Ending::Value(0x10);
/// MiB of the volume of an encrypted disk.
const VOLUME_SIZE: u64 = 4;
/// What the program writes to it.
const PHRASE: &[u8] = b"sixteen in clear";
/// Attempts whose outcome is the same on any machine without SVM.
const REFERENCE: [&str; 11] = [
    "vmrun:",
    "vmload:",
    "vmsave:",
    "stgi:",
    "clgi:",
    "skinit:",
    "invlpga:",
    "vmmcall:",
    "vmcall:",
    "vmmcall with prefixes:",
    "vmrun with prefixes:",
];

/// Everything the program tries when it is asked for `request`; returns its lines.
fn attempts(machine: &mut Running, request: &str) -> Result<Vec<String>, Failure> {
    machine.expect_com1("hostile: ready", PATIENCE)?;
    machine
        .com1
        .type_text(&format!("{request}\n"))
        .map_err(Failure::file("COM1"))?;
    let text = machine.expect_com1("hostile: end", PATIENCE)?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("hostile: "));
    Ok(lines.map(str::to_owned).collect())
}

fn without_verdict(line: &str) -> &str {
    line.trim_end_matches(": pass").trim_end_matches(": FAIL")
}

/// What the bare machine answers without SVM; the same for every number of CPUs, so told by one run.
fn bare_answers() -> Result<&'static [String], Failure> {
    static ANSWERS: OnceLock<Vec<String>> = OnceLock::new();
    if let Some(answers) = ANSWERS.get() {
        return Ok(answers);
    }
    let machine = Machine::bare(&Program::Hostile.disk()?).with_cpus(Cpu::EpycWithoutSvm, 2);
    let answers = attempts(
        &mut machine.start("hostile-bare")?,
        &format!("bare {CONCEALED_SLOT}"),
    )?;
    Ok(ANSWERS.get_or_init(|| answers))
}

fn gains_nothing(cpu: Cpu, cpus: u8) -> Result<(), Failure> {
    let expected = bare_answers()?;
    let disk = Program::Hostile.disk()?;
    let machine = Machine::under(&appliance()?, &disk).with_cpus(cpu, cpus);
    let mut machine = machine.start(&format!("hostile-{cpu:?}-{cpus}"))?;
    let seen = attempts(&mut machine, &format!("under {CONCEALED_SLOT}"))?;
    none_succeeds(&mut machine, &seen)?;
    for name in REFERENCE {
        let of = |lines: &[String]| {
            let line = lines
                .iter()
                .find(|line| line.starts_with(&format!("hostile: {name}")));
            line.map(|line| without_verdict(line).to_owned())
        };
        assert_same(&mut machine, "as on a CPU without SVM", &of(&seen), &of(expected))?;
    }
    let touched_memory = seen
        .iter()
        .any(|line| line.starts_with("hostile: rep stosb over a page"));
    assert_same(
        &mut machine,
        "the program found the region to attack",
        &touched_memory,
        &true,
    )?;
    asleep(&mut machine)?;
    comes_to_its_end(machine)
}

fn none_succeeds(machine: &mut Running, seen: &[String]) -> Result<(), Failure> {
    let failed: Vec<&String> = seen.iter().filter(|line| line.ends_with("FAIL")).collect();
    assert_same(machine, "no attempt succeeds", &failed, &Vec::new())
}

fn comes_to_its_end(mut machine: Running) -> Result<(), Failure> {
    machine.com1.type_text("none\n").map_err(Failure::file("COM1"))?;
    let ending = machine.wait_end(PATIENCE)?;
    assert_same(&mut machine, "the program comes to its end", &ending, &ALL_PASSED)
}

/// The emulator itself says that the concealed NIC's registers are nowhere, and that it may not reach memory.
fn asleep(machine: &mut Running) -> Result<(), Failure> {
    let devices = machine.monitor("info pci")?;
    let nic: Vec<&str> = devices
        .lines()
        .skip_while(|line| !line.contains("8086:100e"))
        .skip(1)
        .take_while(|line| !line.contains("Bus "))
        .filter(|line| line.contains("BAR"))
        .collect();
    let mapped = nic.iter().filter(|line| !line.contains("0xffffffff")).count();
    assert_same(
        machine,
        &format!("the concealed NIC decodes nothing: {nic:#?}"),
        &(nic.len(), mapped),
        &(2, 0),
    )?;
    let answer = machine.monitor(&format!("xp /1hx {CONCEALED_COMMAND:#x}"))?;
    let command = answer
        .split("0x")
        .nth(1)
        .and_then(|digits| u16::from_str_radix(digits.trim(), 16).ok());
    let enabled = command.map(|command| command & DECODE_AND_MASTER);
    assert_same(
        machine,
        &format!("its command register: {answer}"),
        &enabled,
        &Some(0),
    )
}

#[test]
fn a_hostile_guest_on_one_epyc_cpu_gains_nothing() -> Result<(), Failure> {
    gains_nothing(Cpu::Epyc, 1)
}

#[test]
fn a_hostile_guest_on_two_epyc_cpus_gains_nothing() -> Result<(), Failure> {
    gains_nothing(Cpu::Epyc, 2)
}

#[test]
fn a_hostile_guest_on_two_max_cpus_gains_nothing() -> Result<(), Failure> {
    gains_nothing(Cpu::Max, 2)
}

#[test]
fn what_begins_before_a_disks_data_port_neither_writes_plaintext_nor_reads_ciphertext() -> Result<(), Failure>
{
    let laptop = Laptop::with_program(Program::Hostile, "across", VOLUME_SIZE)?;
    let policy = policy(Controller::Ide)?;
    let laptop = EncryptedLaptop::of(laptop, "across", Controller::Ide, &policy)?;
    let mut machine = laptop.machine().start("hostile-across")?;
    machine.unlock(PASSPHRASE)?;
    let seen = attempts(&mut machine, &format!("across {}", laptop.laptop.system))?;
    none_succeeds(&mut machine, &seen)?;
    comes_to_its_end(machine)?;
    let platter = laptop.laptop.platter()?;
    assert!(!contains(&platter, PHRASE), "plaintext is on the platter");
    Ok(())
}

/// What no machine survives restarts it, inside.
#[test]
fn what_no_machine_survives_restarts_it_inside() -> Result<(), Failure> {
    let machine = Machine::under(&appliance()?, &Program::Hostile.disk()?);
    let mut machine = machine.start("hostile-last")?;
    for attempt in ["init-to-all", "init-to-self", "cr3", "idt"] {
        machine.expect_com1("hostile: ready", PATIENCE)?;
        machine
            .com1
            .type_text(&format!("last {attempt}\n"))
            .map_err(Failure::file("COM1"))?;
        let boot = machine.expect_com1("sekisho: starting", PATIENCE)?;
        let inside = boot.matches(": inside").count();
        assert_same(
            &mut machine,
            &format!("both CPUs are inside after {attempt}"),
            &inside,
            &2,
        )?;
    }
    machine.expect_com1("hostile: ready", PATIENCE)?;
    Ok(())
}
