//! A guest's frames into the gateway of a tunnel: ARP, DHCP, neighbour discovery, DHCPv6 and ping with right checksums and
//! anything else in them, packets, noise; and packets out of the tunnel.
//!
//! What must hold: nothing panics; a reply is a frame with right checksums, and none in the guest's name; what enters the tunnel
//! has the leased address and the length it may have; what the guest gets out of the tunnel is for that address.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::network::Prefix;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::gateway::{Gateway, Outgoing, Setup, split};
use sekisho_mediator::seam::Instant;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv6Packet, IpAddress, IpProtocol, Ipv4Packet,
    Ipv6Packet, UdpPacket,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Steps of one input at most.
const STEPS: usize = 64;
const MTU: u16 = 1280;
const NIC: MacAddress = MacAddress([0x52, 0x54, 0, 0, 0, 0x11]);
const GATEWAY: [u8; 6] = [0x50, 0x54, 0, 0, 0, 0x11];
const V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(10, 66, 0, 2),
    Ipv4Addr::new(10, 66, 0, 6),
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::BROADCAST,
    Ipv4Addr::new(224, 0, 0, 251),
];
const V6: [Ipv6Addr; 6] = [
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5254, 0xff, 0xfe00, 0x11),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::UNSPECIFIED,
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5054, 0xff, 0xfe00, 0x11),
];

#[derive(Arbitrary, Debug)]
enum Step {
    Noise(Vec<u8>),
    /// Of this EtherType.
    Kind(u16, Vec<u8>),
    Arp(Vec<u8>),
    /// A packet with this protocol, between addresses by number, cut or long.
    V4(u8, [u8; 2], u16, Vec<u8>),
    V6(u8, [u8; 2], Vec<u8>),
    /// A DHCP message of this kind with these options.
    Dhcp(u8, [u8; 2], Vec<u8>),
    Dhcp6(Vec<u8>),
    /// Out of the tunnel.
    In4(u8, [u8; 2], Vec<u8>),
    In6(u8, [u8; 2], Vec<u8>),
    Wait(u32),
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let addresses = [(IpAddr::V4(V4[0]), 32), (IpAddr::V6(V6[0]), 128)];
    let addresses = addresses.map(|(address, length)| Prefix { address, length });
    let mut gateway = Gateway::new(&Setup {
        addresses: &addresses,
        servers: &[IpAddr::V4(V4[2]), IpAddr::V6(V6[2])],
        mtu: MTU,
        nic: NIC,
    });
    // Too short an input ends early; that is no finding.
    let _ = run(&mut gateway, &mut input);
});

fn run(gateway: &mut Gateway, input: &mut Unstructured<'_>) -> Result<()> {
    let mut now = Instant(0);
    for _ in 0..STEPS {
        let mut frame = match Step::arbitrary(input)? {
            Step::Noise(bytes) => bytes,
            Step::Kind(kind, bytes) => ethernet(kind, &bytes),
            Step::Arp(bytes) => ethernet(0x0806, &[&[0, 1, 8, 0, 6, 4, 0, 1], &bytes[..]].concat()),
            Step::V4(protocol, ends, flags, bytes) => ethernet(0x0800, &ipv4(protocol, ends, flags, &bytes)),
            Step::V6(next, ends, bytes) => ethernet(0x86dd, &ipv6(next, ends, &bytes)),
            Step::Dhcp(kind, ends, options) => {
                let mut message = vec![0; 248];
                message[1] = 68;
                message[3] = 67;
                message[8..12].copy_from_slice(&[1, 1, 6, 0]);
                message[244..248].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
                message.extend([53, 1, kind]);
                message.extend(options);
                ethernet(0x0800, &ipv4(17, ends, 0, &message))
            }
            Step::Dhcp6(message) => {
                let datagram = [&[2, 34, 2, 35, 0, 0, 0, 0], &message[..]].concat();
                ethernet(0x86dd, &ipv6(17, [1, 4], &datagram))
            }
            Step::In4(protocol, ends, bytes) => {
                receive(gateway, ipv4(protocol, ends, 0, &bytes));
                continue;
            }
            Step::In6(next, ends, bytes) => {
                receive(gateway, ipv6(next, ends, &bytes));
                continue;
            }
            Step::Wait(milliseconds) => {
                now.0 += u64::from(milliseconds) * 1_000_000;
                if let Some(frame) = gateway.poll(now) {
                    judge_reply(frame);
                }
                continue;
            }
        };
        match gateway.outgoing(&mut frame, now) {
            Ok(Outgoing::Packet(packet)) => judge_packet(packet),
            Ok(Outgoing::Large(packet)) => {
                split(packet, MTU.into(), &mut [0; 1500], |piece| judge_packet(piece))
            }
            Ok(Outgoing::Reply(reply)) => judge_reply(reply),
            Ok(Outgoing::Done) | Err(_) => {}
        }
    }
    Ok(())
}

fn receive(gateway: &Gateway, mut packet: Vec<u8>) {
    if let Ok((_, packet)) = gateway.incoming(&mut packet) {
        match packet[0] >> 4 {
            4 => assert_eq!(packet[16..20], V4[0].octets()),
            _ => assert_eq!(packet[24..40], V6[0].octets()),
        }
    }
}

fn judge_packet(packet: &[u8]) {
    assert!(packet.len() <= MTU.into(), "too long for the tunnel");
    match packet[0] >> 4 {
        4 => {
            let packet = Ipv4Packet::new_checked(packet).expect("a packet");
            assert!(packet.verify_checksum());
            assert_eq!(packet.src_addr(), V4[0], "in another's name");
            assert!(!packet.dst_addr().is_multicast() && !packet.dst_addr().is_broadcast());
        }
        _ => {
            let packet = Ipv6Packet::new_checked(packet).expect("a packet");
            assert_eq!(packet.src_addr(), V6[0], "in another's name");
            assert!(!packet.dst_addr().is_multicast());
        }
    }
}

fn judge_reply(bytes: &[u8]) {
    assert!((60..=1514).contains(&bytes.len()));
    let frame = EthernetFrame::new_unchecked(bytes);
    assert_eq!(frame.src_addr().0, GATEWAY);
    match frame.ethertype() {
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_checked(frame.payload()).expect("a packet");
            assert!(packet.verify_checksum());
            assert_ne!(packet.src_addr(), V4[0]);
            judge_content(
                packet.next_header(),
                packet.payload(),
                packet.src_addr().into(),
                packet.dst_addr().into(),
            );
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_checked(frame.payload()).expect("a packet");
            assert_ne!(packet.src_addr(), V6[0]);
            judge_content(
                packet.next_header(),
                packet.payload(),
                packet.src_addr().into(),
                packet.dst_addr().into(),
            );
        }
        kind => assert_eq!(kind, EthernetProtocol::Arp),
    }
}

fn judge_content(protocol: IpProtocol, content: &[u8], from: IpAddress, to: IpAddress) {
    let is_right = match (protocol, from, to) {
        (IpProtocol::Udp, ..) => UdpPacket::new_checked(content)
            .expect("a datagram")
            .verify_checksum(&from, &to),
        (IpProtocol::Icmp, ..) => Icmpv4Packet::new_checked(content)
            .expect("a message")
            .verify_checksum(),
        (IpProtocol::Icmpv6, IpAddress::Ipv6(from), IpAddress::Ipv6(to)) => {
            Icmpv6Packet::new_checked(content)
                .expect("a message")
                .verify_checksum(&from, &to)
        }
        _ => false,
    };
    assert!(is_right, "{protocol} with a wrong checksum");
}

fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&GATEWAY[..], &NIC.0, &kind.to_be_bytes(), payload].concat()
}

fn ipv4(protocol: u8, ends: [u8; 2], flags: u16, content: &[u8]) -> Vec<u8> {
    let [from, to] = ends.map(|end| V4[usize::from(end) % V4.len()]);
    let long = if flags & 0x4000 != 0 { 1400 } else { 0 };
    let mut bytes = vec![0; 20];
    bytes.extend(content);
    bytes.resize(bytes.len() + long, 0);
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes[..]);
    packet.set_version(4);
    packet.set_header_len(20);
    packet.set_total_len(length);
    packet.set_next_header(protocol.into());
    packet.set_src_addr(from);
    packet.set_dst_addr(to);
    packet.set_dont_frag(flags & 1 != 0);
    packet.set_more_frags(flags & 0x8000 != 0);
    packet.set_frag_offset(flags & 0x3ff8);
    packet.fill_checksum();
    seal(protocol, packet.payload_mut(), from.into(), to.into());
    bytes
}

fn ipv6(next: u8, ends: [u8; 2], content: &[u8]) -> Vec<u8> {
    let [from, to] = ends.map(|end| V6[usize::from(end) % V6.len()]);
    let mut bytes = vec![0; 40];
    bytes.extend(content);
    let mut packet = Ipv6Packet::new_unchecked(&mut bytes[..]);
    packet.set_version(6);
    packet.set_payload_len(u16::try_from(content.len()).unwrap_or(u16::MAX));
    packet.set_hop_limit(255);
    packet.set_next_header(next.into());
    packet.set_src_addr(from);
    packet.set_dst_addr(to);
    seal(next, packet.payload_mut(), from.into(), to.into());
    bytes
}

/// Makes a checksum right, where the content is long enough to have one.
fn seal(protocol: u8, content: &mut [u8], from: IpAddress, to: IpAddress) {
    match (protocol, content.len(), from, to) {
        (1, 8.., ..) => Icmpv4Packet::new_unchecked(content).fill_checksum(),
        (17, 8.., ..) => {
            let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
            let mut packet = UdpPacket::new_unchecked(content);
            packet.set_len(length);
            packet.fill_checksum(&from, &to);
        }
        (58, 8.., IpAddress::Ipv6(from), IpAddress::Ipv6(to)) => {
            Icmpv6Packet::new_unchecked(content).fill_checksum(&from, &to);
        }
        _ => {}
    }
}
