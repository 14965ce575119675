//! What cannot be protected is not booted: a sentence on the console says why, and what to do.

use crate::{POLICY, appliance};
use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Cpu, Machine};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);
/// Less than the last section, which is the seal.
const SHORTENED_BY: usize = 600;

fn refuses(name: &str, machine: &Machine, sentence: &str) -> Result<(), Failure> {
    let mut machine = machine.start(name)?;
    machine.expect_com1("refused to boot", PATIENCE)?;
    machine.expect_com1(sentence, PATIENCE)?;
    machine.expect_com1("what to do", PATIENCE)?;
    Ok(())
}

fn machine(cpu: Cpu) -> Result<Machine, Failure> {
    Ok(Machine::under(&appliance()?, &guest::linux_disk()?).with_cpus(cpu, 2))
}

#[test]
fn a_cpu_without_amd_v_is_refused() -> Result<(), Failure> {
    refuses(
        "no-svm",
        &machine(Cpu::EpycWithoutSvm)?,
        "this CPU has no AMD-V (SVM)",
    )
}

#[test]
fn a_cpu_without_nested_paging_is_refused() -> Result<(), Failure> {
    refuses("no-npt", &machine(Cpu::EpycWithoutNestedPaging)?, "nested paging")
}

/// Boots an application that is not as it was built.
fn damaged(name: &str, damage: impl Fn(&mut Vec<u8>) -> Option<()>, sentence: &str) -> Result<(), Failure> {
    let mut bytes = Appliance::example(POLICY)?.application().to_vec();
    damage(&mut bytes).ok_or_else(|| Failure::Tool {
        command: name.to_owned(),
        output: "the application is too short to be damaged".to_owned(),
    })?;
    let disk = Appliance::damaged(bytes).disk(name)?;
    refuses(name, &Machine::under(&disk, &guest::linux_disk()?), sentence)
}

/// Flips one bit in the middle of the section called `section`.
fn flip(bytes: &mut [u8], section: &str) -> Option<()> {
    let sections = sekisho_image::sections::read(bytes).ok()?;
    let found = sections.iter().find(|found| found.name == section)?;
    let start = bytes
        .windows(found.bytes.len())
        .position(|window| window == found.bytes)?;
    *bytes.get_mut(start + found.bytes.len() / 2)? ^= 0x10;
    Some(())
}

#[test]
fn a_flipped_bit_in_the_hypervisor_is_refused() -> Result<(), Failure> {
    damaged("flip-hypervisor", |bytes| flip(bytes, ".hvimg"), ".hvimg")
}

#[test]
fn a_flipped_bit_in_the_policy_is_refused() -> Result<(), Failure> {
    damaged("flip-policy", |bytes| flip(bytes, ".policy"), ".policy")
}

/// The firmware reads the headers first and does not start what is shorter than they say.
#[test]
fn a_shortened_image_is_refused_by_the_firmware() -> Result<(), Failure> {
    let mut bytes = Appliance::example(POLICY)?.application().to_vec();
    bytes.truncate(bytes.len() - SHORTENED_BY);
    let disk = Appliance::damaged(bytes).disk("shortened")?;
    let mut machine = Machine::under(&disk, &guest::linux_disk()?).start("shortened")?;
    let before = machine.expect_com1("failed to load Boot0001", PATIENCE)?;
    if before.contains("sekisho: ") {
        return Err(machine.refute("the loader ran"));
    }
    Ok(())
}
