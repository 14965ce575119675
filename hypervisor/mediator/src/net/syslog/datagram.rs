//! A UDP datagram in a whole frame, made without the stack.

use crate::net::frame::MacAddress;
use crate::net::stack::{LONGEST, SHORTEST};
use core::net::{IpAddr, SocketAddr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, IpRepr, UdpPacket, UdpRepr,
};

/// Hops that a datagram may make.
const HOPS: u8 = 64;

/// From where to where.
pub(super) struct Ends {
    /// Our hardware address.
    pub(super) source_hardware: MacAddress,
    /// The collector's or the router's.
    pub(super) destination_hardware: MacAddress,
    /// Our address.
    pub(super) source: IpAddr,
    /// The collector.
    pub(super) destination: SocketAddr,
}

/// A frame.
pub(super) struct Datagram {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Datagram {
    /// The frame with this payload; `None` where that is too long, or the ends are of two IP versions.
    pub(super) fn new(ends: &Ends, payload: &[u8]) -> Option<Self> {
        let udp = UdpRepr {
            src_port: super::SOURCE_PORT,
            dst_port: ends.destination.port(),
        };
        let (from, to) = (ends.source, ends.destination.ip());
        if from.is_ipv4() != to.is_ipv4() {
            return None;
        }
        let content = udp.header_len() + payload.len();
        let ip = IpRepr::new(from.into(), to.into(), IpProtocol::Udp, content, HOPS);
        let ethernet = EthernetRepr {
            src_addr: EthernetAddress(ends.source_hardware.0),
            dst_addr: EthernetAddress(ends.destination_hardware.0),
            ethertype: match from {
                IpAddr::V4(_) => EthernetProtocol::Ipv4,
                IpAddr::V6(_) => EthernetProtocol::Ipv6,
            },
        };
        let length = ethernet.buffer_len() + ip.buffer_len();
        let mut bytes = [0; LONGEST];
        let checksums = ChecksumCapabilities::default();
        let frame = bytes.get_mut(..length)?;
        ethernet.emit(&mut EthernetFrame::new_unchecked(&mut *frame));
        let packet = frame.get_mut(ethernet.buffer_len()..)?;
        ip.emit(&mut *packet, &checksums);
        let datagram = packet.get_mut(ip.header_len()..)?;
        let mut view = UdpPacket::new_unchecked(datagram);
        udp.emit(
            &mut view,
            &from.into(),
            &to.into(),
            payload.len(),
            |place| place.copy_from_slice(payload),
            &checksums,
        );
        Some(Self {
            bytes,
            length: length.max(SHORTEST),
        })
    }

    /// Its bytes, filled up to the least that a wire takes.
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
