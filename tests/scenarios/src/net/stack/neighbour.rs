//! Frames of another host on the wire, made and read by hand with smoltcp's wire types.

use super::bench::PEER;
use sekisho_mediator::net::frame::MacAddress;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet,
    Icmpv4Repr, Icmpv6Packet, Icmpv6Repr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr, Ipv6Address,
    Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscRepr, RawHardwareAddress, UdpPacket, UdpRepr,
};

pub(super) const BROADCAST: MacAddress = MacAddress::BROADCAST;

pub(in crate::net) fn v4(text: &str) -> Ipv4Address {
    text.parse().unwrap()
}

pub(super) fn v6(text: &str) -> Ipv6Address {
    text.parse().unwrap()
}

pub(super) fn checks() -> ChecksumCapabilities {
    ChecksumCapabilities::default()
}

/// A frame of this kind from one to the other.
pub(super) fn ethernet(from: MacAddress, to: MacAddress, kind: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 14 + payload.len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_src_addr(EthernetAddress(from.0));
    frame.set_dst_addr(EthernetAddress(to.0));
    frame.set_ethertype(kind);
    frame.payload_mut().copy_from_slice(payload);
    bytes.resize(bytes.len().max(60), 0);
    bytes
}

/// An ARP packet whose sender is at `from`.
pub(in crate::net) fn arp(
    operation: ArpOperation,
    (from, sender): (MacAddress, &str),
    (to, target): (MacAddress, &str),
) -> Vec<u8> {
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: EthernetAddress(from.0),
        source_protocol_addr: v4(sender),
        target_hardware_addr: EthernetAddress(to.0),
        target_protocol_addr: v4(target),
    };
    let mut payload = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut payload));
    ethernet(from, to, EthernetProtocol::Arp, &payload)
}

/// Who has `target`? Asked of everybody.
pub(in crate::net) fn who_has(sender: &str, target: &str) -> Vec<u8> {
    arp(ArpOperation::Request, (PEER, sender), (BROADCAST, target))
}

/// An IPv4 packet from `from` to hardware address `to`.
pub(super) fn ipv4(
    to: MacAddress,
    (source, destination): (&str, &str),
    protocol: IpProtocol,
    content: &[u8],
) -> Vec<u8> {
    let repr = Ipv4Repr {
        src_addr: v4(source),
        dst_addr: v4(destination),
        next_header: protocol,
        payload_len: content.len(),
        hop_limit: 64,
    };
    let mut payload = vec![0; repr.buffer_len() + content.len()];
    repr.emit(&mut Ipv4Packet::new_unchecked(&mut payload), &checks());
    payload[repr.buffer_len()..].copy_from_slice(content);
    ethernet(PEER, to, EthernetProtocol::Ipv4, &payload)
}

/// An ICMP echo request with that much data.
pub(in crate::net) fn ping(to: MacAddress, ends: (&str, &str), bytes: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..=255).cycle().take(bytes).collect();
    let repr = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 2,
        data: &data,
    };
    let mut content = vec![0; repr.buffer_len()];
    repr.emit(&mut Icmpv4Packet::new_unchecked(&mut content), &checks());
    ipv4(to, ends, IpProtocol::Icmp, &content)
}

/// A UDP datagram.
pub(in crate::net) fn udp(
    to: MacAddress,
    ends: (&str, &str),
    (from_port, to_port): (u16, u16),
    data: &[u8],
) -> Vec<u8> {
    let repr = UdpRepr {
        src_port: from_port,
        dst_port: to_port,
    };
    let mut content = vec![0; repr.header_len() + data.len()];
    let (source, destination) = (v4(ends.0).into(), v4(ends.1).into());
    repr.emit(
        &mut UdpPacket::new_unchecked(&mut content),
        &source,
        &destination,
        data.len(),
        |place| place.copy_from_slice(data),
        &checks(),
    );
    ipv4(to, ends, IpProtocol::Udp, &content)
}

/// An ICMPv6 message.
pub(super) fn icmpv6(
    to: MacAddress,
    (source, destination): (&str, &str),
    message: &Icmpv6Repr<'_>,
) -> Vec<u8> {
    let (source, destination) = (v6(source), v6(destination));
    let repr = Ipv6Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: IpProtocol::Icmpv6,
        payload_len: message.buffer_len(),
        hop_limit: 255,
    };
    let mut payload = vec![0; repr.buffer_len() + message.buffer_len()];
    repr.emit(&mut Ipv6Packet::new_unchecked(&mut payload));
    message.emit(
        &source,
        &destination,
        &mut Icmpv6Packet::new_unchecked(&mut payload[repr.buffer_len()..]),
        &checks(),
    );
    ethernet(PEER, to, EthernetProtocol::Ipv6, &payload)
}

/// The group of an address's solicitations, as a hardware address (RFC 2464, 7).
pub(super) fn group(address: &str) -> (MacAddress, String) {
    let [.., a, b, c] = v6(address).octets();
    // RFC 4291, 2.7.1.
    let node = format!("ff02::1:ff{a:02x}:{b:02x}{c:02x}");
    (MacAddress([0x33, 0x33, 0xff, a, b, c]), node)
}

/// Who has `target`? Asked of its group.
pub(super) fn solicitation(source: &str, target: &str) -> Vec<u8> {
    let (hardware, node) = group(target);
    let lladdr = Some(RawHardwareAddress::from_bytes(&PEER.0));
    let message = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
        target_addr: v6(target),
        lladdr,
    });
    icmpv6(hardware, (source, &node), &message)
}

/// I have `target`.
pub(super) fn advertisement(to: MacAddress, (source, destination): (&str, &str), target: &str) -> Vec<u8> {
    let message = Icmpv6Repr::Ndisc(NdiscRepr::NeighborAdvert {
        flags: NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE,
        target_addr: v6(target),
        lladdr: Some(RawHardwareAddress::from_bytes(&PEER.0)),
    });
    icmpv6(to, (source, destination), &message)
}

/// The ARP packet in a frame.
pub(in crate::net) fn read_arp(frame: &[u8]) -> Option<ArpRepr> {
    let frame = EthernetFrame::new_checked(frame).unwrap();
    (frame.ethertype() == EthernetProtocol::Arp)
        .then(|| ArpRepr::parse(&ArpPacket::new_checked(frame.payload()).unwrap()).unwrap())
}

/// The header and content of the IPv4 packet in a frame, its checksums verified.
pub(in crate::net) fn read_ipv4(frame: &[u8]) -> Option<(Ipv4Repr, Vec<u8>)> {
    let frame = EthernetFrame::new_checked(frame).unwrap();
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let packet = Ipv4Packet::new_checked(frame.payload()).unwrap();
    let repr = Ipv4Repr::parse(&packet, &checks()).unwrap();
    Some((repr, packet.payload().to_vec()))
}

/// Ends, ports and data of the UDP datagram in a frame, its checksums verified.
pub(in crate::net) fn read_udp(frame: &[u8]) -> Option<(Ipv4Repr, UdpRepr, Vec<u8>)> {
    let (ip, content) = read_ipv4(frame)?;
    if ip.next_header != IpProtocol::Udp {
        return None;
    }
    let packet = UdpPacket::new_checked(&content).unwrap();
    let repr = UdpRepr::parse(&packet, &ip.src_addr.into(), &ip.dst_addr.into(), &checks()).unwrap();
    Some((ip, repr, packet.payload().to_vec()))
}
