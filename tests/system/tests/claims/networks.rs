//! A NIC behind a module of ours is the guest's own to its driver: it gets its lease and moves data both ways. The
//! appliance answers beside it, and what is cut is silent.

mod assault;
mod judges;
mod several;
mod tunnel;

use super::*;
use sekisho_system::network::{Network, Wire};
use sekisho_system::record::{MARK, frames};
use sekisho_system::tunneled::far_hardware;
use sekisho_system::wired::{self, get_lease};
use std::collections::BTreeSet;
use std::time::Duration;
use tunnel::drive_by_hand;

/// MiB that go each way, unless the environment's `SIZE` says more.
const SIZE: u32 = 32;
/// For those, under emulation.
const PATIENCE: Duration = Duration::from_secs(300);

/// The appliance's own address, and where its log goes.
const OWN: &str = "[ip]\naddress = \"198.51.100.7/24\"\n[syslog]\nto = \"198.51.100.1\"\n\
                   [echo]\nallow = [\"198.51.100.0/24\"]\n";
/// The same address, on a NIC whose driver carries no log.
const UNTOLD: &str = "[ip]\naddress = \"198.51.100.7/24\"\n[echo]\nallow = [\"198.51.100.0/24\"]\n";
const APPLIANCE: &str = "198.51.100.7";
/// The destination of messages (RFC 5426, 3.3).
const SYSLOG_PORT: u16 = 514;
/// Requests while data moves, and answers at least: the NIC has 64 buffers for all that comes, so one may get lost.
const REQUESTS: usize = 30;
const ANSWERS: usize = 27;
/// From power-on to the first CPU inside.
const TAKEOVER: Duration = Duration::from_secs(120);

#[test]
#[ignore = "long: make test-long"]
fn a_passed_e1000_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass-e1000", "e1000", "net = \"pass\"")
}

#[test]
fn a_passed_e1000e_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass-e1000e", "e1000e", "net = \"pass\"")
}

#[test]
#[ignore = "long: make test-long"]
fn a_passed_i82557b_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass-i82557b", "i82557b", "net = \"pass\"")
}

#[test]
fn a_passed_i82559er_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass-i82559er", "i82559er", "net = \"pass\"")
}

#[test]
#[ignore = "long: make test-long"]
fn a_passed_i82562_moves_what_the_guest_sends_and_receives() -> Result<(), Failure> {
    moves_data("pass-i82562", "i82562", "net = \"pass\"")
}

#[test]
fn a_shared_nic_is_the_guests_and_the_appliances_at_once() -> Result<(), Failure> {
    let (machine, mut network, wire) = wired::under("shared", "e1000", "net = \"ippass\"\nlog = true", OWN)?;
    network.lease(&wire)?;
    let mut machine = machine.start("shared")?;
    wait_inside(&mut machine)?;
    answers(&mut machine, &network, APPLIANCE, "the guest is in its firmware")?;
    machine.wait_shell()?;
    answers(&mut machine, &network, APPLIANCE, "its driver has not begun")?;
    exchange(&mut machine, &mut network, &wire)?;
    machine.run("for cpu in 0 1; do (while :; do :; done) & done")?;
    answers(&mut machine, &network, APPLIANCE, "the guest is busy")?;
    machine.run("kill $(jobs -p); ip link set eth0 down")?;
    answers(
        &mut machine,
        &network,
        APPLIANCE,
        "its driver has let go of the NIC",
    )?;
    let strange = machine.run("dmesg | grep -c 'NMI received'; true")?;
    assert_same(
        &mut machine,
        "NMIs that were not the guest's",
        &strange.trim(),
        &"0",
    )?;
    machine.power_off()?;
    let record = std::fs::read(&wire.record).map_err(Failure::file(&wire.record))?;
    let messages: Vec<String> = frames(&record)
        .filter(|frame| frame.get(36..38) == Some(&SYSLOG_PORT.to_be_bytes()))
        .map(|frame| String::from_utf8_lossy(frame).into_owned())
        .collect();
    for (index, message) in messages.iter().enumerate() {
        let number = format!("sequenceId=\"{}\"", index + 1);
        assert!(message.contains(&number), "{number} is missing: {message}");
    }
    for event in ["H0101", "H0102", "H0201"] {
        let told = messages.iter().any(|message| message.contains(event));
        assert!(told, "no message about {event} in {}", messages.len());
    }
    Ok(())
}

#[test]
fn a_shared_i82559er_answers_while_the_guest_moves_data() -> Result<(), Failure> {
    let (machine, mut network, wire) =
        wired::under("shared-i82559er", "i82559er", "net = \"ippass\"", UNTOLD)?;
    network.lease(&wire)?;
    let mut machine = machine.start("shared-i82559er")?;
    wait_inside(&mut machine)?;
    answers(&mut machine, &network, APPLIANCE, "the guest is in its firmware")?;
    machine.wait_shell()?;
    answers(&mut machine, &network, APPLIANCE, "its driver has not begun")?;
    let pings = network.begin(&format!("busybox ping -c {REQUESTS} -W 5 {APPLIANCE}"))?;
    exchange(&mut machine, &mut network, &wire)?;
    let pings = pings.wait_with_output();
    let pings = pings.map_err(Failure::file(network.folder()))?;
    let told = String::from_utf8_lossy(&pings.stdout).into_owned();
    if told.matches("bytes from").count() < ANSWERS {
        return Err(machine.refute(format!("while the guest moved data:\n{told}")));
    }
    machine.run("ip link set eth0 down")?;
    answers(
        &mut machine,
        &network,
        APPLIANCE,
        "its driver has let go of the NIC",
    )?;
    machine.power_off()
}

#[test]
fn the_appliances_own_e1000e_answers_and_does_not_exist_for_the_guest() -> Result<(), Failure> {
    is_the_appliances("e1000e", "8086:10d3", "net = \"ip\"\nlog = true", OWN)
}

#[test]
#[ignore = "long: make test-long"]
fn the_appliances_own_i82559er_answers_and_does_not_exist_for_the_guest() -> Result<(), Failure> {
    is_the_appliances("i82559er", "8086:1209", "net = \"ip\"", UNTOLD)
}

#[test]
fn a_cut_e1000_sends_nothing_whatever_the_guest_tries() -> Result<(), Failure> {
    is_silent("e1000")
}

#[test]
#[ignore = "long: make test-long"]
fn a_cut_i82559er_sends_nothing_whatever_the_guest_tries() -> Result<(), Failure> {
    is_silent("i82559er")
}

#[test]
fn a_concealed_e1000_sends_nothing_from_takeover_to_power_off() -> Result<(), Failure> {
    let name = "concealed-wire";
    let policy = wired::policy("e1000", "", "").replace("driver = \"pro1000\"", "driver = \"conceal\"");
    let (machine, mut network, wire) = wired::by_policy(name, "e1000", &policy)?;
    network.lease(&wire)?;
    let mut machine = machine.start(name)?;
    machine.wait_shell()?;
    let seen = machine.run("echo 1 > /sys/bus/pci/rescan; lspci -n; ls /sys/class/net")?;
    if seen.contains("8086:100e") || seen.contains("eth") {
        return Err(machine.refute(format!("the guest sees a NIC:\n{seen}")));
    }
    only_the_far_end_spoke(machine, &network, &wire)
}

/// A NIC of this model, of which lspci tells by `id`, is the appliance's alone.
fn is_the_appliances(model: &'static str, id: &str, rule: &str, more: &str) -> Result<(), Failure> {
    let name = format!("own-{model}");
    let (machine, network, _) = wired::under(&name, model, rule, more)?;
    let mut machine = machine.start(&name)?;
    wait_inside(&mut machine)?;
    answers(&mut machine, &network, APPLIANCE, "the guest is in its firmware")?;
    machine.wait_shell()?;
    answers(&mut machine, &network, APPLIANCE, "the guest is halted")?;
    let devices = machine.run("lspci -n")?;
    if devices.contains(id) {
        return Err(machine.refute(format!("the guest sees the appliance's NIC:\n{devices}")));
    }
    machine.power_off()
}

/// From a NIC of this model, cut, nothing of the guest's leaves.
fn is_silent(model: &'static str) -> Result<(), Failure> {
    let name = format!("cut-{model}");
    let (machine, mut network, wire) = wired::under(&name, model, "net = \"null\"", "")?;
    network.lease(&wire)?;
    let mut machine = machine.start(&name)?;
    machine.wait_shell()?;
    let link = machine.run("ip link set eth0 up; sleep 2; cat /sys/class/net/eth0/carrier")?;
    assert_same(&mut machine, "the link", &link.trim(), &"0")?;
    machine.run("udhcpc -q -n -t 2 -T 1 -i eth0; true")?;
    machine.run("ip address add 198.51.100.9/24 dev eth0; arping -c 2 -I eth0 198.51.100.1; true")?;
    let far = far_hardware(&network, &wire)?;
    machine.run(&format!("agent frames eth0 {far}; true"))?;
    if model == "e1000" {
        drive_by_hand(&mut machine, model)?;
    }
    only_the_far_end_spoke(machine, &network, &wire)
}

/// Asks for the guest from outside, powers off, and looks at all that was on the wire since power-on.
fn only_the_far_end_spoke(mut machine: Running, network: &Network, wire: &Wire) -> Result<(), Failure> {
    network.run("busybox ping -c 2 -W 1 198.51.100.9; true")?;
    machine.power_off()?;
    let record = std::fs::read(&wire.record).map_err(Failure::file(&wire.record))?;
    let named = |bytes: &[u8]| -> Vec<_> { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let sources: BTreeSet<_> = frames(&record)
        .map(|frame| named(frame.get(6..12).unwrap_or_default()).join(":"))
        .collect();
    assert_eq!(
        sources,
        BTreeSet::from([far_hardware(network, wire)?.trim().to_owned()])
    );
    assert!(frames(&record).all(|frame| !frame.windows(MARK.len()).any(|bytes| bytes == MARK)));
    Ok(())
}

/// The hypervisor runs; the firmware goes on as guest.
fn wait_inside(machine: &mut Running) -> Result<(), Failure> {
    match machine.com2.wait_for("CPU 0 inside", TAKEOVER) {
        Ok(_) => Ok(()),
        Err(_) => Err(machine.refute("CPU 0 did not enter")),
    }
}

/// The appliance answers at `address` from outside: ping, and its echo service by TCP and UDP.
fn answers(machine: &mut Running, network: &Network, address: &str, when: &str) -> Result<(), Failure> {
    const TEXT: &str = "told and told again";
    let failed = |machine: &mut Running, failure| machine.refute(format!("while {when}: {failure:?}"));
    let answered = network.run(&format!("busybox ping -c 3 -W 5 {address}"));
    answered.map_err(|failure| failed(machine, failure))?;
    for protocol in ["TCP4", "UDP4"] {
        // What comes within five seconds of the end of the question.
        let call = format!("echo {TEXT} | socat -t 5 - {protocol}:{address}:7,connect-timeout=5");
        let echoed = network.run(&call).map_err(|failure| failed(machine, failure))?;
        let what = format!("the echo by {protocol} while {when}");
        assert_same(machine, &what, &echoed.trim(), &TEXT)?;
    }
    Ok(())
}

/// What arrives is what was sent, both times.
fn moves_data(name: &str, model: &'static str, net: &str) -> Result<(), Failure> {
    let (machine, mut network, wire) = wired::under(name, model, net, "")?;
    network.lease(&wire)?;
    let mut machine = machine.start(name)?;
    machine.wait_shell()?;
    exchange(&mut machine, &mut network, &wire)?;
    machine.power_off()
}

/// The guest gets a lease, downloads a file and serves it back.
fn exchange(machine: &mut Running, network: &mut Network, wire: &Wire) -> Result<(), Failure> {
    let address = get_lease(machine, wire)?;
    network.run(&format!("busybox ping -c 3 -W 5 {address}"))?;
    let size = std::env::var("SIZE").unwrap_or_else(|_| SIZE.to_string());
    let (folder, outside) = (network.folder().display().to_string(), wire.outside());
    let sent = network.run(&format!(
        "cd {folder} && head -c {size}M /dev/urandom > file && md5sum < file"
    ))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    let received = machine.run_within(
        &format!("wget -q -O /file http://{outside}/file && md5sum < /file"),
        PATIENCE,
    )?;
    assert_same(machine, "what the guest downloaded", &received, &sent)?;
    machine.run("httpd -p 80 -h /")?;
    let back = network.run(&format!("busybox wget -q -O - http://{address}/file | md5sum"))?;
    assert_same(machine, "what the guest sent back", &back, &sent)
}
