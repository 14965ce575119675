//! A machine whose only NIC is on a wire: bare, or with the NIC behind a module of the hypervisor.

use crate::appliance::Appliance;
use crate::failure::Failure;
use crate::guest;
use crate::machine::{Machine, Running};
use crate::network::{Network, Wire};

/// The bare machine, with a NIC of this model.
///
/// # Errors
/// [`Failure`] of the network or the guest's disk.
pub fn bare(name: &str, model: &'static str) -> Result<(Machine, Network, Wire), Failure> {
    plugged(name, model, Machine::bare(&guest::linux_disk()?))
}

/// The machine under a hypervisor that drives the NIC as the keys in `rule` say; `more` ends the policy.
///
/// # Errors
/// The same, or of the image.
pub fn under(
    name: &str,
    model: &'static str,
    rule: &str,
    more: &str,
) -> Result<(Machine, Network, Wire), Failure> {
    by_policy(name, model, &policy(model, rule, more))
}

/// The machine under a hypervisor of this policy.
///
/// # Errors
/// The same.
pub fn by_policy(name: &str, model: &'static str, policy: &str) -> Result<(Machine, Network, Wire), Failure> {
    let image = Appliance::from_policy(name, policy)?.disk(name)?;
    plugged(name, model, Machine::under(&image, &guest::linux_disk()?))
}

/// The text of the policy that [`under`] compiles.
#[must_use]
pub fn policy(model: &str, rule: &str, more: &str) -> String {
    let (driver, matching) = driver(model);
    format!(
        "policy = 1\nname = \"wired\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"conceal\"\nother = \"pass\"\n\
         [[device]]\nname = \"wire\"\nmatch = {{ {matching} }}\ndriver = \"{driver}\"\n{rule}\n\
         [log]\nserial = \"com2\"\n[guest]\nstatus = true\n[boot]\nnext = '\\EFI\\debian\\grubx64.efi'\n{more}"
    )
}

/// The hypervisor's driver for a model, and the items that match it.
fn driver(model: &str) -> (&'static str, &'static str) {
    if model.starts_with("i82") {
        ("pro100", "id = \"8086:1209|8086:1229\"")
    } else {
        ("pro1000", "device = \"pro1000\"")
    }
}

/// The guest's first NIC gets an address by DHCP.
///
/// # Errors
/// [`Failure`] where it gets none.
pub fn get_lease(machine: &mut Running, wire: &Wire) -> Result<String, Failure> {
    let script = "printf '#!/bin/sh\\n[ $1 = bound ] && ip address add $ip/24 dev $interface; exit 0\\n' > /lease; \
                  chmod +x /lease";
    machine.run(script)?;
    machine.run("ip link set eth0 up; udhcpc -q -n -t 10 -i eth0 -s /lease")?;
    let text = machine.run("ip -4 -o address show dev eth0")?;
    let network = wire.address(0);
    let network = network.trim_end_matches('0');
    let found = text.split([' ', '/']).find(|word| word.starts_with(network));
    found
        .map(str::to_owned)
        .ok_or_else(|| machine.refute(format!("the guest has no address of {network}0/24:\n{text}")))
}

fn plugged(
    name: &str,
    model: &'static str,
    mut machine: Machine,
) -> Result<(Machine, Network, Wire), Failure> {
    machine.devices.clear();
    let mut network = Network::make(name)?;
    let wire = network.plug(&mut machine, model)?;
    Ok((machine, network, wire))
}
