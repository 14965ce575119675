//! What the policy says about NICs: what becomes of their frames, the appliance's own addresses, syslog, services.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use serde::{Deserialize, Serialize};

/// Everything about networks; empty where the policy binds no NIC.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Network {
    /// The rules that bind a NIC, in the order of the selection.
    pub nics: Vec<Nic>,
    /// `[ip]` and every `[ip.NAME]`.
    pub interfaces: Vec<Interface>,
    /// Every `[tunnel.NAME]`.
    pub tunnels: Vec<Tunnel>,
    /// `[syslog]`.
    pub syslog: Option<Syslog>,
    /// `[echo]`.
    pub echo: Option<Echo>,
}

/// A rule with `driver = "pro1000"` or `"pro100"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Nic {
    /// Index of its entry in [`crate::compiled::CompiledPolicy::selection`].
    pub entry: u32,
    /// What becomes of its frames.
    pub module: Module,
    /// Index into [`Network::interfaces`] of the appliance's own address on it.
    pub interface: Option<u32>,
    /// Syslog leaves by it.
    pub log: bool,
}

/// What becomes of a NIC's frames: `net=` of the selection language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Module {
    /// The guest's, as they are.
    Pass,
    /// Nobody's: the guest has a NIC without a link.
    Null,
    /// The appliance's: the NIC does not exist for the guest.
    Ip,
    /// The guest's, but for those of the appliance's address.
    IpPass,
    /// `net` left out: for the appliance's log alone, hidden from the guest.
    Own,
    /// The guest's, through a tunnel and nowhere else.
    Vpn {
        /// Index into [`Network::tunnels`].
        tunnel: u32,
    },
}

/// A WireGuard tunnel: `[tunnel.NAME]`. Its secrets are named, not held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tunnel {
    /// NAME.
    pub name: String,
    /// The guest's addresses inside.
    pub addresses: Vec<Prefix>,
    /// Name servers that the guest is told.
    pub dns: Vec<IpAddr>,
    /// Bytes of the longest packet inside.
    pub mtu: u16,
    /// The private key's name in the key store.
    pub private_key: String,
    /// The other ends.
    pub peers: Vec<Peer>,
}

/// The other end of a tunnel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Who it is.
    pub public_key: [u8; 32],
    /// The preshared key's name in the key store.
    pub preshared_key: Option<String>,
    /// Where it is found at first.
    pub endpoint: Endpoint,
    /// The networks behind it.
    pub allowed: Vec<Prefix>,
    /// Seconds between packets that keep the way open.
    pub keepalive: Option<NonZeroU16>,
}

/// Where a peer is found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Endpoint {
    /// At an address.
    Address(SocketAddr),
    /// At the addresses that the name servers of the NIC's interface know by this name.
    Name {
        /// The name, at most 253 bytes.
        host: String,
        /// The UDP port.
        port: u16,
    },
}

/// An address of the appliance's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interface {
    /// How it is come by.
    pub addressing: Addressing,
    /// The router to other networks, of the address's own IP version.
    pub gateway: Option<IpAddr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// The own hardware address; the NIC's where `None`.
    pub mac: Option<[u8; 6]>,
}

/// How an address is come by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Addressing {
    /// Asked of the network, IPv4 (RFC 2131).
    Dhcp,
    /// Said by the policy.
    Static(Prefix),
}

/// An address and how many of its leading bits are the network's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// Bits: at most 32 or 128.
    pub length: u8,
}

impl Prefix {
    /// Whether an address is in this network. Addresses of the other IP version are not.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let behind = u32::saturating_sub(width, self.length.into());
        // A shift by the whole width leaves nothing to compare: every address is in the network of no bits.
        let network = |bits: u128| bits.checked_shr(behind).unwrap_or(0);
        network(own) == network(other)
    }
}

/// Where the log goes by UDP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Syslog {
    /// The collector.
    pub to: SocketAddr,
    /// The way to it, of a NIC with a tunnel; of any other there is one only.
    pub via: Via,
    /// The form of messages.
    pub format: SyslogFormat,
    /// Our address in messages; that of the NIC's interface where `None`.
    pub source: Option<IpAddr>,
    /// The collector's, or the router's, hardware address; asked by ARP where `None`.
    pub mac: Option<[u8; 6]>,
}

/// How the log of a NIC with a tunnel leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Via {
    /// Through the tunnel, from the guest's address.
    Tunnel,
    /// Beside it, from the appliance's.
    Outside,
}

/// The form of syslog messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SyslogFormat {
    /// The syslog protocol (RFC 5424).
    Rfc5424,
    /// The BSD syslog protocol (RFC 3164).
    Rfc3164,
}

/// The echo service (RFC 862), for tests of the network.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Echo {
    /// Who may reach it, by TCP and UDP.
    pub allow: Vec<Prefix>,
    /// A server of the same service that the appliance sends to by TCP.
    pub client: Option<SocketAddr>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str, length: u8) -> Prefix {
        Prefix {
            address: text.parse().unwrap(),
            length,
        }
    }

    #[test]
    fn a_prefix_contains_the_addresses_with_its_leading_bits() {
        let contains = |prefix: Prefix, address: &str| prefix.contains(address.parse().unwrap());
        assert!(contains(prefix("192.0.2.1", 24), "192.0.2.255"));
        assert!(!contains(prefix("192.0.2.1", 24), "192.0.3.1"));
        assert!(contains(prefix("192.0.2.1", 32), "192.0.2.1"));
        assert!(!contains(prefix("192.0.2.1", 32), "192.0.2.0"));
        assert!(contains(prefix("0.0.0.0", 0), "255.255.255.255"));
        assert!(!contains(prefix("0.0.0.0", 0), "::"));
        assert!(contains(prefix("2001:db8::", 64), "2001:db8::ffff:0:0:1"));
        assert!(!contains(prefix("2001:db8::", 64), "2001:db8:0:1::"));
        assert!(contains(prefix("::", 0), "ffff::"));
    }

    #[test]
    fn a_prefix_longer_than_its_address_is_that_address() {
        assert!(prefix("192.0.2.1", 255).contains("192.0.2.1".parse().unwrap()));
        assert!(!prefix("192.0.2.1", 255).contains("192.0.2.2".parse().unwrap()));
    }
}
