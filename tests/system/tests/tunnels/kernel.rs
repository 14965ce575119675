//! Linux's own WireGuard judges: it runs in a machine of its own, which is bare.

use super::{PATIENCE, assert_same};
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use sekisho_system::network::Network;
use sekisho_system::tunneled::{
    self, APPLIANCE, FAR, GUEST, INSIDE, PORT, Plan, Tunneled, boot, lease, private_key, program,
};
use std::net::Ipv4Addr;

/// MiB each way.
const SIZE: u32 = 5;
/// The program `engine` calls keys by number: all bytes of a private key are the same.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
const PRESHARED: u8 = 7;

/// Who knows where the other is, and so begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Initiator {
    Ours,
    Kernel,
}

#[test]
fn the_engine_and_the_kernel_exchange_whoever_initiates_with_and_without_a_preshared_key()
-> Result<(), Failure> {
    const NAME: &str = "kernel-engine";
    let mut machine = Machine::bare(&guest::network_disk()?);
    machine.devices.clear();
    let mut network = Network::make(NAME)?;
    network.plug(&mut machine, "e1000")?;
    let engine = program("engine")?;
    let mut machine = machine.start(NAME)?;
    machine.wait_shell()?;
    machine.run("modprobe wireguard && ip link set eth0 up && ip address add 198.51.100.2/24 dev eth0")?;
    machine.run(&format!(
        "dd if=/dev/urandom of=/file bs=1M count={SIZE} && httpd -p 80 -h /"
    ))?;
    let sum = machine.run("md5sum < /file")?;
    for initiator in [Initiator::Ours, Initiator::Kernel] {
        for preshared in [0, PRESHARED] {
            let endpoint = if initiator == Initiator::Ours {
                "198.51.100.2:51820"
            } else {
                ""
            };
            network.serve(&format!(
                "exec {engine} 0.0.0.0:{PORT} 127.0.0.1:7000 127.0.0.1:7001 {OURS} {THEIRS} {preshared} {endpoint}"
            ))?;
            network.serve(
                "exec socat -b 65536 TUN:10.66.0.1/24,tun-name=inside,iff-no-pi,iff-up \
                 UDP4-DATAGRAM:127.0.0.1:7000,bind=127.0.0.1:7001",
            )?;
            network.run(
                "for try in $(seq 50); do ip link set inside mtu 1420 && exit; sleep 0.1; done; exit 1",
            )?;
            configure(&mut machine, initiator, preshared)?;
            carry(&mut machine, &mut network, &sum, initiator)?;
            machine.run("ip link delete wg0")?;
            network.end_last();
            network.end_last();
            network.run("for try in $(seq 50); do ip link show inside || exit 0; sleep 0.1; done; exit 1")?;
        }
    }
    machine.power_off()
}

/// The kernel's end, with the addresses of a guest.
fn configure(machine: &mut Running, initiator: Initiator, preshared: u8) -> Result<(), Failure> {
    let [own, shared] = [THEIRS, preshared].map(|byte| private_key("", byte));
    let client = private_key("", OURS).public_text().unwrap_or_default();
    let text = |key: &sekisho_keys::secrets::WireGuardKey| {
        String::from_utf8_lossy(key.secret_text().expose()).into_owned()
    };
    let mut set = format!(
        "echo {} > /key; echo {} > /shared; ip link add wg0 type wireguard && \
         wg set wg0 listen-port {PORT} private-key /key peer {client} allowed-ips {INSIDE}/32",
        text(&own),
        text(&shared)
    );
    if preshared != 0 {
        set += " preshared-key /shared";
    }
    if initiator == Initiator::Kernel {
        set += &format!(" endpoint {FAR}:{PORT}");
    }
    machine.run(&format!(
        "{set} && ip address add {GUEST}/24 dev wg0 && ip link set wg0 mtu 1420 up"
    ))?;
    Ok(())
}

/// The file goes to the engine's side and comes back.
fn carry(
    machine: &mut Running,
    network: &mut Network,
    sum: &str,
    initiator: Initiator,
) -> Result<(), Failure> {
    match initiator {
        Initiator::Ours => network.run(&format!("busybox ping -c 3 -W 5 {GUEST}"))?,
        Initiator::Kernel => machine.run(&format!("ping -c 3 -W 5 {INSIDE}"))?,
    };
    let folder = network.folder().display().to_string();
    let got = network.run(&format!(
        "busybox wget -q -O {folder}/file http://{GUEST}/file && md5sum < {folder}/file"
    ))?;
    assert_same(machine, "from the kernel to the engine", got.trim(), sum.trim())?;
    network.serve(&format!("exec busybox httpd -f -p {INSIDE}:80 -h {folder}"))?;
    let back = machine.run_within(&format!("wget -q -O - http://{INSIDE}/file | md5sum"), PATIENCE);
    network.end_last();
    assert_same(machine, "from the engine to the kernel", back?.trim(), sum.trim())
}

#[test]
fn a_machines_tunnel_ends_at_the_kernels_wireguard() -> Result<(), Failure> {
    let plan = Plan {
        name: "kernel-peer",
        endpoint: "198.51.101.2",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    let mut peer = Machine::bare(&guest::network_disk()?);
    peer.devices.clear();
    let far_wire = scene.network.plug(&mut peer, "e1000")?;
    scene.network.run("echo 1 > /proc/sys/net/ipv4/ip_forward")?;
    let mut peer = peer.start("kernel-peer-far")?;
    peer.wait_shell()?;
    let (own, client) = (private_key("", 0x22), private_key("", 0x11));
    let own = String::from_utf8_lossy(own.secret_text().expose()).into_owned();
    peer.run(&format!(
        "modprobe wireguard && ip link set eth0 up && ip address add {}/24 dev eth0 && \
         ip route add default via {} && echo {own} > /key && ip link add wg0 type wireguard && \
         wg set wg0 listen-port {PORT} private-key /key peer {} allowed-ips {GUEST}/32 && \
         ip address add {INSIDE}/24 dev wg0 && ip link set wg0 mtu 1420 up",
        far_wire.address(2),
        far_wire.outside(),
        client.public_text().unwrap_or_default()
    ))?;
    peer.run(&format!(
        "dd if=/dev/urandom of=/file bs=1M count={SIZE} && httpd -p 80 -h /"
    ))?;
    let sum = peer.run("md5sum < /file")?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    machine.run(&format!("ping -c 5 -W 5 {INSIDE}"))?;
    let got = machine.run_within(
        &format!("wget -q -O /file http://{INSIDE}/file && md5sum < /file"),
        PATIENCE,
    )?;
    assert_same(
        &mut machine,
        "from the kernel to the guest",
        got.trim(),
        sum.trim(),
    )?;
    machine.run("httpd -p 80 -h /")?;
    let back = peer.run_within(&format!("wget -q -O - http://{GUEST}/file | md5sum"), PATIENCE)?;
    assert_same(
        &mut machine,
        "from the guest to the kernel",
        back.trim(),
        sum.trim(),
    )?;
    // It moves; its next packet tells where it is now.
    peer.run(&format!(
        "ip address del {}/24 dev eth0 && ip address add {}/24 dev eth0 && ip route add default via {} && ping -c 10 -W 5 {GUEST}",
        far_wire.address(2),
        far_wire.address(3),
        far_wire.outside()
    ))?;
    let moved = machine.run_within(&format!("wget -q -O - http://{INSIDE}/file | md5sum"), PATIENCE)?;
    assert_same(
        &mut machine,
        "from the kernel that moved",
        moved.trim(),
        sum.trim(),
    )?;
    machine.power_off()?;
    peer.power_off()?;
    let expected = sekisho_system::record::Expected {
        own: APPLIANCE,
        to: [2, 3]
            .map(|last| (Ipv4Addr::new(198, 51, 101, last), PORT))
            .to_vec(),
    };
    tunneled::judge(&scene.network, &scene.wire, &expected).map(|_| ())
}
