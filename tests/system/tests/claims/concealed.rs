//! The concealed device stays away: behind bridges, after rescans, hot resets and rewritten bridge windows, and as
//! function 0 of a device whose other functions stay.

use crate::{CONCEALED, appliance, assert_same};
use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use sekisho_system::report;

/// Bus 0: a root port with the NIC to conceal behind it, and one that is passed.
const BEHIND_A_PORT: [&str; 3] = [
    "pcie-root-port,id=root0,chassis=1,addr=04.0",
    "e1000,romfile=,bus=root0,addr=00.0",
    "e1000e,romfile=,addr=05.0",
];
/// The same behind a conventional bridge.
const BEHIND_A_BRIDGE: [&str; 3] = [
    "pci-bridge,id=bridge,chassis_nr=1,addr=04.0",
    "e1000,romfile=,bus=bridge,addr=03.0",
    "e1000e,romfile=,addr=05.0",
];
/// One device of two functions; the first is concealed.
const TWO_FUNCTIONS: [&str; 2] = [
    "e1000,romfile=,addr=05.0,multifunction=on",
    "e1000e,romfile=,addr=05.1",
];

fn with_devices(mut machine: Machine, devices: &[&str]) -> Machine {
    machine.devices = devices.iter().map(|device| (*device).to_owned()).collect();
    machine
}

fn devices(machine: &mut Running) -> Result<Vec<String>, Failure> {
    Ok(report::without(&machine.run("lspci -n")?, "no such device"))
}

/// Rescans, resets behind `bridge` and writes its windows anew; the list of devices does not change.
fn stays_hidden(name: &str, layout: &[&str], bridge: &str) -> Result<(), Failure> {
    let disk = guest::linux_disk()?;
    let mut reference = with_devices(Machine::bare(&disk), layout).start(&format!("{name}-bare"))?;
    reference.wait_shell()?;
    let all = reference.run("lspci -n")?;
    assert_same(
        &mut reference,
        "the NIC is there on the bare machine",
        &all.contains(CONCEALED),
        &true,
    )?;
    let expected = report::without(&all, CONCEALED);
    reference.power_off()?;

    let mut machine = with_devices(Machine::under(&appliance()?, &disk), layout).start(name)?;
    machine.wait_shell()?;
    let seen = devices(&mut machine)?;
    assert_same(
        &mut machine,
        "the NIC is missing from the start",
        &seen,
        &expected,
    )?;
    for command in [
        "echo 1 > /sys/bus/pci/rescan".to_owned(),
        // Memory windows: all of the space below the configuration window, then as before by the kernel's rescan.
        format!("setpci -s {bridge} MEMORY_BASE=0000 MEMORY_LIMIT=fff0; echo 1 > /sys/bus/pci/rescan"),
        format!("setpci -s {bridge} SECONDARY_BUS=40 SUBORDINATE_BUS=4f; echo 1 > /sys/bus/pci/rescan"),
        // Hot reset: bit 6 of bridge control, held and released.
        format!("setpci -s {bridge} BRIDGE_CONTROL=40:40; setpci -s {bridge} BRIDGE_CONTROL=0:40; sleep 1"),
        "echo 1 > /sys/bus/pci/rescan".to_owned(),
    ] {
        machine.run(&command)?;
        let seen = machine.run("lspci -n")?;
        assert_same(
            &mut machine,
            &format!("still missing after {command}"),
            &seen.contains(CONCEALED),
            &false,
        )?;
    }
    machine.run("for bus in 00 01 02 40 41; do lspci -H1 -n -s $bus: ; done; lspci -n")?;
    machine.power_off()
}

#[test]
fn a_nic_behind_a_root_port_stays_hidden() -> Result<(), Failure> {
    stays_hidden("root-port", &BEHIND_A_PORT, "00:04.0")
}

#[test]
fn a_nic_behind_a_bridge_stays_hidden() -> Result<(), Failure> {
    stays_hidden("bridge", &BEHIND_A_BRIDGE, "00:04.0")
}

#[test]
fn a_concealed_function_0_leaves_a_placeholder_for_its_siblings() -> Result<(), Failure> {
    let machine = Machine::under(&appliance()?, &guest::linux_disk()?);
    let mut machine = with_devices(machine, &TWO_FUNCTIONS).start("placeholder")?;
    machine.wait_shell()?;
    let seen = machine.run("lspci -n -s 00:05")?;
    let functions: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_same(
        &mut machine,
        &format!("an inert placeholder and the NIC:\n{seen}"),
        &functions,
        &vec!["ff00:", "0200:"],
    )?;
    assert_same(
        &mut machine,
        "the concealed NIC's identity is gone",
        &seen.contains(CONCEALED),
        &false,
    )?;
    let space = machine.run("setpci -s 00:05.0 HEADER_TYPE.b BASE_ADDRESS_0.l COMMAND.w")?;
    let values: Vec<&str> = space.split_whitespace().collect();
    assert_same(
        &mut machine,
        "multi-function, no BARs, nothing decoded",
        &values,
        &vec!["80", "00000000", "0000"],
    )?;
    let driver = machine.run("readlink /sys/bus/pci/devices/0000:00:05.1/driver")?;
    assert_same(
        &mut machine,
        "its sibling works",
        &driver.trim().ends_with("e1000e"),
        &true,
    )?;
    machine.power_off()
}

#[test]
fn a_device_with_the_driver_none_is_left_alone() -> Result<(), Failure> {
    let text = r#"
policy = 1
name = "left-alone"
[defaults]
storage = "pass"
network = "conceal"
other = "pass"
[[device]]
name = "kept"
match = { id = "8086:100e" }
driver = "none"
[log]
serial = "com2"
[boot]
next = '\EFI\debian\grubx64.efi'
[guest]
status = true
"#;
    let image = Appliance::from_policy("left-alone", text)?.disk("left-alone")?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?).start("left-alone")?;
    machine.wait_shell()?;
    let seen = machine.run("lspci -n")?;
    assert_same(
        &mut machine,
        "the NIC of the rule is there",
        &seen.contains(CONCEALED),
        &true,
    )?;
    assert_same(
        &mut machine,
        "the other NIC is concealed by default",
        &seen.contains("8086:10d3"),
        &false,
    )?;
    machine.power_off()
}
