//! A host on the test machine's wire that keeps no rule: it sends any bytes as a frame, as fast as the wire takes them.

use crate::failure::Failure;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Its hardware address.
pub const HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 0x66];
/// Its address; nobody else has it.
pub const ADDRESS: [u8; 4] = [198, 51, 100, 66];
/// ICMP (RFC 792).
pub const ICMP: u8 = 1;
/// UDP (RFC 768).
pub const UDP: u8 = 17;

/// The host.
pub struct Peer {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Peer {
    pub(crate) fn new(path: PathBuf) -> Result<Self, Failure> {
        let socket = UnixDatagram::unbound().map_err(Failure::file(&path))?;
        Ok(Self { socket, path })
    }

    /// Puts a frame on the wire, as soon as that has room.
    ///
    /// # Errors
    /// Those of the socket: the machine is off, or the frame longer than any wire's.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send_to(frame, &self.path).map(|_| ())
    }
}

/// A frame from the peer to a hardware address.
#[must_use]
pub fn ethernet(to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &HARDWARE, &kind.to_be_bytes(), payload].concat()
}

/// An ARP packet (RFC 826) that says that `address` is the peer's hardware address, to whoever has `target`.
#[must_use]
pub fn arp(operation: u16, address: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let operation = operation.to_be_bytes();
    let head = [0, 1, 8, 0, 6, 4];
    [&head[..], &operation, &HARDWARE, &address, &[0; 6], &target].concat()
}

/// What an IPv4 header says beside its checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv4 {
    /// The destination.
    pub to: [u8; 4],
    /// ICMP, UDP, ….
    pub protocol: u8,
    /// What fragments of one packet have in common.
    pub identification: u16,
    /// Flags, and the offset in eights of bytes.
    pub fragment: u16,
}

/// An IPv4 packet of the peer's (RFC 791), with the right checksum.
#[must_use]
pub fn ipv4(header: Ipv4, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).unwrap_or(u16::MAX);
    let with = |checksum: u16| {
        [
            &[0x45, 0][..],
            &length.to_be_bytes(),
            &header.identification.to_be_bytes(),
            &header.fragment.to_be_bytes(),
            &[64, header.protocol],
            &checksum.to_be_bytes(),
            &ADDRESS,
            &header.to,
        ]
        .concat()
    };
    [with(checksum(&with(0))), payload.to_vec()].concat()
}

/// A datagram (RFC 768), without a checksum unless `checksum` says one.
#[must_use]
pub fn udp(port: u16, checksum: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 8).unwrap_or(u16::MAX);
    let words = [4000, port, length, checksum].map(u16::to_be_bytes);
    [words.as_flattened(), data].concat()
}

/// An echo request (RFC 792).
#[must_use]
pub fn echo_request(number: u16, data: &[u8]) -> Vec<u8> {
    let with = |checksum: u16| {
        let words = [0x0800, checksum, 0x6666, number].map(u16::to_be_bytes);
        [words.as_flattened(), data].concat()
    };
    with(checksum(&with(0)))
}

/// The checksum of the Internet (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let high = pair.first().copied().unwrap_or(0);
        u16::from_be_bytes([high, pair.get(1).copied().unwrap_or(0)])
    });
    let folded = words.fold(0u16, |sum, word| {
        let (sum, carry) = sum.overflowing_add(word);
        sum + u16::from(carry)
    });
    !folded
}
