//! DHCP requests of the appliance's own, told from the guest's on one hardware address.
//!
//! A server knows its clients by their identifier, and by hardware address where they send none (RFC 2131, 4.2). The stack
//! sends its hardware address as identifier, and so may the guest: they would be one client and be given one address. So the
//! identifier of what leaves is of the type that is no hardware address (RFC 2132, 9.14), with the same bytes: another client,
//! and the same one at every boot. Replies are told by the request's transaction.

use crate::net::header::{Header, IPV4, UDP};
use smoltcp::wire::{DhcpPacket, UdpPacket};

/// UDP ports of DHCP (RFC 2131, 4.1).
const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// Where a DHCP message's options begin (RFC 2131, 2, and the magic number of section 3).
const OPTIONS: usize = 240;
/// Bytes of a UDP header (RFC 768).
const UDP_HEADER: usize = 8;
/// The option that names the client (RFC 2132, 9.14), and those without a length.
const CLIENT_IDENTIFIER: u8 = 61;
const PAD: u8 = 0;
const END: u8 = 255;
/// The type of an identifier that is no hardware address, and that of Ethernet's.
const NO_HARDWARE_TYPE: u8 = 0;
const ETHERNET_TYPE: u8 = 1;

/// A request that waits for its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    transaction: u32,
}

impl Request {
    /// Makes a frame of the stack's, if it is a DHCP request, one of the appliance's.
    pub(crate) fn mark(frame: &mut [u8]) -> Option<Self> {
        let header = Header::read(frame)?;
        let message = message(&header, CLIENT_PORT, SERVER_PORT)?;
        let transaction = DhcpPacket::new_checked(message).ok()?.transaction_id();
        set_type(frame, CLIENT_PORT, SERVER_PORT, NO_HARDWARE_TYPE)?;
        Some(Self { transaction })
    }

    /// Gives the stack back the identifier that it sent: servers return it (RFC 6842), and the stack knows only its own.
    pub(crate) fn unmark(frame: &mut [u8]) {
        set_type(frame, SERVER_PORT, CLIENT_PORT, ETHERNET_TYPE);
    }

    /// Whether a frame from outside is the reply to this request.
    pub(crate) fn is_answered_by(&self, header: &Header<'_>) -> bool {
        let message = message(header, SERVER_PORT, CLIENT_PORT);
        let packet = message.and_then(|message| DhcpPacket::new_checked(message).ok());
        packet.is_some_and(|packet| packet.transaction_id() == self.transaction)
    }
}

/// Writes the type of the client's identifier, if the frame is a DHCP message that has one and arrived whole.
fn set_type(frame: &mut [u8], from: u16, to: u16, value: u8) -> Option<()> {
    let header = Header::read(frame)?;
    let message = message(&header, from, to)?;
    let ends = (header.ipv4_source()?.into(), header.ipv4_destination()?.into());
    let start = frame.len() - message.len();
    let place = start + identifier_type(message)?;
    let is_whole = UdpPacket::new_checked(frame.get(start - UDP_HEADER..)?)
        .ok()?
        .verify_checksum(&ends.0, &ends.1);
    if is_whole {
        *frame.get_mut(place)? = value;
        let packet = frame.get_mut(start - UDP_HEADER..)?;
        UdpPacket::new_checked(packet)
            .ok()?
            .fill_checksum(&ends.0, &ends.1);
    }
    Some(())
}

/// The DHCP message in a frame, if it goes between these ports.
fn message<'f>(header: &Header<'f>, from: u16, to: u16) -> Option<&'f [u8]> {
    let (protocol, datagram) = header.ipv4_content().filter(|_| header.kind == IPV4)?;
    let packet = UdpPacket::new_checked(datagram).ok()?;
    let matches = protocol == UDP && packet.src_port() == from && packet.dst_port() == to;
    matches.then(|| datagram.get(UDP_HEADER..)).flatten()
}

/// Where in a DHCP message the type of the client's identifier is.
fn identifier_type(message: &[u8]) -> Option<usize> {
    let mut place = OPTIONS;
    // Each turn goes on by a byte at least.
    loop {
        match *message.get(place)? {
            PAD => place += 1,
            END => return None,
            CLIENT_IDENTIFIER => return Some(place + 2),
            _ => place += 2 + usize::from(*message.get(place + 1)?),
        }
    }
}
