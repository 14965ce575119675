//! Every CPU stays inside: after offline and online, after kexec.

use crate::{assert_inside, assert_same, bare, under};
use sekisho_system::failure::Failure;
use sekisho_system::machine::{Cpu, Running};

const CPUS: u8 = 4;

/// Takes every CPU but the first offline and back; returns what the kernel said on the way.
pub(crate) fn cycle_cpus(machine: &mut Running) -> Result<String, Failure> {
    for number in 1..CPUS {
        machine.run(&format!("echo 0 > /sys/devices/system/cpu/cpu{number}/online"))?;
    }
    let alone = machine.run("cat /sys/devices/system/cpu/online")?;
    for number in 1..CPUS {
        machine.run(&format!("echo 1 > /sys/devices/system/cpu/cpu{number}/online"))?;
    }
    Ok(alone + &machine.run("cat /sys/devices/system/cpu/online")?)
}

#[test]
fn cpus_taken_offline_come_back_inside() -> Result<(), Failure> {
    let mut reference = bare()?.with_cpus(Cpu::Epyc, CPUS).start("offline-bare")?;
    reference.wait_shell()?;
    let expected = cycle_cpus(&mut reference)?;
    reference.power_off()?;

    let mut machine = under()?.with_cpus(Cpu::Epyc, CPUS).start("offline")?;
    machine.wait_shell()?;
    for _ in 0..3 {
        let seen = cycle_cpus(&mut machine)?;
        assert_same(
            &mut machine,
            "CPUs go and come as on the bare machine",
            &seen,
            &expected,
        )?;
        assert_inside(&mut machine, CPUS)?;
    }
    machine.power_off()
}

/// Loads the running kernel anew and starts it without the firmware.
fn kexec(machine: &mut Running) -> Result<String, Failure> {
    // The guest's root is not kept after boot: the second kernel gets a copy made of the running one.
    machine
        .run("cd / && find bin sbin usr lib lib64 init -print | cpio -o -H newc > /tmp/root 2>/dev/null")?;
    machine.run("kexec -s -l /vmlinuz --initrd=/tmp/root --reuse-cmdline")?;
    machine.give_last("kexec -e")?;
    machine.wait_shell()?;
    machine.run("cat /sys/devices/system/cpu/online; lspci -n")
}

#[test]
fn every_cpu_is_inside_after_kexec() -> Result<(), Failure> {
    let mut reference = bare()?.start("kexec-bare")?;
    reference.wait_shell()?;
    let expected = kexec(&mut reference)?;
    reference.power_off()?;
    let expected: Vec<&str> = expected
        .lines()
        .filter(|line| !line.contains(crate::CONCEALED))
        .collect();

    let mut machine = under()?.start("kexec")?;
    machine.wait_shell()?;
    let seen = kexec(&mut machine)?;
    let seen: Vec<&str> = seen.lines().collect();
    assert_same(
        &mut machine,
        "CPUs and devices after kexec are as on the bare machine",
        &seen,
        &expected,
    )?;
    assert_inside(&mut machine, 2)?;
    machine.power_off()
}
