//! What a frame says of itself, read at fixed places: enough to decide whose it is.
//!
//! Nothing is verified, and lengths inside the frame are not believed: a frame that lies is still decided by the same bytes
//! that a receiver would look at.

use super::frame::{HEADER_LENGTH, MacAddress};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// EtherType of IPv4 (IEEE 802 numbers of IANA, as all three).
pub(crate) const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub(crate) const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub(crate) const IPV6: u16 = 0x86dd;
/// EtherType of a customer VLAN tag (IEEE 802.1Q, 9.6).
const TAGGED: u16 = 0x8100;
/// Bytes of such a tag.
pub(crate) const TAG_LENGTH: usize = 4;
/// The bits of its control information that are the VLAN's identifier; 0 is none, the tag has a priority only.
pub(crate) const VLAN_MASK: u16 = 0x0fff;

/// Protocol number of UDP (RFC 791, 3.1, and IANA, as both).
pub(crate) const UDP: u8 = 17;
/// Protocol number of ICMPv6.
pub(crate) const ICMPV6: u8 = 58;

/// A frame's addresses, its EtherType and what is behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'f> {
    /// For whom.
    pub(crate) destination: MacAddress,
    /// From whom.
    pub(crate) source: MacAddress,
    /// EtherType, behind a tag without VLAN.
    pub(crate) kind: u16,
    /// Everything behind the EtherType.
    pub(crate) payload: &'f [u8],
}

impl<'f> Header<'f> {
    /// The header of a frame. A tag that only says a priority is passed over; one of a VLAN is a kind that nobody here knows.
    pub(crate) fn read(frame: &'f [u8]) -> Option<Self> {
        let (header, payload) = frame.split_first_chunk::<HEADER_LENGTH>()?;
        let [destination @ .., _, _, _, _, _, _, _, _] = *header;
        let [_, _, _, _, _, _, source @ .., high, low] = *header;
        let kind = u16::from_be_bytes([high, low]);
        let (kind, payload) = match (kind, payload) {
            (TAGGED, [high, low, kind_high, kind_low, behind @ ..])
                if u16::from_be_bytes([*high, *low]) & VLAN_MASK == 0 =>
            {
                (u16::from_be_bytes([*kind_high, *kind_low]), behind)
            }
            plain => plain,
        };
        Some(Self {
            destination: MacAddress(destination),
            source: MacAddress(source),
            kind,
            payload,
        })
    }

    /// The destination of an IPv4 packet (RFC 791, 3.1).
    pub(crate) fn ipv4_destination(&self) -> Option<Ipv4Addr> {
        self.at(16).map(Ipv4Addr::from_octets)
    }

    /// The source of an IPv4 packet.
    pub(crate) fn ipv4_source(&self) -> Option<Ipv4Addr> {
        self.at(12).map(Ipv4Addr::from_octets)
    }

    /// The destination of an IPv6 packet (RFC 8200, 3).
    pub(crate) fn ipv6_destination(&self) -> Option<Ipv6Addr> {
        self.at(24).map(Ipv6Addr::from_octets)
    }

    /// The source of an IPv6 packet.
    pub(crate) fn ipv6_source(&self) -> Option<Ipv6Addr> {
        self.at(8).map(Ipv6Addr::from_octets)
    }

    /// The protocol of a whole IPv4 packet and what it carries; `None` for a fragment.
    pub(crate) fn ipv4_content(&self) -> Option<(u8, &'f [u8])> {
        let [version_and_length] = self.at(0)?;
        let (offset, more) = self.ipv4_fragment()?;
        let content = self.payload.get(usize::from(version_and_length & 0xf) * 4..)?;
        let [protocol] = self.at(9)?;
        (offset == 0 && !more).then_some((protocol, content))
    }

    /// Where in its packet an IPv4 fragment lies, in bytes, and whether more follow.
    pub(crate) fn ipv4_fragment(&self) -> Option<(usize, bool)> {
        let flags = u16::from_be_bytes(self.at(6)?);
        Some((usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0))
    }

    /// The ICMPv6 message of an IPv6 packet, behind the extension headers that may stand before it (RFC 8200, 4.1): of a
    /// bounded number, none a fragment's.
    pub(crate) fn icmpv6(&self) -> Option<&'f [u8]> {
        const MOST_EXTENSIONS: usize = 8;
        let [mut next] = self.at(6)?;
        let mut content = self.payload.get(40..)?;
        for _ in 0..MOST_EXTENSIONS {
            match next {
                ICMPV6 => return Some(content),
                // Hop-by-hop options, routing, destination options: next header, then length in units of eight bytes
                // beyond the first.
                0 | 43 | 60 => {
                    let [following, length, ..] = *content else {
                        return None;
                    };
                    next = following;
                    content = content.get((usize::from(length) + 1) * 8..)?;
                }
                _ => return None,
            }
        }
        None
    }

    /// The sender of a whole UDP datagram right behind its IP header, and the two ports.
    pub(crate) fn udp_ends(&self) -> Option<(IpAddr, u16, u16)> {
        let (source, protocol, content) = match self.kind {
            IPV4 => {
                let (protocol, content) = self.ipv4_content()?;
                (IpAddr::V4(self.ipv4_source()?), protocol, content)
            }
            IPV6 => {
                let [next] = self.at(6)?;
                (IpAddr::V6(self.ipv6_source()?), next, self.payload.get(40..)?)
            }
            _ => return None,
        };
        let [a, b, c, d] = *content.first_chunk()?;
        (protocol == UDP).then_some((source, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// The sender's protocol address in an ARP packet (RFC 826).
    pub(crate) fn arp_sender(&self) -> Option<Ipv4Addr> {
        self.at(14).map(Ipv4Addr::from_octets)
    }

    /// The target's protocol address in an ARP packet.
    pub(crate) fn arp_target(&self) -> Option<Ipv4Addr> {
        self.at(24).map(Ipv4Addr::from_octets)
    }

    fn at<const LENGTH: usize>(&self, place: usize) -> Option<[u8; LENGTH]> {
        self.payload.get(place..)?.first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn frame(tag: &[u8], kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame: Vec<u8> = (0..12).collect();
        frame.extend_from_slice(tag);
        frame.extend_from_slice(&kind.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn a_header_is_two_addresses_and_a_kind() {
        let bytes = frame(&[], IPV6, &[9]);
        let header = Header::read(&bytes).unwrap();
        assert_eq!(header.destination, MacAddress([0, 1, 2, 3, 4, 5]));
        assert_eq!(header.source, MacAddress([6, 7, 8, 9, 10, 11]));
        assert_eq!((header.kind, header.payload), (IPV6, &[9][..]));
        assert!(Header::read(&bytes[..13]).is_none());
    }

    #[test]
    fn a_priority_tag_is_passed_over_and_a_vlan_is_not() {
        let priority = frame(&[0x81, 0, 0xe0, 0], ARP, &[]);
        assert_eq!(Header::read(&priority).unwrap().kind, ARP);
        let vlan = frame(&[0x81, 0, 0xe0, 1], ARP, &[]);
        assert_eq!(Header::read(&vlan).unwrap().kind, TAGGED);
    }

    #[test]
    fn an_icmpv6_message_is_found_behind_extension_headers_and_not_in_a_fragment() {
        let mut packet = [0; 60];
        packet[6] = 60;
        packet[40] = ICMPV6;
        packet[41] = 1;
        packet[56] = 136;
        let bytes = frame(&[], IPV6, &packet);
        assert_eq!(Header::read(&bytes).unwrap().icmpv6(), Some(&[136, 0, 0, 0][..]));
        packet[6] = 44;
        let bytes = frame(&[], IPV6, &packet);
        assert_eq!(Header::read(&bytes).unwrap().icmpv6(), None);
        // A chain that has no end.
        packet[6] = 0;
        packet[40] = 0;
        packet[41] = 0;
        let bytes = frame(&[], IPV6, &packet);
        assert_eq!(Header::read(&bytes).unwrap().icmpv6(), None);
    }

    #[test]
    fn no_cut_makes_reading_go_wrong() {
        let bytes = frame(&[0x81, 0, 0, 0], IPV4, &[0x4f; 64]);
        for length in 0..bytes.len() {
            if let Some(header) = Header::read(&bytes[..length]) {
                let _ = (
                    header.ipv4_content(),
                    header.icmpv6(),
                    header.arp_target(),
                    header.ipv6_destination(),
                );
            }
        }
    }
}
