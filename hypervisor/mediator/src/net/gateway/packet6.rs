//! IPv6 packets between the guest and the tunnel, and what the guest asks its link.

use super::discovery::{self, REDIRECT, ROUTER_SOLICITATION, link_local};
use super::reply::{IPV6_HEADER, UDP_HEADER};
use super::{Fate, Gateway, control, dhcp6, replied, segment};
use crate::net::header::{ICMPV6, UDP};
use crate::net::loss::Loss;
use crate::seam::Instant;
use core::net::Ipv6Addr;
use smoltcp::wire::{Icmpv6Packet, Ipv6Packet, UdpPacket};

/// Protocol number (IANA).
const TCP: u8 = 6;
/// Bytes of IPv6 and TCP headers that a segment's greatest size leaves out (RFC 9293, 3.7.1).
const HEADERS: u16 = 60;

/// How long the IPv6 packet is that a frame holds, which may be padded; `None` where it is none.
pub(super) fn length(payload: &[u8]) -> Option<usize> {
    let packet = Ipv6Packet::new_checked(payload).ok()?;
    (packet.version() == 6).then(|| packet.total_len())
}

/// What of a packet decides.
#[derive(Clone, Copy)]
struct Fields {
    source: Ipv6Addr,
    destination: Ipv6Addr,
    protocol: u8,
    hops: u8,
}

impl Fields {
    fn of(packet: &[u8]) -> Option<Self> {
        let view = Ipv6Packet::new_checked(packet).ok()?;
        Some(Self {
            source: view.src_addr(),
            destination: view.dst_addr(),
            protocol: view.next_header().into(),
            hops: view.hop_limit(),
        })
    }
}

impl Gateway {
    /// Decides on a packet of the guest's that [`length`] has found sound.
    pub(super) fn let_ipv6_out(&mut self, packet: &mut [u8], now: Instant) -> Result<Fate, Loss> {
        let lease = self.ipv6.as_ref().ok_or(Loss::GuestOther)?;
        let fields = Fields::of(packet).ok_or(Loss::GuestMalformed)?;
        let content = packet.get(IPV6_HEADER..).unwrap_or_default();
        if is_of_link(fields.destination) || is_of_link(fields.source) {
            return self.ask_link(fields, content);
        }
        if fields.source != lease.address
            || !is_host(fields.destination)
            || fields.destination == lease.address
        {
            return Err(Loss::GuestForeign);
        }
        let is_discovery = content
            .first()
            .is_some_and(|kind| (ROUTER_SOLICITATION..=REDIRECT).contains(kind));
        if fields.protocol == ICMPV6 && is_discovery {
            return Err(Loss::GuestLocal);
        }
        if packet.len() <= self.mtu.into() {
            clamp(packet, &fields, self.mtu);
            return Ok(Fate::Tunnel);
        }
        if !self.allowance.take(now) {
            return Err(Loss::GuestTooLarge);
        }
        let made = control::too_big_ipv6(packet, fields.source, self.mtu, self.link, &mut self.reply);
        replied(made, Loss::GuestTooLarge)
    }

    /// Answers what the guest asks its neighbours, its router and its server.
    fn ask_link(&mut self, fields: Fields, content: &[u8]) -> Result<Fate, Loss> {
        let lease = self.ipv6.as_ref().ok_or(Loss::GuestOther)?;
        let own = link_local(self.link.own);
        let otherwise = if fields.destination.is_multicast() {
            Loss::GuestGroup
        } else {
            Loss::GuestLocal
        };
        let is_guests = fields.source.is_unspecified()
            || fields.source == lease.address
            || (fields.source.is_unicast_link_local() && fields.source != own);
        if !is_guests {
            return Err(Loss::GuestForeign);
        }
        let (link, reply) = (self.link, &mut self.reply);
        let made = match fields.protocol {
            ICMPV6 if is_sound(content, &fields) => {
                let to_router = fields.destination == own;
                let echo = to_router
                    .then(|| control::echo_ipv6(content, (own, fields.source), link, reply))
                    .flatten();
                echo.or_else(|| {
                    discovery::answer(lease, self.mtu, fields.source, fields.hops, content, link, reply)
                })
            }
            UDP => dhcp_message(content, &fields, own)
                .and_then(|message| dhcp6::answer(lease, fields.source, message, link, reply)),
            _ => None,
        };
        replied(made, otherwise)
    }

    /// Lets a packet of the tunnel's that [`length`] has found sound through, if it is the guest's.
    pub(super) fn let_ipv6_in(&self, packet: &mut [u8]) -> Result<(), Loss> {
        let lease = self.ipv6.as_ref().ok_or(Loss::TunnelForeign)?;
        let fields = Fields::of(packet).ok_or(Loss::TunnelForeign)?;
        let is_honest = is_host(fields.source)
            && !is_of_link(fields.source)
            && fields.source != lease.address
            && fields.destination == lease.address;
        if !is_honest {
            return Err(Loss::TunnelForeign);
        }
        clamp(packet, &fields, self.mtu);
        Ok(())
    }
}

/// What a DHCPv6 client says, if the packet is one's.
fn dhcp_message<'p>(content: &'p [u8], fields: &Fields, own: Ipv6Addr) -> Option<&'p [u8]> {
    let datagram = UdpPacket::new_checked(content).ok()?;
    let is_dhcp = [dhcp6::ALL_SERVERS, own].contains(&fields.destination)
        && fields.source.is_unicast_link_local()
        && datagram.dst_port() == dhcp6::SERVER_PORT
        && datagram.src_port() == dhcp6::CLIENT_PORT
        && datagram.verify_checksum(&fields.source.into(), &fields.destination.into());
    is_dhcp
        .then(|| content.get(UDP_HEADER..datagram.len().into()))
        .flatten()
}

fn is_sound(content: &[u8], fields: &Fields) -> bool {
    Icmpv6Packet::new_checked(content)
        .is_ok_and(|packet| packet.verify_checksum(&fields.source, &fields.destination))
}

fn clamp(packet: &mut [u8], fields: &Fields, mtu: u16) {
    if fields.protocol == TCP
        && let Some(segment) = packet.get_mut(IPV6_HEADER..)
    {
        segment::clamp(segment, mtu.saturating_sub(HEADERS));
    }
}

/// Addresses that mean nothing beyond a link, and the one that means nobody.
fn is_of_link(address: Ipv6Addr) -> bool {
    address.is_multicast() || address.is_unicast_link_local() || address.is_unspecified()
}

fn is_host(address: Ipv6Addr) -> bool {
    !address.is_multicast() && !address.is_loopback() && !address.is_unspecified()
}
