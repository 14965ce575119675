//! The DHCP server towards the guest (RFC 2131): one lease, the same for ever, so that nothing has to be remembered.
//!
//! Hostile: the guest's messages.

use super::lease::{Ipv4Lease, SERVERS};
use super::reply::{Link, Reply, TooLong, UDP_HEADER, udp};
use crate::net::frame::MacAddress;
use core::net::Ipv4Addr;
use smoltcp::wire::{
    ArpHardware as Hardware, DhcpFlags, DhcpMessageType as Kind, DhcpOpCode, DhcpOption, DhcpOptionWriter,
    DhcpPacket, EthernetAddress, IpProtocol,
};

/// UDP ports (RFC 2131, 4.1).
pub(super) const SERVER_PORT: u16 = 67;
pub(super) const CLIENT_PORT: u16 = 68;
/// Seconds that a lease lasts, and after which it is renewed (RFC 2131, 4.4.5).
const LEASE: u32 = 86_400;
const RENEW: u32 = LEASE / 2;
const REBIND: u32 = LEASE / 8 * 7;
/// Options (RFC 2132).
const MASK: u8 = 1;
const ROUTER: u8 = 3;
const NAME_SERVERS: u8 = 6;
const INTERFACE_MTU: u8 = 26;
const REQUESTED_ADDRESS: u8 = 50;
const LEASE_TIME: u8 = 51;
const MESSAGE_TYPE: u8 = 53;
const SERVER: u8 = 54;
const RENEWAL: u8 = 58;
const REBINDING: u8 = 59;
const CLIENT: u8 = 61;
/// What makes a message one of DHCP (RFC 2131, 3).
const MAGIC: u32 = 0x6382_5363;
/// Bytes of every message that is sent: the longest identifier and every option fit.
const MESSAGE: usize = 576;

/// What of a message decides.
struct Request<'p> {
    kind: Kind,
    transaction: u32,
    hardware: EthernetAddress,
    /// The address that the guest says it has.
    client: Ipv4Addr,
    requested: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
    /// Sent back as it came (RFC 6842).
    identifier: Option<&'p [u8]>,
    wants_broadcast: bool,
}

impl<'p> Request<'p> {
    fn read(packet: &'p DhcpPacket<&'p [u8]>) -> Option<Self> {
        let is_clients = packet.opcode() == DhcpOpCode::Request
            && packet.magic_number() == MAGIC
            && usize::from(packet.hardware_len()) == packet.client_hardware_address().as_bytes().len()
            && packet.relay_agent_ip().is_unspecified();
        if !is_clients {
            return None;
        }
        let mut request = Self {
            kind: Kind::Unknown(0),
            transaction: packet.transaction_id(),
            hardware: packet.client_hardware_address(),
            client: packet.client_ip(),
            requested: None,
            server: None,
            identifier: None,
            wants_broadcast: packet.flags().contains(DhcpFlags::BROADCAST),
        };
        for option in packet.options() {
            let address = || {
                option
                    .data
                    .first_chunk::<4>()
                    .map(|it| Ipv4Addr::from_octets(*it))
            };
            match option.kind {
                MESSAGE_TYPE => request.kind = Kind::from(*option.data.first()?),
                REQUESTED_ADDRESS => request.requested = address(),
                SERVER => request.server = address(),
                CLIENT => request.identifier = Some(option.data),
                _ => {}
            }
        }
        Some(request)
    }

    /// What is answered, if anything.
    fn answer(&self, lease: &Ipv4Lease) -> Option<Kind> {
        let wanted = self
            .requested
            .or(Some(self.client))
            .filter(|it| !it.is_unspecified());
        match self.kind {
            Kind::Discover => Some(Kind::Offer),
            // Another server's offer was taken, whose frames cannot have come here.
            Kind::Request if self.server.is_some_and(|server| server != lease.router) => None,
            Kind::Request if wanted == Some(lease.address) => Some(Kind::Ack),
            Kind::Request => Some(Kind::Nak),
            Kind::Inform => Some(Kind::Ack),
            // There is nothing else to offer when it declines, and nothing to free when it releases.
            _ => None,
        }
    }
}

/// Makes the reply to a message of the guest's, if there is one.
pub(super) fn answer(
    lease: &Ipv4Lease,
    mtu: u16,
    message: &[u8],
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    let packet = DhcpPacket::new_checked(message).ok()?;
    let request = Request::read(&packet)?;
    let kind = request.answer(lease)?;
    Some(write(lease, mtu, &request, kind, link, reply))
}

fn write(
    lease: &Ipv4Lease,
    mtu: u16,
    request: &Request<'_>,
    kind: Kind,
    link: Link,
    reply: &mut Reply,
) -> Result<(), TooLong> {
    let to_all = kind == Kind::Nak || request.wants_broadcast;
    let (hardware, address) = match (to_all, request.client.is_unspecified()) {
        (true, _) => (MacAddress::BROADCAST, Ipv4Addr::BROADCAST),
        (false, false) => (link.guest, request.client),
        (false, true) => (link.guest, lease.address),
    };
    let mut message = [0; MESSAGE];
    let mut packet = DhcpPacket::new_unchecked(&mut message[..]);
    packet.set_opcode(DhcpOpCode::Reply);
    packet.set_hardware_type(Hardware::Ethernet);
    packet.set_hardware_len(6);
    packet.set_transaction_id(request.transaction);
    packet.set_client_hardware_address(request.hardware);
    packet.set_magic_number(MAGIC);
    if request.wants_broadcast {
        packet.set_flags(DhcpFlags::BROADCAST);
    }
    if kind != Kind::Nak {
        packet.set_client_ip(request.client);
    }
    if gives_lease(request, kind) {
        packet.set_your_ip(lease.address);
    }
    write_options(&mut packet.options_mut(), lease, mtu, request, kind).map_err(|_| TooLong)?;
    let ends = (lease.router, address);
    let place = reply.ipv4(link, hardware, ends, IpProtocol::Udp, UDP_HEADER + MESSAGE)?;
    udp(
        place,
        (ends.0.into(), ends.1.into()),
        (SERVER_PORT, CLIENT_PORT),
        &message,
    );
    Ok(())
}

/// Whether the reply says an address, which one to a request for parameters does not (RFC 2131, 4.3.5).
fn gives_lease(request: &Request<'_>, kind: Kind) -> bool {
    kind != Kind::Nak && request.kind != Kind::Inform
}

/// The options of a reply (RFC 2131, 4.3.1, table 3).
fn write_options(
    options: &mut DhcpOptionWriter<'_>,
    lease: &Ipv4Lease,
    mtu: u16,
    request: &Request<'_>,
    kind: Kind,
) -> Result<(), smoltcp::wire::Error> {
    let mut emit = |kind, data: &[u8]| options.emit(DhcpOption { kind, data });
    emit(MESSAGE_TYPE, &[kind.into()])?;
    emit(SERVER, &lease.router.octets())?;
    if let Some(identifier) = request.identifier {
        emit(CLIENT, identifier)?;
    }
    if gives_lease(request, kind) {
        emit(LEASE_TIME, &LEASE.to_be_bytes())?;
        emit(RENEWAL, &RENEW.to_be_bytes())?;
        emit(REBINDING, &REBIND.to_be_bytes())?;
    }
    if kind != Kind::Nak {
        emit(MASK, &lease.mask.octets())?;
        emit(ROUTER, &lease.router.octets())?;
        emit(INTERFACE_MTU, &mtu.to_be_bytes())?;
        let mut servers = [[0; 4]; SERVERS];
        for (place, server) in servers.iter_mut().zip(&lease.servers) {
            *place = server.octets();
        }
        if let Some(servers @ [_, ..]) = servers.get(..lease.servers.len()) {
            emit(NAME_SERVERS, servers.as_flattened())?;
        }
    }
    options.end()
}
