//! A stock Debian kernel boots to a shell on 1, 2 and 4 CPUs, every CPU inside, only the concealed NIC missing.

use crate::{CONCEALED, assert_inside, assert_same, bare, under};
use sekisho_system::failure::Failure;
use sekisho_system::machine::Cpu;
use sekisho_system::report;
use std::time::Duration;

const TAKEOVER_PATIENCE: Duration = Duration::from_secs(90);

fn boots(cpu: Cpu, cpus: u8) -> Result<(), Failure> {
    let mut reference = bare()?
        .with_cpus(cpu, cpus)
        .start(&format!("boot-{cpu:?}-{cpus}-bare"))?;
    reference.wait_shell()?;
    let devices = report::without(&reference.run("lspci -n")?, CONCEALED);
    reference.power_off()?;

    let mut machine = under()?
        .with_cpus(cpu, cpus)
        .start(&format!("boot-{cpu:?}-{cpus}"))?;
    for number in 0..cpus {
        machine.expect_com1(&format!("sekisho: CPU {number}: inside"), TAKEOVER_PATIENCE)?;
    }
    machine.wait_shell()?;
    assert_inside(&mut machine, cpus)?;
    let seen: Vec<String> = report::without(&machine.run("lspci -n")?, "no such device");
    assert_same(
        &mut machine,
        "lspci misses the concealed NIC and nothing else",
        &seen,
        &devices,
    )?;
    machine.power_off()
}

#[test]
fn linux_boots_on_one_epyc_cpu() -> Result<(), Failure> {
    boots(Cpu::Epyc, 1)
}

#[test]
fn linux_boots_on_two_epyc_cpus() -> Result<(), Failure> {
    boots(Cpu::Epyc, 2)
}

#[test]
fn linux_boots_on_four_epyc_cpus() -> Result<(), Failure> {
    boots(Cpu::Epyc, 4)
}

#[test]
fn linux_boots_on_one_max_cpu() -> Result<(), Failure> {
    boots(Cpu::Max, 1)
}

#[test]
fn linux_boots_on_two_max_cpus() -> Result<(), Failure> {
    boots(Cpu::Max, 2)
}

#[test]
fn linux_boots_on_four_max_cpus() -> Result<(), Failure> {
    boots(Cpu::Max, 4)
}
