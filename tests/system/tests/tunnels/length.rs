//! Much data, a bad wire, reboots, and a peer that moves.

use super::exchange;
use sekisho_system::failure::Failure;
use sekisho_system::tunneled::{self, FAR, GUEST, INSIDE, PORT, Plan, Tunneled, boot, lease, program};
use std::net::Ipv4Addr;

/// MiB each way, unless the environment's `SIZE` says otherwise.
const SIZE: u32 = 200;
/// Of which a bad wire carries one in so many.
const BAD: u32 = 20;
/// MiB of memory of a guest that keeps them.
const MEMORY: u32 = 1024;
/// Another address of the peer's, and another port.
const MOVED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const ELSEWHERE: u16 = 51999;

fn size() -> u32 {
    let given = std::env::var("SIZE").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(SIZE)
}

#[test]
fn much_data_goes_both_ways_with_equal_checksums() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-much",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.machine.memory = MEMORY;
    scene.server.start(&mut scene.network)?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    exchange(&mut machine, &mut scene.network, size())?;
    machine.power_off()?;
    scene.judge(&[]).map(|_| ())
}

#[test]
fn data_arrives_whole_over_a_wire_that_loses_and_reorders() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-bad",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.port = ELSEWHERE;
    scene.server.start(&mut scene.network)?;
    let relay = program("relay")?;
    scene.network.serve(&format!(
        "exec {relay} 198.51.100.1:{PORT} 198.51.100.7:9 127.0.0.1:51998 127.0.0.1:{ELSEWHERE}"
    ))?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    exchange(&mut machine, &mut scene.network, size().div_ceil(BAD))?;
    machine.power_off()?;
    scene.judge(&[]).map(|_| ())
}

#[test]
fn the_lease_outlives_reboots_and_the_peer_restarts_and_moves() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-moves",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let device = scene.server.device.clone();
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    let first = lease(&mut machine, "eth0")?;
    exchange(&mut machine, &mut scene.network, 1)?;
    // Its next packet tells where it is now.
    scene
        .network
        .run(&format!("wg set {device} listen-port {ELSEWHERE}"))?;
    scene.network.run(&format!("busybox ping -c 10 -W 5 {GUEST}"))?;
    exchange(&mut machine, &mut scene.network, 1)?;
    machine.give_last("reboot -f")?;
    // The policy's endpoint again, without any session.
    scene.server.stop(&scene.network)?;
    scene.server.start(&mut scene.network)?;
    boot(&mut machine)?;
    let second = lease(&mut machine, "eth0")?;
    let leased = format!("leased {GUEST} ");
    if !first.contains(&leased) || !second.contains(&leased) {
        return Err(machine.refute(format!("other leases:\n{first}\n{second}")));
    }
    exchange(&mut machine, &mut scene.network, 1)?;
    // Its sessions are forgotten while ours live: fifteen seconds until we notice.
    scene.server.stop(&scene.network)?;
    scene.server.start(&mut scene.network)?;
    machine.run(&format!(
        "for try in $(seq 40); do ping -c 1 -W 1 {INSIDE} && exit_code=0 && break || exit_code=1; done; [ $exit_code = 0 ]"
    ))?;
    exchange(&mut machine, &mut scene.network, 1)?;
    machine.power_off()?;
    scene.judge(&[(FAR, ELSEWHERE)]).map(|_| ())
}

#[test]
fn a_peer_that_moves_to_another_address_is_followed_both_ways() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-address",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let device = scene.server.device.clone();
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    exchange(&mut machine, &mut scene.network, 1)?;
    for (from, to) in [(FAR, MOVED), (MOVED, FAR)] {
        tunneled::readdress(&scene.network, &scene.wire, from, to)?;
        // Else wireguard-go would go on from the address that is gone, in vain.
        scene.network.run(&format!(
            "wg show {device} endpoints | while read peer endpoint; do wg set {device} peer $peer endpoint $endpoint; done"
        ))?;
        // Its next packet tells where it is now.
        scene.network.run(&format!("busybox ping -c 10 -W 5 {GUEST}"))?;
        exchange(&mut machine, &mut scene.network, 1)?;
    }
    machine.power_off()?;
    scene.judge(&[(MOVED, PORT)]).map(|_| ())
}
