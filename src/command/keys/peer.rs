//! What the server at the other end of a tunnel is to be told of this machine: a `[Peer]` section as `wg setconf` reads it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sekisho_abi::network::{Network, Peer, Tunnel};
use sekisho_keys::secrets::{Secrets, WireGuardKey, WireGuardKind};
use std::fmt::Write;
use std::net::IpAddr;

/// The sections for every peer of every tunnel; `machine` is the policy's name.
pub(super) fn sections(machine: &str, network: &Network, secrets: &Secrets) -> String {
    let mut told = String::new();
    for tunnel in &network.tunnels {
        for peer in &tunnel.peers {
            tell(&mut told, machine, tunnel, peer, secrets);
        }
    }
    told
}

/// Writing to a string cannot fail, so these results say nothing.
fn tell(told: &mut String, machine: &str, tunnel: &Tunnel, peer: &Peer, secrets: &Secrets) {
    let own = secrets.wireguard(WireGuardKind::Private, &tunnel.private_key);
    let Some(public) = own.and_then(WireGuardKey::public_text) else {
        return;
    };
    let _ = writeln!(
        told,
        "\n# {machine}, tunnel {}: for the server with the public key {}",
        tunnel.name,
        BASE64_STANDARD.encode(peer.public_key)
    );
    let _ = writeln!(told, "[Peer]\nPublicKey = {public}");
    let preshared = peer.preshared_key.as_deref();
    if let Some(key) = preshared.and_then(|name| secrets.wireguard(WireGuardKind::Preshared, name)) {
        let text = key.secret_text();
        let _ = writeln!(told, "PresharedKey = {}", String::from_utf8_lossy(text.expose()));
    }
    let allowed: Vec<String> = leased(tunnel)
        .map(|address| format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }))
        .collect();
    let _ = writeln!(told, "AllowedIPs = {}", allowed.join(", "));
}

/// The addresses that the guest is given: of no other does a packet enter the tunnel.
fn leased(tunnel: &Tunnel) -> impl Iterator<Item = IpAddr> {
    let addresses = || tunnel.addresses.iter().map(|prefix| prefix.address);
    let first = [
        addresses().find(IpAddr::is_ipv4),
        addresses().find(IpAddr::is_ipv6),
    ];
    first.into_iter().flatten()
}
