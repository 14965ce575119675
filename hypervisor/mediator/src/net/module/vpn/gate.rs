//! What may leave by the wire of a NIC whose guest is behind a tunnel.
//!
//! Nothing of the guest's comes this far; this looks at the appliance's own stack, which might answer what it should not.

use crate::net::frame::{Frame, Offload};
use crate::net::header::{ARP, Header, IPV4, IPV6};
use crate::net::port::{Full, Outlets, WireLink};
use crate::net::stack::{NAME_SERVER_PORT, NameServers};
use crate::net::syslog;
use core::net::SocketAddr;

/// Ports of a DHCP client and server (RFC 2131, 4.1).
const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;
/// Solicitations and advertisements of routers and neighbours (RFC 4861, 4).
const DISCOVERY: core::ops::RangeInclusive<u8> = 133..=136;

/// What the appliance sends beside what finds ways: datagrams from and to these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Our port of the tunnel; to any one host, since peers move.
    pub(super) tunnel_port: u16,
    /// The log's collector, where the log leaves outside.
    pub(super) collector: Option<SocketAddr>,
    /// Who is asked for names.
    pub(super) servers: NameServers,
}

impl Allowed {
    fn allows(&self, bytes: &[u8]) -> bool {
        let Some(header) = Header::read(bytes) else {
            return false;
        };
        if header.kind == ARP {
            return true;
        }
        if header.kind == IPV6
            && let Some(kind) = header.icmpv6().and_then(|message| message.first())
        {
            return DISCOVERY.contains(kind);
        }
        let destination = match header.kind {
            IPV4 => header.ipv4_destination().map(Into::into),
            IPV6 => header.ipv6_destination().map(Into::into),
            _ => None,
        };
        let (Some(to), Some((_, from_port, to_port))) = (destination, header.udp_ends()) else {
            return false;
        };
        // Who forges a name's answer, or a server of addresses that lies, does not make us speak to everybody.
        let is_to_one = !header.destination.is_group();
        let is_log = from_port == syslog::SOURCE_PORT && self.collector == Some(SocketAddr::new(to, to_port));
        let is_question = to_port == NAME_SERVER_PORT && self.servers.contains(&Some(to));
        let asks_address = header.kind == IPV4 && from_port == CLIENT_PORT && to_port == SERVER_PORT;
        (is_to_one && (from_port == self.tunnel_port || is_question)) || asks_address || is_log
    }
}

/// The outlets of a driver, of which the wire's is watched.
pub(super) struct Gate<'a, O> {
    out: &'a mut O,
    allowed: Allowed,
    /// Frames that did not leave.
    pub(super) withheld: usize,
}

impl<'a, O> Gate<'a, O> {
    pub(super) const fn new(out: &'a mut O, allowed: Allowed) -> Self {
        Self {
            out,
            allowed,
            withheld: 0,
        }
    }
}

impl<O: Outlets> Outlets for Gate<'_, O> {
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        if frame.offload == Offload::default() && self.allowed.allows(frame.bytes) {
            return self.out.to_wire(frame);
        }
        self.withheld += 1;
        Ok(())
    }

    fn wire(&self) -> WireLink {
        self.out.wire()
    }

    fn to_guest(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        self.out.to_guest(frame)
    }
}
