//! A NIC behind a module of ours is the guest's own to its driver: it gets its lease and moves data both ways.

use super::*;
use sekisho_system::network::{Network, Wire};
use std::time::Duration;

/// MiB that go each way.
const SIZE: u32 = 200;
/// For those, under emulation.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn a_passed_e1000_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass", "e1000", "net = \"pass\"")
}

#[test]
fn a_passed_e1000e_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass", "e1000e", "net = \"pass\"")
}

/// The guest gets a lease, downloads a file and sends it back; what arrives is what was sent, both times.
fn moves_data(name: &str, model: &'static str, net: &str) -> Result<(), Failure> {
    let name = format!("{name}-{model}");
    let (machine, mut network, wire) = wired(&name, model, net, "")?;
    network.lease(&wire)?;
    let mut machine = machine.start(&name)?;
    machine.wait_shell()?;
    let address = get_lease(&mut machine, &wire)?;
    network.run(&format!("busybox ping -c 3 -W 5 {address}"))?;
    let (folder, outside) = (network.folder().display().to_string(), wire.outside());
    let sent = network.run(&format!(
        "cd {folder} && head -c {SIZE}M /dev/urandom > file && md5sum < file"
    ))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    let received = machine.run_within(
        &format!("wget -q -O /tmp/file http://{outside}/file && md5sum < /tmp/file"),
        PATIENCE,
    )?;
    assert_same(&mut machine, "what the guest downloaded", &received, &sent)?;
    machine.run("httpd -p 80 -h /tmp")?;
    let back = network.run(&format!("busybox wget -q -O - http://{address}/file | md5sum"))?;
    assert_same(&mut machine, "what the guest sent back", &back, &sent)?;
    machine.power_off()
}

/// A machine whose only NIC is on a wire and behind the driver `pro1000` with `net`; `more` ends the policy.
fn wired(
    name: &str,
    model: &'static str,
    net: &str,
    more: &str,
) -> Result<(Machine, Network, Wire), Failure> {
    let policy = format!(
        "policy = 1\nname = \"wired\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"conceal\"\nother = \"pass\"\n\
         [[device]]\nname = \"wire\"\nmatch = {{ device = \"pro1000\" }}\ndriver = \"pro1000\"\n{net}\n\
         [log]\nserial = \"com2\"\n[guest]\nstatus = true\n[boot]\nnext = '\\EFI\\debian\\grubx64.efi'\n{more}"
    );
    let image = Appliance::from_policy(name, &policy)?.disk(name)?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?);
    machine.devices.clear();
    let mut network = Network::make(name)?;
    let wire = network.plug(&mut machine, model)?;
    Ok((machine, network, wire))
}

/// The guest's first NIC gets an address by DHCP.
fn get_lease(machine: &mut Running, wire: &Wire) -> Result<String, Failure> {
    let script = "printf '#!/bin/sh\\n[ $1 = bound ] && ip address add $ip/24 dev $interface; exit 0\\n' > /tmp/lease; \
                  chmod +x /tmp/lease";
    machine.run(script)?;
    machine.run("ip link set eth0 up; udhcpc -q -n -t 10 -i eth0 -s /tmp/lease")?;
    let text = machine.run("ip -4 -o address show dev eth0")?;
    let network = wire.address(0);
    let network = network.trim_end_matches('0');
    let found = text.split([' ', '/']).find(|word| word.starts_with(network));
    found
        .map(str::to_owned)
        .ok_or_else(|| machine.refute(format!("the guest has no address of {network}0/24:\n{text}")))
}
