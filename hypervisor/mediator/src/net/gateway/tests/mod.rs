//! The gateway as a guest sees it: by clients of another hand (smoltcp's), by messages byte for byte, and by nonsense.

mod client;
mod discovery;
mod messages;
mod nonsense;

use super::{Gateway, Outgoing, Setup};
use crate::net::frame::{HEADER_LENGTH, MacAddress};
use crate::net::loss::Loss;
use crate::seam::Instant;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use sekisho_abi::network::Prefix;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv4Packet,
    Icmpv6Packet, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, UdpPacket, UdpRepr,
};

const NIC: MacAddress = MacAddress([0x52, 0x54, 0, 1, 2, 3]);
const OWN: MacAddress = MacAddress([0x50, 0x54, 0, 1, 2, 3]);
const GUEST: Ipv4Addr = Ipv4Addr::new(10, 66, 0, 2);
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 66, 0, 6);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 66, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const GUEST6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x66, 0, 0, 0, 0, 0, 2);
const FAR6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5054, 0xff, 0xfe01, 0x203);
const MTU: u16 = 1420;
const NOW: Instant = Instant(1_000_000_000);

/// What is in the tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inside {
    Ipv4,
    Both,
}

fn gateway(inside: Inside) -> Gateway {
    let mut addresses = Vec::from([Prefix {
        address: GUEST.into(),
        length: 32,
    }]);
    let mut servers: Vec<IpAddr> = Vec::from([SERVER.into()]);
    if inside == Inside::Both {
        addresses.push(Prefix {
            address: GUEST6.into(),
            length: 128,
        });
        servers.push(Ipv6Addr::new(0xfd00, 0x66, 0, 0, 0, 0, 0, 1).into());
    }
    Gateway::new(&Setup {
        addresses: &addresses,
        servers: &servers,
        mtu: MTU,
        nic: NIC,
    })
}

fn ethernet(destination: MacAddress, kind: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = alloc::vec![0; HEADER_LENGTH + payload.len()];
    let header = EthernetRepr {
        src_addr: EthernetAddress(NIC.0),
        dst_addr: EthernetAddress(destination.0),
        ethertype: kind,
    };
    header.emit(&mut EthernetFrame::new_unchecked(&mut bytes[..]));
    bytes[HEADER_LENGTH..].copy_from_slice(payload);
    bytes
}

fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: IpProtocol, content: &[u8]) -> Vec<u8> {
    let mut bytes = alloc::vec![0; 20 + content.len()];
    let header = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: content.len(),
        hop_limit: 64,
    };
    header.emit(
        &mut Ipv4Packet::new_unchecked(&mut bytes[..]),
        &ChecksumCapabilities::default(),
    );
    bytes[20..].copy_from_slice(content);
    bytes
}

fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, protocol: IpProtocol, content: &[u8]) -> Vec<u8> {
    let mut bytes = alloc::vec![0; 40 + content.len()];
    let header = Ipv6Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: content.len(),
        hop_limit: 255,
    };
    header.emit(&mut Ipv6Packet::new_unchecked(&mut bytes[..]));
    bytes[40..].copy_from_slice(content);
    bytes
}

fn udp(ends: (IpAddr, IpAddr), ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut bytes = alloc::vec![0; 8 + payload.len()];
    let header = UdpRepr {
        src_port: ports.0,
        dst_port: ports.1,
    };
    header.emit(
        &mut UdpPacket::new_unchecked(&mut bytes[..]),
        &ends.0.into(),
        &ends.1.into(),
        payload.len(),
        |place| place.copy_from_slice(payload),
        &ChecksumCapabilities::default(),
    );
    bytes
}

/// What a frame of the guest's led to, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Seen {
    Packet(Vec<u8>),
    Large(Vec<u8>),
    Reply(Vec<u8>),
    Done,
    Lost(Loss),
}

fn show(gateway: &mut Gateway, frame: &[u8]) -> Seen {
    let mut frame = frame.to_vec();
    match gateway.outgoing(&mut frame, NOW) {
        Ok(Outgoing::Packet(packet)) => Seen::Packet(packet.to_vec()),
        Ok(Outgoing::Large(packet)) => Seen::Large(packet.to_vec()),
        Ok(Outgoing::Reply(reply)) => {
            judge(reply);
            Seen::Reply(reply.to_vec())
        }
        Ok(Outgoing::Done) => Seen::Done,
        Err(loss) => Seen::Lost(loss),
    }
}

/// Whether a frame to the guest is one that a host believes: by smoltcp, every checksum among it.
fn judge(frame: &[u8]) {
    assert!((60..=1514).contains(&frame.len()));
    let frame = EthernetFrame::new_checked(frame).unwrap();
    assert_eq!(frame.src_addr().0, OWN.0);
    match frame.ethertype() {
        EthernetProtocol::Arp => {
            let arp = ArpPacket::new_checked(frame.payload()).unwrap();
            let ArpRepr::EthernetIpv4 {
                source_protocol_addr, ..
            } = ArpRepr::parse(&arp).unwrap()
            else {
                panic!("another ARP");
            };
            assert_ne!(source_protocol_addr, GUEST);
        }
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_checked(frame.payload()).unwrap();
            Ipv4Repr::parse(&packet, &ChecksumCapabilities::default()).unwrap();
            assert_eq!(packet.src_addr(), ROUTER);
            match packet.next_header() {
                IpProtocol::Udp => {
                    let udp = UdpPacket::new_checked(packet.payload()).unwrap();
                    assert!(udp.verify_checksum(&packet.src_addr().into(), &packet.dst_addr().into()));
                }
                IpProtocol::Icmp => {
                    let message = Icmpv4Packet::new_checked(packet.payload()).unwrap();
                    // smoltcp's own reading wants whole packets quoted, which errors do not have.
                    assert!(message.verify_checksum());
                }
                other => panic!("the gateway said {other}"),
            }
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_checked(frame.payload()).unwrap();
            assert_ne!(packet.src_addr(), GUEST6);
            let ends = (packet.src_addr(), packet.dst_addr());
            match packet.next_header() {
                IpProtocol::Udp => {
                    let udp = UdpPacket::new_checked(packet.payload()).unwrap();
                    assert!(udp.verify_checksum(&ends.0.into(), &ends.1.into()));
                }
                IpProtocol::Icmpv6 => {
                    let message = Icmpv6Packet::new_checked(packet.payload()).unwrap();
                    assert!(message.verify_checksum(&ends.0, &ends.1));
                }
                other => panic!("the gateway said {other}"),
            }
        }
        other => panic!("the gateway said {other}"),
    }
}
