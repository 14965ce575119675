//! Whose a frame is, where a NIC is the guest's and the appliance's: by address, never by what a connection was before.
//!
//! From outside, what is for the appliance's address never reaches the guest, whatever hardware address it was sent to; a
//! question for the address (ARP, neighbour solicitation) that was sent to a group is shown to both. From inside, nothing is
//! for the appliance: the guest reaches it by no wire, and what it sends in the appliance's name goes nowhere.

use crate::net::frame::{Frame, MacAddress};
use crate::net::header::{ARP, Header, IPV4, IPV6, VLAN_MASK};
use crate::net::stack::Addresses;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Whose a frame from outside is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// The guest's alone.
    Guest,
    /// The appliance's alone.
    Appliance,
    /// A question that either may answer.
    Both,
    /// To the appliance's own hardware address, and of nothing that it is.
    Nobody,
}

/// ICMPv6 types (RFC 4861, 4.3 and 4.4).
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Decides on a frame from outside.
pub(super) fn whose(header: &Header<'_>, own: &Addresses) -> Whose {
    let is_ours = match header.kind {
        ARP => is(header.arp_target(), own.v4),
        IPV4 => is(header.ipv4_destination(), own.v4) || own.is_lease(header),
        IPV6 => is(header.ipv6_destination(), own.v6) || solicits(header, own.v6),
        _ => false,
    };
    match (is_ours, header.destination) {
        (true, destination) if destination.is_group() && !own.is_lease(header) => Whose::Both,
        (true, _) => Whose::Appliance,
        (false, destination) if own.is_alone && destination == own.hardware => Whose::Nobody,
        (false, _) => Whose::Guest,
    }
}

/// Whether a frame of the guest's says that it is the appliance's.
pub(super) fn impersonates(frame: Frame<'_>, own: &Addresses) -> bool {
    if frame.offload.tag.is_some_and(|tag| tag & VLAN_MASK != 0) {
        return false;
    }
    let Some(header) = Header::read(frame.bytes) else {
        return false;
    };
    let by_address = match header.kind {
        ARP => is(header.arp_sender(), own.v4),
        IPV4 => is(header.ipv4_source(), own.v4),
        IPV6 => is(header.ipv6_source(), own.v6) || advertises(&header, own.v6),
        _ => false,
    };
    by_address || (own.is_alone && header.source == own.hardware)
}

fn is<T: PartialEq + Copy>(found: Option<T>, own: Option<T>) -> bool {
    found.is_some() && found == own
}

/// Whether a neighbour solicitation asks for this address.
fn solicits(header: &Header<'_>, own: Option<Ipv6Addr>) -> bool {
    concerns(header, NEIGHBOUR_SOLICITATION, own)
}

/// Whether a neighbour advertisement is about this address.
fn advertises(header: &Header<'_>, own: Option<Ipv6Addr>) -> bool {
    concerns(header, NEIGHBOUR_ADVERTISEMENT, own)
}

/// Whether this is a neighbour message of that type with that target (RFC 4861, 4.3 and 4.4).
fn concerns(header: &Header<'_>, kind: u8, own: Option<Ipv6Addr>) -> bool {
    let Some(message) = header.icmpv6().filter(|message| message.first() == Some(&kind)) else {
        return false;
    };
    let target = message.get(8..).and_then(|behind| behind.first_chunk::<16>());
    is(target.map(|target| Ipv6Addr::from_octets(*target)), own)
}

/// Whether a host may have sent a frame for the appliance: a sender that is a group, nobody, or ourselves, is none. The stack
/// would answer to that address.
pub(super) fn has_honest_sender(header: &Header<'_>, own: &Addresses) -> bool {
    let by_address = match header.kind {
        ARP => header
            .arp_sender()
            .is_some_and(|sender| is_host(sender) && Some(sender) != own.v4),
        IPV4 => header
            .ipv4_source()
            .is_some_and(|source| is_host(source) && Some(source) != own.v4),
        IPV6 => header.ipv6_source().is_some_and(|source| {
            let special = source.is_unspecified() || source.is_multicast() || source.is_loopback();
            !special && Some(source) != own.v6
        }),
        _ => false,
    };
    by_address && !header.source.is_group() && header.source != MacAddress([0; 6])
}

fn is_host(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    // 0/8, 127/8, multicast, and what was reserved for broadcasts (RFC 6890).
    first != 0 && first != 127 && first < 224
}
