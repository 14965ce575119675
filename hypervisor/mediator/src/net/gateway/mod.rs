//! The gateway of `net = "vpn"` towards the guest: an ordinary network in which everything but the guest is here.
//!
//! The guest's frames come in, whole and with every offload carried out. What is for the gateway (ARP, DHCP, neighbour
//! discovery, DHCPv6, ping) is answered; an IP packet of the leased address is for the tunnel; everything else goes nowhere,
//! and says why. Packets of the tunnel become frames for the guest. Whether there is a tunnel is not known here.
//!
//! Hostile: the guest's frames, and the packets of the tunnel. Nothing is remembered of either but the guest's hardware
//! address, and nothing is allocated for a frame.

mod arp;
mod control;
mod dhcp;
mod dhcp6;
mod discovery;
mod fragment;
mod lease;
mod packet4;
mod packet6;
mod reply;
mod segment;
#[cfg(test)]
mod tests;

pub use fragment::split;

use super::frame::{HEADER_LENGTH, MacAddress};
use super::header::{ARP, Header, IPV4, IPV6};
use super::loss::Loss;
use crate::seam::Instant;
use control::Allowance;
use core::net::IpAddr;
use lease::{Ipv4Lease, Ipv6Lease};
use reply::{Link, Reply, TooLong, ethernet};
use sekisho_abi::network::Prefix;

/// Nanoseconds between advertisements that nobody asked for: a third of what one is good for.
const ADVERTISEMENTS: u64 = 600_000_000_000;
/// The bit of a hardware address that its maker does not give (IEEE 802, 8.2).
const LOCAL: u8 = 0x02;

/// What a gateway is made of.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'p> {
    /// The guest's addresses inside the tunnel; the first of each IP version is leased.
    pub addresses: &'p [Prefix],
    /// Name servers that the guest is told.
    pub servers: &'p [IpAddr],
    /// Bytes of the longest packet inside the tunnel.
    pub mtu: u16,
    /// The NIC's hardware address; the gateway's differs in one bit.
    pub nic: MacAddress,
}

/// The gateway of one NIC.
pub struct Gateway {
    ipv4: Option<Ipv4Lease>,
    ipv6: Option<Ipv6Lease>,
    mtu: u16,
    link: Link,
    reply: Reply,
    allowance: Allowance,
    advertises_at: Instant,
}

/// What became of a frame of the guest's.
#[derive(PartialEq, Eq, Debug)]
pub enum Outgoing<'g, 'f> {
    /// An IP packet for the tunnel, not longer than its MTU.
    Packet(&'f mut [u8]),
    /// An IPv4 packet for the tunnel that has to be cut into fragments.
    Large(&'f [u8]),
    /// A frame for the guest.
    Reply(&'g [u8]),
    /// It was for the gateway, and asks for no answer.
    Done,
}

/// What one IP version makes of a packet: which of [`Outgoing`], without its bytes.
#[derive(Clone, Copy)]
enum Fate {
    Tunnel,
    Fragments,
    Reply,
    Done,
}

impl Gateway {
    /// A gateway; all that it will ever need is allocated here.
    #[must_use]
    pub fn new(setup: &Setup<'_>) -> Self {
        let [first, rest @ ..] = setup.nic.0;
        let [b, c, d, e, f] = rest;
        Self {
            ipv4: Ipv4Lease::new(setup.addresses, setup.servers),
            ipv6: Ipv6Lease::new(setup.addresses, setup.servers),
            mtu: setup.mtu,
            link: Link {
                guest: setup.nic,
                own: MacAddress([first ^ LOCAL, b, c, d, e, f]),
            },
            reply: Reply::new(),
            allowance: Allowance::default(),
            advertises_at: Instant(0),
        }
    }

    /// Decides on a frame of the guest's: a private copy, which is changed where the tunnel needs it.
    ///
    /// # Errors
    /// [`Loss`]: it goes nowhere, and why.
    pub fn outgoing<'g, 'f>(
        &'g mut self,
        frame: &'f mut [u8],
        now: Instant,
    ) -> Result<Outgoing<'g, 'f>, Loss> {
        let header = Header::read(frame).ok_or(Loss::GuestMalformed)?;
        let (kind, source) = (header.kind, header.source);
        let start = frame.len() - header.payload.len();
        if source.is_group() || source == MacAddress([0; 6]) {
            return Err(Loss::GuestMalformed);
        }
        self.link.guest = source;
        let payload = frame.get_mut(start..).unwrap_or_default();
        match kind {
            ARP => match self.arp(payload)? {
                Some(()) => Ok(Outgoing::Reply(self.reply.frame())),
                None => Ok(Outgoing::Done),
            },
            IPV4 => {
                let length = packet4::length(payload).ok_or(Loss::GuestMalformed)?;
                let packet = payload.get_mut(..length).ok_or(Loss::GuestMalformed)?;
                let fate = self.let_ipv4_out(packet, now)?;
                Ok(self.outcome(fate, packet))
            }
            IPV6 => {
                let length = packet6::length(payload).ok_or(Loss::GuestMalformed)?;
                let packet = payload.get_mut(..length).ok_or(Loss::GuestMalformed)?;
                let fate = self.let_ipv6_out(packet, now)?;
                Ok(self.outcome(fate, packet))
            }
            _ => Err(Loss::GuestOther),
        }
    }

    fn outcome<'g, 'f>(&'g self, fate: Fate, packet: &'f mut [u8]) -> Outgoing<'g, 'f> {
        match fate {
            Fate::Tunnel => Outgoing::Packet(packet),
            Fate::Fragments => Outgoing::Large(packet),
            Fate::Reply => Outgoing::Reply(self.reply.frame()),
            Fate::Done => Outgoing::Done,
        }
    }

    fn arp(&mut self, payload: &[u8]) -> Result<Option<()>, Loss> {
        let lease = self.ipv4.as_ref().ok_or(Loss::GuestOther)?;
        match arp::answer(lease, payload, self.link, &mut self.reply) {
            Some(Ok(())) => Ok(Some(())),
            Some(Err(TooLong)) => Err(Loss::GuestMalformed),
            None => Ok(None),
        }
    }

    /// Decides on a packet that came out of the tunnel, and makes it fit for the guest: the two parts of its frame. What is
    /// behind the packet's own length is left out.
    ///
    /// # Errors
    /// [`Loss`]: it is not the guest's.
    pub fn incoming<'p>(&self, packet: &'p mut [u8]) -> Result<([u8; HEADER_LENGTH], &'p [u8]), Loss> {
        let (kind, length) = match packet.first().map(|first| first >> 4) {
            Some(4) => (IPV4, packet4::length(packet)),
            Some(6) => (IPV6, packet6::length(packet)),
            _ => return Err(Loss::TunnelForeign),
        };
        let length = length.ok_or(Loss::TunnelForeign)?;
        let packet = packet.get_mut(..length).ok_or(Loss::TunnelForeign)?;
        match kind {
            IPV4 => self.let_ipv4_in(packet)?,
            _ => self.let_ipv6_in(packet)?,
        }
        Ok((ethernet(self.link.guest, self.link.own, kind), packet))
    }

    /// A frame for the guest that is due, if one is.
    pub fn poll(&mut self, now: Instant) -> Option<&[u8]> {
        if self.ipv6.is_none() || now < self.advertises_at {
            return None;
        }
        self.advertises_at = Instant(now.0.saturating_add(ADVERTISEMENTS));
        discovery::advertise(self.mtu, self.link, &mut self.reply).ok()?;
        Some(self.reply.frame())
    }

    /// When [`Self::poll`] is due next.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.ipv6.as_ref().map(|_| self.advertises_at)
    }
}

/// A reply that was made, one that was not, or none.
fn replied(made: Option<Result<(), TooLong>>, otherwise: Loss) -> Result<Fate, Loss> {
    match made {
        Some(Ok(())) => Ok(Fate::Reply),
        Some(Err(TooLong)) => Err(Loss::GuestMalformed),
        None => Err(otherwise),
    }
}
