//! ARP towards the guest (RFC 826): every address but its own is ours, so that it finds no neighbour but the router.
//!
//! A probe of the guest's for its own address (RFC 5227) stays without an answer: nobody else has it.

use super::lease::Ipv4Lease;
use super::reply::{Link, Reply, TooLong};
use crate::net::frame::MacAddress;
use crate::net::header::ARP;
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetAddress};

/// Makes the reply to an ARP packet of the guest's, if there is one.
pub(super) fn answer(
    lease: &Ipv4Lease,
    packet: &[u8],
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    let packet = ArpPacket::new_checked(packet).ok()?;
    let Ok(ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr: target,
        ..
    }) = ArpRepr::parse(&packet)
    else {
        return None;
    };
    let is_nobodys = target.is_unspecified() || target.is_loopback() || target.is_multicast();
    // An announcement asks for the address of who sends it.
    if target == lease.address || target == source_protocol_addr || is_nobodys {
        return None;
    }
    let answer = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr: EthernetAddress(link.own.0),
        source_protocol_addr: target,
        target_hardware_addr: source_hardware_addr,
        target_protocol_addr: source_protocol_addr,
    };
    let to = MacAddress(link.guest.0);
    let place = reply.begin(link, to, ARP, answer.buffer_len());
    Some(place.map(|place| answer.emit(&mut ArpPacket::new_unchecked(place))))
}
