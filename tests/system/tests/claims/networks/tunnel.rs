//! A guest behind a tunnel, with wireguard-go at the other end: it reaches what is behind, and its wire shows nothing else.

use super::*;
use sekisho_crypto::secret::Secret;
use sekisho_keys::secrets::{WireGuardKey, WireGuardKind};
use sekisho_policy::{Source, check};
use sekisho_system::command::PASSPHRASE;
use sekisho_system::key_store::KeyStore;

/// Where the other end is, on the wire and inside.
const PORT: u16 = 51820;
const INSIDE: &str = "10.66.0.1";
/// Its interface; the name is the whole machine's, since its control socket is.
const DEVICE: &str = "claim-tunnel";

#[test]
fn a_guest_behind_a_tunnel_reaches_what_is_behind_it_and_its_wire_shows_nothing_else() -> Result<(), Failure>
{
    let (ours, theirs) = (key(0x11), key(0x22));
    let [our_public, their_public] = [&ours, &theirs].map(|key| key.public_text().unwrap_or_default());
    let text = wired::policy(
        "e1000",
        "net = \"vpn\"\ntunnel = \"hq\"\nlog = true",
        &format!(
            "[ip]\naddress = \"198.51.100.7/24\"\n[syslog]\nto = \"{INSIDE}\"\n[tunnel.hq]\naddress = [\"10.66.0.2/32\"]\n\
             private-key = \"hq\"\n[[tunnel.hq.peer]]\npublic-key = \"{their_public}\"\n\
             endpoint = \"198.51.100.1:{PORT}\"\nallowed-ips = [\"0.0.0.0/0\"]\n"
        ),
    );
    let report = check(&Source::new("tunnel".to_owned(), text.as_bytes().to_vec()));
    let storage = report.policy.map(|policy| policy.storage).unwrap_or_default();
    let keys = KeyStore::with_tunnels(&storage, Vec::new(), vec![ours])?;
    let image = Appliance::from_policy("tunnel", &text)?
        .with_keys(keys.files)
        .disk("tunnel")?;
    let mut machine = Machine::under(&image, &guest::linux_disk()?);
    machine.devices.clear();
    let mut network = Network::make("tunnel")?;
    let wire = network.plug(&mut machine, "e1000")?;
    serve(&mut network, &theirs, &our_public)?;
    let folder = network.folder().display().to_string();
    network.run(&format!("head -c 1048576 /dev/urandom > {folder}/file"))?;
    network.serve(&format!("exec busybox httpd -f -p {INSIDE}:80 -h {folder}"))?;

    let mut machine = machine.start("tunnel")?;
    machine.unlock(PASSPHRASE)?;
    machine.wait_shell()?;
    machine.run(
        "printf '#!/bin/sh\\n[ $1 = bound ] && ip address add $ip/$mask dev $interface && ip route add default via $router; \
         exit 0\\n' > /lease; chmod +x /lease",
    )?;
    machine.run("ip link set eth0 up; udhcpc -q -n -t 10 -i eth0 -s /lease")?;
    machine.run(&format!("ping -c 3 -W 10 {INSIDE}"))?;
    let got = machine.run(&format!("wget -q -O - http://{INSIDE}/file | sha256sum"))?;
    let sent = network.run(&format!("sha256sum < {folder}/file"))?;
    assert_same(&mut machine, "the file", &got.trim(), &sent.trim())?;
    // What it must not do.
    machine.run("ip address add 198.51.100.9/24 dev eth0; arping -c 2 -I eth0 198.51.100.1; ping -c 1 -W 1 -b 198.51.100.255; true")?;
    machine.power_off()?;
    let record = std::fs::read(&wire.record).map_err(Failure::file(&wire.record))?;
    let seen: Vec<&[u8]> = frames(&record)
        .filter(|frame| frame.get(6..12) == Some(&wire.hardware_bytes()))
        .collect();
    let back = frames(&record).filter(|frame| frame.get(..6) == Some(&wire.hardware_bytes()));
    assert!(back.count() > 700, "a file has that many packets");
    assert!(seen.len() > 20, "and that many acknowledgements: {}", seen.len());
    let strange: Vec<_> = seen.iter().filter(|frame| !is_outside(frame)).collect();
    assert!(strange.is_empty(), "on the wire: {strange:02x?}");
    Ok(())
}

/// Whether a frame is ARP of the appliance's address, or a datagram of the tunnel's to its other end.
fn is_outside(frame: &[u8]) -> bool {
    let ours = Some(&[198, 51, 100, 7][..]);
    match frame.get(12..14) {
        Some([8, 6]) => frame.get(28..32) == ours,
        Some([8, 0]) => {
            frame.get(26..30) == ours
                && frame.get(30..34) == Some(&[198, 51, 100, 1])
                && frame.get(23) == Some(&17)
                && frame.get(36..38) == Some(&PORT.to_be_bytes())
        }
        _ => false,
    }
}

/// The other end, which lets our key be the guest's address. It ends with the network.
fn serve(network: &mut Network, key: &WireGuardKey, client: &str) -> Result<(), Failure> {
    let secret = network.folder().join("server.key");
    std::fs::write(&secret, key.secret_text().expose()).map_err(Failure::file(&secret))?;
    network.serve(&format!("exec wireguard-go -f {DEVICE}"))?;
    network.run(&format!(
        "for try in $(seq 100); do wg show {DEVICE} && break; sleep 0.1; done; \
         wg set {DEVICE} listen-port {PORT} private-key {} peer {client} allowed-ips 10.66.0.2/32 && \
         ip address add {INSIDE}/24 dev {DEVICE} && ip link set {DEVICE} mtu 1420 up",
        secret.display()
    ))?;
    Ok(())
}

fn key(byte: u8) -> WireGuardKey {
    WireGuardKey {
        name: "hq".to_owned(),
        kind: WireGuardKind::Private,
        key: Secret::new([byte; 32]),
    }
}
