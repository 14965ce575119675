//! An Ethernet frame on its way, and what its sender left to the NIC.
//!
//! Drivers write an [`Offload`] down from their guest's descriptors, whatever their family; who hands a frame on either
//! has the real NIC do the same, or carries it out before anything else looks at the bytes.

/// Bytes of a hardware address.
pub const ADDRESS_LENGTH: usize = 6;
/// Bytes before the payload of an untagged frame (IEEE 802.3, 3.1.1).
pub const HEADER_LENGTH: usize = 14;

/// A hardware address (IEEE 802, 8.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MacAddress(pub [u8; ADDRESS_LENGTH]);

/// A frame from destination address to payload, without preamble and checksum.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What is still to be done before it may be on a wire.
    pub offload: Offload,
}

/// What a sender leaves to the NIC.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Offload {
    /// The checksum of the IPv4 header.
    pub network: Option<Checksum>,
    /// The checksum of TCP or UDP; the field holds the sum over the pseudo-header.
    pub transport: Option<Checksum>,
    /// The frame is one of many: TCP over these headers.
    pub segmentation: Option<Segmentation>,
    /// The VLAN tag to insert (IEEE 802.1Q, 9.6).
    pub tag: Option<u16>,
}

/// An Internet checksum (RFC 1071) to be written. Offsets are bytes from the start of the frame; nobody has checked them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checksum {
    /// The first byte that is summed up.
    pub start: u16,
    /// Where the sum is stored.
    pub place: u16,
    /// The last byte that is summed up; `None` where it is the frame's.
    pub last: Option<u16>,
}

/// How a large TCP frame is cut. Each piece has its own lengths, identification, sequence number and checksums; the field
/// of TCP's checksum holds the sum over the pseudo-header without its length, and [`Offload::transport`] says where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segmentation {
    /// Bytes of headers, which each piece gets.
    pub headers: u16,
    /// Most bytes of payload in a piece.
    pub payload: u16,
    /// Where the network header begins, in bytes from the start of the frame.
    pub start: u16,
    /// What carries it.
    pub network: Network,
}

/// A protocol of the network layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// IPv4 (RFC 791).
    Ipv4,
    /// IPv6 (RFC 8200).
    Ipv6,
}

impl Frame<'_> {
    /// Whom it is for; `None` in a frame that is too short to say.
    #[must_use]
    pub fn destination(&self) -> Option<MacAddress> {
        self.bytes.first_chunk().map(|bytes| MacAddress(*bytes))
    }
}

impl MacAddress {
    /// Everybody's.
    pub const BROADCAST: Self = Self([0xff; ADDRESS_LENGTH]);

    /// Whether it is a group's, everybody's among them.
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }
}
