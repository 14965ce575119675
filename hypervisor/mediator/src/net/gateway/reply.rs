//! A frame to the guest while it is made: one buffer, taken once.

use crate::net::frame::{HEADER_LENGTH, MacAddress};
use crate::net::header::{IPV4, IPV6};
use crate::net::stack::{LONGEST, SHORTEST};
use alloc::boxed::Box;
use alloc::vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, UdpPacket, UdpRepr};

/// Bytes of headers without options (RFC 791, 3.1; RFC 8200, 3; RFC 768).
pub(super) const IPV4_HEADER: usize = 20;
pub(super) const IPV6_HEADER: usize = 40;
pub(super) const UDP_HEADER: usize = 8;
/// Hops of a packet that must not have come from elsewhere (RFC 4861, 7.1), and those of the rest.
pub(super) const ALL_HOPS: u8 = 255;
const HOPS: u8 = 64;

/// The two ends of the guest's wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The guest, as its last frame said.
    pub(super) guest: MacAddress,
    /// The gateway.
    pub(super) own: MacAddress,
}

/// The last frame that was made.
pub(super) struct Reply {
    bytes: Box<[u8]>,
    length: usize,
}

/// It would be longer than a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooLong;

impl Reply {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; LONGEST].into_boxed_slice(),
            length: 0,
        }
    }

    /// The whole frame.
    pub(super) fn frame(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Begins a frame; its payload is `length` zeros to write over.
    pub(super) fn begin(
        &mut self,
        link: Link,
        to: MacAddress,
        kind: u16,
        length: usize,
    ) -> Result<&mut [u8], TooLong> {
        let whole = HEADER_LENGTH + length;
        let bytes = self.bytes.get_mut(..whole.max(SHORTEST)).ok_or(TooLong)?;
        bytes.fill(0);
        self.length = bytes.len();
        let (header, behind) = bytes.split_at_mut_checked(HEADER_LENGTH).ok_or(TooLong)?;
        header.copy_from_slice(&ethernet(to, link.own, kind));
        behind.get_mut(..length).ok_or(TooLong)
    }

    /// Begins an IPv4 packet, and gives its payload.
    pub(super) fn ipv4(
        &mut self,
        link: Link,
        to: MacAddress,
        ends: (Ipv4Addr, Ipv4Addr),
        protocol: IpProtocol,
        length: usize,
    ) -> Result<&mut [u8], TooLong> {
        let packet = self.begin(link, to, IPV4, IPV4_HEADER + length)?;
        let header = Ipv4Repr {
            src_addr: ends.0,
            dst_addr: ends.1,
            next_header: protocol,
            payload_len: length,
            hop_limit: HOPS,
        };
        header.emit(
            &mut Ipv4Packet::new_unchecked(&mut *packet),
            &ChecksumCapabilities::default(),
        );
        packet.get_mut(IPV4_HEADER..).ok_or(TooLong)
    }

    /// Begins an IPv6 packet, and gives its payload.
    pub(super) fn ipv6(
        &mut self,
        link: Link,
        to: MacAddress,
        ends: (Ipv6Addr, Ipv6Addr),
        protocol: IpProtocol,
        length: usize,
    ) -> Result<&mut [u8], TooLong> {
        let packet = self.begin(link, to, IPV6, IPV6_HEADER + length)?;
        let header = Ipv6Repr {
            src_addr: ends.0,
            dst_addr: ends.1,
            next_header: protocol,
            payload_len: length,
            hop_limit: ALL_HOPS,
        };
        header.emit(&mut Ipv6Packet::new_unchecked(&mut *packet));
        packet.get_mut(IPV6_HEADER..).ok_or(TooLong)
    }
}

/// Writes a UDP header and `payload` over `place`, which must be as long as both.
pub(super) fn udp(place: &mut [u8], ends: (IpAddress, IpAddress), ports: (u16, u16), payload: &[u8]) {
    let header = UdpRepr {
        src_port: ports.0,
        dst_port: ports.1,
    };
    header.emit(
        &mut UdpPacket::new_unchecked(place),
        &ends.0,
        &ends.1,
        payload.len(),
        |place| {
            if place.len() == payload.len() {
                place.copy_from_slice(payload);
            }
        },
        &ChecksumCapabilities::default(),
    );
}

/// An Ethernet header (IEEE 802.3, 3.1.1).
pub(super) fn ethernet(to: MacAddress, from: MacAddress, kind: u16) -> [u8; HEADER_LENGTH] {
    let [a, b, c, d, e, f] = to.0;
    let [g, h, i, j, k, l] = from.0;
    let [high, low] = kind.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, high, low]
}
