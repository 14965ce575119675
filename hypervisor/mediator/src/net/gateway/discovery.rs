//! Neighbour discovery towards the guest (RFC 4861): we are its router, and every address but its own is ours.
//!
//! No prefix is advertised: with an address of its own making (RFC 4862) the peer would drop its packets. It is told to ask by
//! DHCPv6. Hostile: the guest's messages, which are read at fixed places.

use super::lease::Ipv6Lease;
use super::reply::{ALL_HOPS, Link, Reply, TooLong};
use crate::net::frame::MacAddress;
use core::net::Ipv6Addr;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::Duration;
use smoltcp::wire::{
    EthernetAddress, Icmpv6Packet, Icmpv6Repr, IpProtocol, NdiscNeighborFlags, NdiscRepr, NdiscRouterFlags,
};

/// Messages of neighbour discovery (RFC 4861, 4), which never leave a link.
pub(super) const ROUTER_SOLICITATION: u8 = 133;
pub(super) const NEIGHBOUR_SOLICITATION: u8 = 135;
pub(super) const REDIRECT: u8 = 137;
/// Where a solicitation has its target (RFC 4861, 4.3).
const TARGET: usize = 8;
/// All hosts of a link (RFC 4291, 2.7.1), and their hardware address (RFC 2464, 7).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_HARDWARE: MacAddress = MacAddress([0x33, 0x33, 0, 0, 0, 1]);
/// How long the guest takes us for its router; advertisements come more often.
const LIFETIME: Duration = Duration::from_secs(1800);

/// The link-local address that goes with a hardware address (RFC 4291, appendix A).
pub(super) const fn link_local(hardware: MacAddress) -> Ipv6Addr {
    let [a, b, c, d, e, f] = hardware.0;
    Ipv6Addr::from_octets([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// Answers a message of neighbour discovery from `source`, if it is a question for us; its checksum was verified.
pub(super) fn answer(
    lease: &Ipv6Lease,
    mtu: u16,
    source: Ipv6Addr,
    hops: u8,
    message: &[u8],
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    // Who forwards a packet lowers it: this one is of the link itself.
    if hops != ALL_HOPS {
        return None;
    }
    match *message.first()? {
        ROUTER_SOLICITATION if source.is_unspecified() => Some(advertise(mtu, link, reply)),
        ROUTER_SOLICITATION => Some(router(mtu, source, link.guest, link, reply)),
        NEIGHBOUR_SOLICITATION => {
            let target = Ipv6Addr::from_octets(*message.get(TARGET..)?.first_chunk()?);
            let own = link_local(link.own);
            // The guest's own, also while it asks whether anybody has it (RFC 4862, 5.4).
            let is_guests = target == lease.address || (target.is_unicast_link_local() && target != own);
            let is_none = target.is_multicast() || target.is_unspecified();
            (!is_guests && !is_none).then(|| neighbour(target, source, link, reply))
        }
        _ => None,
    }
}

/// Tells whoever listens that we are the router.
pub(super) fn advertise(mtu: u16, link: Link, reply: &mut Reply) -> Result<(), TooLong> {
    router(mtu, ALL_NODES, ALL_NODES_HARDWARE, link, reply)
}

fn router(
    mtu: u16,
    to: Ipv6Addr,
    hardware: MacAddress,
    link: Link,
    reply: &mut Reply,
) -> Result<(), TooLong> {
    let advertisement = NdiscRepr::RouterAdvert {
        hop_limit: 64,
        flags: NdiscRouterFlags::MANAGED | NdiscRouterFlags::OTHER,
        router_lifetime: LIFETIME,
        reachable_time: Duration::ZERO,
        retrans_time: Duration::ZERO,
        lladdr: Some(EthernetAddress(link.own.0).into()),
        mtu: Some(mtu.into()),
        prefix_info: None,
    };
    send(advertisement, (link_local(link.own), to), hardware, link, reply)
}

fn neighbour(target: Ipv6Addr, source: Ipv6Addr, link: Link, reply: &mut Reply) -> Result<(), TooLong> {
    let (to, hardware, solicited) = if source.is_unspecified() {
        (ALL_NODES, ALL_NODES_HARDWARE, NdiscNeighborFlags::empty())
    } else {
        (source, link.guest, NdiscNeighborFlags::SOLICITED)
    };
    let advertisement = NdiscRepr::NeighborAdvert {
        flags: solicited | NdiscNeighborFlags::ROUTER | NdiscNeighborFlags::OVERRIDE,
        target_addr: target,
        lladdr: Some(EthernetAddress(link.own.0).into()),
    };
    send(advertisement, (target, to), hardware, link, reply)
}

fn send(
    message: NdiscRepr<'_>,
    ends: (Ipv6Addr, Ipv6Addr),
    hardware: MacAddress,
    link: Link,
    reply: &mut Reply,
) -> Result<(), TooLong> {
    let message = Icmpv6Repr::Ndisc(message);
    let place = reply.ipv6(link, hardware, ends, IpProtocol::Icmpv6, message.buffer_len())?;
    let mut packet = Icmpv6Packet::new_unchecked(place);
    message.emit(&ends.0, &ends.1, &mut packet, &ChecksumCapabilities::default());
    Ok(())
}
