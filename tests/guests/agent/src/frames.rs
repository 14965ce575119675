//! Frames of every kind that must not leave a guest behind a tunnel, past its own IP stack; each carries [`MARK`].

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, sendto, socket};
use std::os::fd::AsRawFd;

/// What the harness looks for on the wire.
pub const MARK: &[u8; 16] = b"sekisho: leaked!";
/// Bytes of a hardware address.
const MAC: usize = 6;
/// To everybody, to groups of IPv4, IPv6 and bridges, and to nobody known.
const GROUPS: [[u8; MAC]; 5] = [
    [0xff; MAC],
    [0x01, 0x00, 0x5e, 0, 0, 1],
    [0x33, 0x33, 0, 0, 0, 1],
    [0x01, 0x80, 0xc2, 0, 0, 0x0e],
    [0x02, 0, 0, 0, 0, 0x77],
];
/// A source that is nobody's.
const FORGED: [u8; MAC] = [0x02, 0xbe, 0xef, 0, 0, 1];
/// Where the wire's far end is, and addresses that the guest was not given.
const FAR: [u8; 4] = [198, 51, 100, 1];
const SOURCES: [[u8; 4]; 3] = [[198, 51, 100, 9], [198, 51, 100, 7], [10, 66, 0, 2]];
/// LLDP, EAPOL, PPPoE, MPLS, wake-on-LAN, flow control, two of nobody's, and lengths in place of types.
const TYPES: [u16; 10] = [
    0x88cc, 0x888e, 0x8863, 0x8847, 0x0842, 0x8808, 0x88b5, 0xffff, 0x0040, 0x0000,
];
/// Tags of VLANs: customer's, provider's; priority alone, an ordinary one, the last.
const TAGS: [[u8; 4]; 4] = [
    [0x81, 0x00, 0xe0, 0x00],
    [0x81, 0x00, 0x00, 0x05],
    [0x88, 0xa8, 0x00, 0x05],
    [0x81, 0x00, 0x0f, 0xff],
];

/// Sends all of them by `interface`, to the host `far` on its wire among others.
pub fn send(interface: &str, far: &str) -> Result<String, String> {
    let (at, own) = place(interface)?;
    let far = hardware_address(far)?;
    let raw = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None)
        .map_err(|error| format!("a raw socket: {error}"))?;
    let mut sent = 0_u32;
    for destination in GROUPS.into_iter().chain([far, own]) {
        for source in [own, FORGED, far] {
            for payload in payloads() {
                let frame = [&destination[..], &source, &payload].concat();
                // The kernel may refuse one; what it takes counts.
                let taken = sendto(raw.as_raw_fd(), &frame, &at, MsgFlags::empty());
                sent += u32::from(taken.is_ok());
            }
        }
    }
    Ok(format!("sent {sent}\n"))
}

/// Everything behind the hardware addresses.
fn payloads() -> Vec<Vec<u8>> {
    let mut payloads: Vec<Vec<u8>> = TYPES.iter().map(|kind| of(*kind, &mark())).collect();
    for source in SOURCES {
        payloads.push(of(0x0800, &ipv4(source)));
        payloads.push(of(0x0806, &arp(source)));
    }
    payloads.push(of(0x86dd, &ipv6()));
    for tag in TAGS {
        for inner in [of(0x0800, &ipv4(FAR)), of(0x0806, &arp(FAR)), of(0x88b5, &mark())] {
            payloads.push([&tag[..], &inner].concat());
        }
    }
    payloads
}

fn of(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], body].concat()
}

fn mark() -> Vec<u8> {
    MARK.repeat(4)
}

/// UDP to the far end; without a checksum, which is allowed.
fn ipv4(source: [u8; 4]) -> Vec<u8> {
    let datagram = [&[0x13, 0x88, 0x13, 0x88, 0, 72, 0, 0][..], &mark()].concat();
    let mut packet = [0x45, 0, 0, 92, 0, 1, 0, 0, 64, 17, 0, 0].to_vec();
    packet.extend(source.into_iter().chain(FAR));
    let sum: u32 = packet
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let folded = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&folded.to_be_bytes());
    [packet, datagram].concat()
}

/// To every node of the link, from an address that was not given.
fn ipv6() -> Vec<u8> {
    let source = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let destination = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let header = [0x60, 0, 0, 0, 0, 64, 59, 255];
    [&header[..], &source, &destination, &mark()].concat()
}

/// A question for the far end's hardware address, and the mark where padding is.
fn arp(source: [u8; 4]) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    [&head[..], &FORGED, &source, &[0; MAC], &FAR, &mark()].concat()
}

/// An interface, as a raw socket takes it, and its hardware address.
fn place(interface: &str) -> Result<(LinkAddr, [u8; MAC]), String> {
    let mut all = getifaddrs().map_err(|error| format!("interfaces: {error}"))?;
    let found = all.find_map(|it| {
        let address = it.address.filter(|_| it.interface_name == interface)?;
        let link =
            (address.family()? == AddressFamily::Packet).then(|| address.as_link_addr().copied())??;
        Some((link, link.addr()?))
    });
    found.ok_or_else(|| format!("there is no {interface}"))
}

fn hardware_address(text: &str) -> Result<[u8; MAC], String> {
    let bytes: Option<Vec<u8>> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect();
    let bytes = bytes.and_then(|bytes| <[u8; MAC]>::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("{text} is no hardware address"))
}
