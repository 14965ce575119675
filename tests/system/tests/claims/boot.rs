//! A stock Debian kernel boots to a shell on 1, 2 and 4 CPUs, every CPU inside, only the concealed NIC missing.

use crate::{CONCEALED, assert_inside, assert_same, bare, under};
use sekisho_system::failure::Failure;
use sekisho_system::machine::Cpu;
use sekisho_system::report;
use std::sync::OnceLock;
use std::time::Duration;

const TAKEOVER_PATIENCE: Duration = Duration::from_secs(90);

/// Devices in the hypervisor's log: class, identity, drivers that fit, the driver taken, and the policy's line.
const LISTED: [&str; 3] = [
    "[00:01.0] 020000: 8086:100E (pro1000) conceal by first-light.toml:10 second-nic",
    "[00:02.0] 020000: 8086:10D3 (pro1000)",
    "[00:1F.2] 010601: 8086:2922 (ahci)",
];

/// The bare machine's devices without the one to conceal; the same for every CPU, so told by one boot.
fn bare_devices() -> Result<&'static [String], Failure> {
    static DEVICES: OnceLock<Vec<String>> = OnceLock::new();
    if let Some(devices) = DEVICES.get() {
        return Ok(devices);
    }
    let mut reference = bare()?.start("boot-bare")?;
    reference.wait_shell()?;
    let all = reference.run("lspci -n")?;
    assert_same(
        &mut reference,
        "the bare machine has the NIC to conceal",
        &all.contains(CONCEALED),
        &true,
    )?;
    reference.power_off()?;
    Ok(DEVICES.get_or_init(|| report::without(&all, CONCEALED)))
}

fn boots(cpu: Cpu, cpus: u8) -> Result<(), Failure> {
    let expected = bare_devices()?;
    let mut machine = under()?
        .with_cpus(cpu, cpus)
        .start(&format!("boot-{cpu:?}-{cpus}"))?;
    let takeover = machine.expect_com1("sekisho: starting", TAKEOVER_PATIENCE)?;
    for number in 0..cpus {
        let told = takeover.contains(&format!("sekisho: CPU {number}: inside"));
        assert_same(
            &mut machine,
            &format!("CPU {number} is inside right after takeover"),
            &told,
            &true,
        )?;
    }
    machine.wait_shell()?;
    assert_inside(&mut machine, cpus)?;
    for line in LISTED {
        let told = machine.com2.text().contains(line);
        assert_same(&mut machine, &format!("the log lists {line}"), &told, &true)?;
    }
    let seen = report::without(&machine.run("lspci -n")?, "no such device");
    assert_same(
        &mut machine,
        "lspci misses the concealed NIC and nothing else",
        &seen.as_slice(),
        &expected,
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
#[ignore = "long: make test-long"]
fn linux_boots_on_one_max_cpu() -> Result<(), Failure> {
    boots(Cpu::Max, 1)
}

#[test]
#[ignore = "long: make test-long"]
fn linux_boots_on_two_max_cpus() -> Result<(), Failure> {
    boots(Cpu::Max, 2)
}

#[test]
fn linux_boots_on_four_max_cpus() -> Result<(), Failure> {
    boots(Cpu::Max, 4)
}
