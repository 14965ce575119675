//! Two NICs in one machine, each with a module and an address of its own; and one NIC under load from both of its users.

use super::{APPLIANCE, PATIENCE, UNTOLD, answers, wait_inside};
use crate::{Failure, assert_same};
use sekisho_system::appliance::Appliance;
use sekisho_system::guest;
use sekisho_system::machine::Machine;
use sekisho_system::network::Network;
use sekisho_system::wired::{self, get_lease};

/// The first is shared, the second the appliance's alone, on a network of its own.
const TWO: &str = r#"
policy = 1
name = "two"
[defaults]
storage = "pass"
network = "conceal"
other = "pass"
[[device]]
name = "shared"
match = { id = "8086:100e" }
driver = "pro1000"
net = "ippass"
ip = "office"
[[device]]
name = "own"
match = { id = "8086:10d3" }
driver = "pro1000"
net = "ip"
ip = "management"
log = true
[ip.office]
address = "198.51.100.7/24"
[ip.management]
address = "198.51.101.8/24"
[syslog]
to = "198.51.101.1"
[echo]
allow = ["198.51.100.0/24", "198.51.101.0/24"]
[log]
serial = "com2"
[guest]
status = true
[boot]
next = '\EFI\debian\grubx64.efi'
"#;
/// The appliance on its own NIC.
const MANAGEMENT: &str = "198.51.101.8";

#[test]
fn two_nics_have_each_their_module_and_address() -> Result<(), Failure> {
    let image = Appliance::from_policy("two", TWO)?.disk("two")?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?);
    machine.devices.clear();
    let mut network = Network::make("two")?;
    let shared = network.plug(&mut machine, "e1000")?;
    network.plug(&mut machine, "e1000e")?;
    network.lease(&shared)?;
    let mut machine = machine.start("two")?;
    wait_inside(&mut machine)?;
    machine.wait_shell()?;
    get_lease(&mut machine, &shared)?;
    for address in [APPLIANCE, MANAGEMENT] {
        answers(&mut machine, &network, address, "the guest has its lease")?;
    }
    let seen = machine.run("ls /sys/class/net")?;
    assert_same(
        &mut machine,
        "the guest's interfaces",
        &seen.split_whitespace().collect::<Vec<_>>(),
        &vec!["eth0", "lo"],
    )?;
    machine.power_off()
}

#[test]
#[ignore = "long: make test-long"]
fn iperf3_in_the_guest_and_a_stream_to_the_appliance_share_a_nic() -> Result<(), Failure> {
    /// MiB that come back from the appliance.
    const STREAM: u32 = 16;
    let (machine, mut network, wire) = wired::under("streams", "e1000e", "net = \"ippass\"", UNTOLD)?;
    network.lease(&wire)?;
    let mut machine = machine.start("streams")?;
    wait_inside(&mut machine)?;
    machine.wait_shell()?;
    get_lease(&mut machine, &wire)?;
    let folder = network.folder().display().to_string();
    guest::write_iperf3(&network.folder().join("iperf3.cpio"))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    network.serve("exec iperf3 -s")?;
    let outside = wire.outside();
    machine.run_within(
        &format!("cd / && wget -q -O - http://{outside}/iperf3.cpio | cpio -idu"),
        PATIENCE,
    )?;
    let sent = network.run(&format!(
        "cd {folder} && head -c {STREAM}M /dev/urandom > file && md5sum < file"
    ))?;
    let stream = network.begin(&format!(
        "socat -t 60 - TCP4:{APPLIANCE}:7 < {folder}/file | md5sum"
    ))?;
    for direction in ["", "-R"] {
        let told = machine.run_within(&format!("iperf3 -c {outside} -t 10 -i 0 {direction}"), PATIENCE)?;
        assert!(told.contains("receiver"), "{told}");
        println!("{told}");
    }
    let back = stream
        .wait_with_output()
        .map_err(Failure::file(network.folder()))?;
    let back = String::from_utf8_lossy(&back.stdout).into_owned();
    assert_same(&mut machine, "what the appliance sent back", &back, &sent)?;
    machine.power_off()
}
