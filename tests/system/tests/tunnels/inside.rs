//! What the guest finds: every NIC that Linux drives, IPv6 with no setting, and two tunnels that know nothing of each other.

use super::{assert_same, exchange};
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::Machine;
use sekisho_system::network::Network;
use sekisho_system::record::Expected;
use sekisho_system::tunneled::{
    self, APPLIANCE, FAR, GUEST6, Guest, INSIDE, INSIDE6, PORT, Plan, Server, Tunneled, boot, lease,
    private_key,
};
use sekisho_system::wired;
use std::net::Ipv4Addr;

/// MiB.
const LITTLE: u32 = 2;

#[test]
fn an_e1000e_leads_through_a_tunnel() -> Result<(), Failure> {
    leads("tunnel-e1000e", "e1000e")
}

#[test]
fn an_i82559er_leads_through_a_tunnel() -> Result<(), Failure> {
    leads("tunnel-i82559er", "i82559er")
}

fn leads(name: &str, model: &'static str) -> Result<(), Failure> {
    let plan = Plan {
        name,
        model,
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let mut machine = scene.machine.start(name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    let far = tunneled::far_hardware(&scene.network, &scene.wire)?;
    machine.run(&format!("agent frames eth0 {far}"))?;
    exchange(&mut machine, &mut scene.network, LITTLE)?;
    machine.power_off()?;
    scene.judge(&[]).map(|_| ())
}

#[test]
fn ipv6_needs_no_setting() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-ipv6",
        guest: Guest::NetworkTools,
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let folder = scene.network.folder().display().to_string();
    let sent = scene.network.run(&format!(
        "cd {folder} && head -c {LITTLE}M /dev/urandom > file && md5sum < file"
    ))?;
    scene
        .network
        .serve(&format!("exec busybox httpd -f -p [{INSIDE6}]:80 -h {folder}"))?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    machine.run(
        "printf '#!/bin/sh\\n[ -z \"$new_ip6_address\" ] || ip address add $new_ip6_address/128 dev $interface\\n' > /bound6; \
         chmod +x /bound6; mkdir -p /var/lib/dhcp /run /var/run; ip link set eth0 up; sleep 3",
    )?;
    machine.run("dhclient -6 -1 -sf /bound6 -lf /leases -pf /pid eth0")?;
    // Until nobody else is known to have it, Linux sends from its link-local address instead.
    machine.run("while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.2; done")?;
    let addresses = machine.run("ip -6 -o address show dev eth0 scope global | awk '{print $4}'")?;
    assert_same(
        &mut machine,
        "the guest's addresses",
        addresses.trim(),
        &format!("{GUEST6}/128"),
    )?;
    let got = machine.run(&format!("wget -q -O - 'http://[{INSIDE6}]/file' | md5sum"))?;
    assert_same(&mut machine, "the file", got.trim(), sent.trim())?;
    machine.power_off()?;
    scene.judge(&[]).map(|_| ())
}

#[test]
fn two_nics_have_a_tunnel_each_and_neither_sees_the_others() -> Result<(), Failure> {
    const NAME: &str = "tunnel-two";
    const SECOND_INSIDE: &str = "10.77.0.1";
    const SECOND_GUEST: &str = "10.77.0.2";
    let second_own = Ipv4Addr::new(198, 51, 101, 7);
    let second_far = Ipv4Addr::new(198, 51, 101, 1);
    let [ours, theirs] = [0x11, 0x22].map(|byte| private_key("hq", byte));
    let [second_ours, second_theirs] = [0x33, 0x44].map(|byte| private_key("lab", byte));
    let text = wired::policy(
        "e1000",
        "net = \"vpn\"\ntunnel = \"hq\"",
        &format!(
            "[[device]]\nname = \"second\"\nmatch = {{ id = \"8086:1209\" }}\ndriver = \"pro100\"\nnet = \"vpn\"\n\
             tunnel = \"lab\"\nip = \"second\"\n[ip]\naddress = \"{APPLIANCE}/24\"\n[ip.second]\naddress = \"{second_own}/24\"\n{}{}",
            tunneled::table("hq", &[tunneled::GUEST], &theirs, &format!("{FAR}:{PORT}")),
            tunneled::table(
                "lab",
                &[SECOND_GUEST],
                &second_theirs,
                &format!("{second_far}:51821")
            ),
        ),
    );
    let first = Server::new(
        "tun-two-a",
        &theirs,
        &ours,
        [INSIDE, INSIDE6],
        [tunneled::GUEST, GUEST6],
    );
    let addresses = [[SECOND_INSIDE, "fd77::1"], [SECOND_GUEST, "fd77::2"]];
    let mut second = Server::new(
        "tun-two-b",
        &second_theirs,
        &second_ours,
        addresses[0],
        addresses[1],
    );
    second.port = 51821;
    let image = tunneled::image(NAME, &text, vec![ours, second_ours])?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?);
    machine.devices.clear();
    let mut network = Network::make(NAME)?;
    let wires = [
        network.plug(&mut machine, "e1000")?,
        network.plug(&mut machine, "i82559er")?,
    ];
    for server in [&first, &second] {
        server.start(&mut network)?;
    }
    let mut machine = machine.start(NAME)?;
    boot(&mut machine)?;
    // Which of them Linux found first is its own affair.
    let names = machine.run("for nic in eth0 eth1; do cat /sys/class/net/$nic/address; done")?;
    let [e1000, other] = if names.trim().starts_with(&wires[0].hardware()) {
        ["eth0", "eth1"]
    } else {
        ["eth1", "eth0"]
    };
    for (nic, address) in [(e1000, tunneled::GUEST), (other, SECOND_GUEST)] {
        let told = lease(&mut machine, nic)?;
        if !told.contains(&format!("leased {address} ")) {
            return Err(machine.refute(format!("{nic} was not leased {address}:\n{told}")));
        }
    }
    for (nic, there) in [(e1000, INSIDE), (other, SECOND_INSIDE)] {
        machine.run(&format!("ping -c 5 -W 5 -I {nic} {there}"))?;
    }
    // One tunnel's end is not the other's.
    second.stop(&network)?;
    machine.run(&format!("! ping -c 2 -W 1 -I {other} {SECOND_INSIDE}"))?;
    machine.run(&format!("ping -c 3 -W 5 -I {e1000} {INSIDE}"))?;
    machine.power_off()?;
    for (wire, own, to) in [
        (&wires[0], APPLIANCE, (FAR, PORT)),
        (&wires[1], second_own, (second_far, 51821)),
    ] {
        let count = tunneled::judge(&network, wire, &Expected { own, to: vec![to] })?;
        assert!(count > 3, "each has a tunnel: {count}");
    }
    Ok(())
}
