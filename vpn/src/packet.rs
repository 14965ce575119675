//! The little that the engine looks at in an IP packet: version, length, addresses. Options, fragments and content are
//! the concern of whoever sends and receives it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of an IPv4 header without options (RFC 791, section 3.1).
const V4_HEADER: usize = 20;
/// Bytes of an IPv6 header (RFC 8200, section 3).
const V6_HEADER: usize = 40;

/// What was read of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Who says to have sent it.
    pub source: IpAddr,
    /// Where it is to go.
    pub destination: IpAddr,
    /// Bytes of it; what is behind is padding.
    pub length: usize,
}

impl Packet {
    /// Reads the packet at the start of `bytes`, which may be anything. `None` unless it is there whole.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let packet = match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes.first_chunk()?),
            6 => Self::parse_v6(bytes.first_chunk()?),
            _ => None,
        }?;
        (packet.length <= bytes.len()).then_some(packet)
    }

    fn parse_v4(header: &[u8; V4_HEADER]) -> Option<Self> {
        let [
            _,
            _,
            l0,
            l1,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
        ] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        (length >= V4_HEADER).then_some(Self {
            source: Ipv4Addr::from([s0, s1, s2, s3]).into(),
            destination: Ipv4Addr::from([d0, d1, d2, d3]).into(),
            length,
        })
    }

    fn parse_v6(header: &[u8; V6_HEADER]) -> Option<Self> {
        let [_, _, _, _, l0, l1, _, _, addresses @ ..] = header;
        let (source, destination) = addresses.split_first_chunk::<16>()?;
        let destination = destination.first_chunk::<16>()?;
        Some(Self {
            source: Ipv6Addr::from(*source).into(),
            destination: Ipv6Addr::from(*destination).into(),
            length: V6_HEADER + usize::from(u16::from_be_bytes([*l0, *l1])),
        })
    }
}
