//! IPv4 packets between the guest and the tunnel.

use super::reply::{IPV4_HEADER, UDP_HEADER};
use super::{Fate, Gateway, control, dhcp, replied, segment};
use crate::net::header::UDP;
use crate::net::loss::Loss;
use crate::seam::Instant;
use core::net::Ipv4Addr;
use smoltcp::wire::{Ipv4Packet, UdpPacket};

/// Protocol numbers (IANA).
const ICMP: u8 = 1;
const TCP: u8 = 6;
/// Bytes of IPv4 and TCP headers that a segment's greatest size leaves out (RFC 9293, 3.7.1).
const HEADERS: u16 = 40;

/// How long the IPv4 packet is that a frame holds, which may be padded; `None` where it is none.
pub(super) fn length(payload: &[u8]) -> Option<usize> {
    let packet = Ipv4Packet::new_checked(payload).ok()?;
    let is_sound = packet.version() == 4 && usize::from(packet.header_len()) >= IPV4_HEADER;
    (is_sound && packet.verify_checksum()).then(|| packet.total_len().into())
}

/// What of a packet decides.
#[derive(Clone, Copy)]
struct Fields {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    header_length: usize,
    is_first: bool,
    is_whole: bool,
    may_be_cut: bool,
}

impl Fields {
    fn of(packet: &[u8]) -> Option<Self> {
        let view = Ipv4Packet::new_checked(packet).ok()?;
        let is_first = view.frag_offset() == 0;
        Some(Self {
            source: view.src_addr(),
            destination: view.dst_addr(),
            protocol: view.next_header().into(),
            header_length: view.header_len().into(),
            is_first,
            is_whole: is_first && !view.more_frags(),
            may_be_cut: !view.dont_frag(),
        })
    }
}

impl Gateway {
    /// Decides on a packet of the guest's that [`length`] has found sound.
    pub(super) fn let_ipv4_out(&mut self, packet: &mut [u8], now: Instant) -> Result<Fate, Loss> {
        let lease = self.ipv4.as_ref().ok_or(Loss::GuestOther)?;
        let fields = Fields::of(packet).ok_or(Loss::GuestMalformed)?;
        let to_router = fields.destination == lease.router;
        if to_router || fields.destination.is_broadcast() {
            let sources = [lease.address, Ipv4Addr::UNSPECIFIED];
            let content = packet.get(fields.header_length..).unwrap_or_default();
            if let Some(message) = dhcp_message(content, &fields).filter(|_| sources.contains(&fields.source))
            {
                let made = dhcp::answer(lease, self.mtu, message, self.link, &mut self.reply);
                return made.map_or(Ok(Fate::Done), |made| replied(Some(made), Loss::GuestMalformed));
            }
        }
        if is_group(fields.destination) || fields.destination == lease.broadcast {
            return Err(Loss::GuestGroup);
        }
        if fields.source != lease.address || fields.destination == lease.address {
            return Err(Loss::GuestForeign);
        }
        let ends = (lease.router, lease.address);
        if to_router {
            let content = packet.get(fields.header_length..).unwrap_or_default();
            let made = (fields.protocol == ICMP && fields.is_whole)
                .then(|| control::echo_ipv4(content, ends, self.link, &mut self.reply));
            return replied(made.flatten(), Loss::GuestLocal);
        }
        if packet.len() <= self.mtu.into() {
            clamp(packet, &fields, self.mtu);
            return Ok(Fate::Tunnel);
        }
        if fields.may_be_cut {
            clamp(packet, &fields, self.mtu);
            return Ok(Fate::Fragments);
        }
        if !fields.is_first || !self.allowance.take(now) {
            return Err(Loss::GuestTooLarge);
        }
        let (mtu, link) = (self.mtu, self.link);
        let made = control::too_big_ipv4(packet, fields.header_length, ends, mtu, link, &mut self.reply);
        replied(made, Loss::GuestTooLarge)
    }

    /// Lets a packet of the tunnel's that [`length`] has found sound through, if it is the guest's.
    pub(super) fn let_ipv4_in(&self, packet: &mut [u8]) -> Result<(), Loss> {
        let lease = self.ipv4.as_ref().ok_or(Loss::TunnelForeign)?;
        let fields = Fields::of(packet).ok_or(Loss::TunnelForeign)?;
        // The router is here: from the tunnel nobody speaks in its name.
        let is_honest = !is_group(fields.source)
            && fields.source != lease.router
            && fields.source != lease.address
            && fields.destination == lease.address;
        if !is_honest {
            return Err(Loss::TunnelForeign);
        }
        clamp(packet, &fields, self.mtu);
        Ok(())
    }
}

/// What a DHCP client says, if the packet is one's.
fn dhcp_message<'p>(content: &'p [u8], fields: &Fields) -> Option<&'p [u8]> {
    let datagram = UdpPacket::new_checked(content).ok()?;
    let is_dhcp = fields.protocol == UDP
        && fields.is_whole
        && datagram.dst_port() == dhcp::SERVER_PORT
        && datagram.src_port() == dhcp::CLIENT_PORT
        && datagram.verify_checksum(&fields.source.into(), &fields.destination.into());
    is_dhcp
        .then(|| content.get(UDP_HEADER..datagram.len().into()))
        .flatten()
}

fn clamp(packet: &mut [u8], fields: &Fields, mtu: u16) {
    if fields.protocol == TCP
        && fields.is_first
        && let Some(segment) = packet.get_mut(fields.header_length..)
    {
        segment::clamp(segment, mtu.saturating_sub(HEADERS));
    }
}

/// Addresses that no single host beyond a router has: this network, loopback, link-local, groups, reserved, everybody
/// (RFC 6890).
fn is_group(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first == 0 || first >= 224 || address.is_loopback() || address.is_link_local()
}
