//! What the guest is given: its address inside the tunnel, and a router that only exists here.
//!
//! Trusted: the policy.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use sekisho_abi::network::Prefix;

/// Bits of the narrowest network that is leased: the guest, the router, and room for both ends.
const NARROWEST: u8 = 29;
/// Name servers that are told at most.
pub(super) const SERVERS: usize = 4;
/// Bits of an IPv4 address.
const WIDTH: u8 = 32;

/// The guest's IPv4 address and what goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ipv4Lease {
    /// The guest's address.
    pub(super) address: Ipv4Addr,
    /// The mask that it is leased with; at least the policy's network is in it.
    pub(super) mask: Ipv4Addr,
    /// Ours: the router, and the DHCP server.
    pub(super) router: Ipv4Addr,
    /// Everybody's in that network.
    pub(super) broadcast: Ipv4Addr,
    /// Name servers.
    pub(super) servers: Vec<Ipv4Addr>,
}

/// The guest's IPv6 address and what goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ipv6Lease {
    /// The guest's address.
    pub(super) address: Ipv6Addr,
    /// Name servers.
    pub(super) servers: Vec<Ipv6Addr>,
}

impl Ipv4Lease {
    /// The lease of the first IPv4 address of a tunnel. A network too narrow for a router, or at whose end the address lies, is
    /// widened until it is not.
    pub(super) fn new(addresses: &[Prefix], servers: &[IpAddr]) -> Option<Self> {
        let (address, length) = addresses.iter().find_map(|prefix| match prefix.address {
            IpAddr::V4(address) => Some((address, prefix.length)),
            IpAddr::V6(_) => None,
        })?;
        let servers: Vec<Ipv4Addr> = servers
            .iter()
            .filter_map(|server| match server {
                IpAddr::V4(server) => Some(*server),
                IpAddr::V6(_) => None,
            })
            .take(SERVERS)
            .collect();
        let bits = address.to_bits();
        let mask = (0..=length.min(NARROWEST))
            .rev()
            .map(mask)
            .find(|mask| bits & !mask != 0 && bits | mask != u32::MAX)?;
        let is_taken = |candidate: u32| candidate == bits || servers.contains(&candidate.into());
        let broadcast = bits | !mask;
        // Its own and the servers' are fewer than the addresses of the narrowest network.
        let router = (1..=7).map(|below| broadcast - below).find(|it| !is_taken(*it))?;
        Some(Self {
            address,
            mask: mask.into(),
            router: router.into(),
            broadcast: broadcast.into(),
            servers,
        })
    }
}

impl Ipv6Lease {
    /// The lease of the first IPv6 address of a tunnel.
    pub(super) fn new(addresses: &[Prefix], servers: &[IpAddr]) -> Option<Self> {
        let of_version = |address: &IpAddr| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        };
        Some(Self {
            address: addresses.iter().find_map(|prefix| of_version(&prefix.address))?,
            servers: servers.iter().filter_map(of_version).take(SERVERS).collect(),
        })
    }
}

/// The mask of a network of so many bits.
fn mask(length: u8) -> u32 {
    u32::MAX
        .checked_shl(u32::from(WIDTH.saturating_sub(length)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lease(address: &str, length: u8, servers: &[&str]) -> Ipv4Lease {
        let prefix = Prefix {
            address: address.parse().unwrap(),
            length,
        };
        let servers: Vec<IpAddr> = servers.iter().map(|server| server.parse().unwrap()).collect();
        Ipv4Lease::new(&[prefix], &servers).unwrap()
    }

    #[test]
    fn an_address_alone_is_leased_in_a_network_with_a_router() {
        let lease = lease("10.66.0.2", 32, &["10.66.0.1", "10.66.0.6"]);
        assert_eq!(lease.mask, Ipv4Addr::new(255, 255, 255, 248));
        assert_eq!(lease.router, Ipv4Addr::new(10, 66, 0, 5));
        assert_eq!(lease.broadcast, Ipv4Addr::new(10, 66, 0, 7));
    }

    #[test]
    fn a_network_at_whose_end_the_address_lies_is_widened() {
        assert_eq!(
            lease("10.66.0.8", 32, &[]).mask,
            Ipv4Addr::new(255, 255, 255, 240)
        );
        assert_eq!(
            lease("10.66.0.255", 24, &[]).mask,
            Ipv4Addr::new(255, 255, 254, 0)
        );
    }

    proptest! {
        #[test]
        fn every_address_of_a_host_has_a_router_beside_it(
            bits in 0x0100_0000..0xe000_0000_u32,
            length in 0..=32_u8,
            servers in prop::collection::vec(0..8_u32, 0..6),
        ) {
            let address = Ipv4Addr::from(bits);
            let servers: Vec<IpAddr> = servers.iter().map(|low| IpAddr::from(Ipv4Addr::from(bits & !7 | low))).collect();
            let lease = Ipv4Lease::new(&[Prefix { address: address.into(), length }], &servers).unwrap();
            let mask = lease.mask.to_bits();
            prop_assert_eq!(lease.router.to_bits() & mask, bits & mask);
            prop_assert!(lease.router != address && lease.router != lease.broadcast && address != lease.broadcast);
            prop_assert!(!lease.servers.contains(&lease.router));
            prop_assert!(lease.router.to_bits() & !mask != 0 && bits & !mask != 0);
        }
    }
}
