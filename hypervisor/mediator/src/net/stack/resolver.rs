//! Addresses of names, asked of the policy's name servers, or of those that DHCP gave where it names none (RFC 1035).
//!
//! Answers are not authentic: who forges one makes a tunnel's handshake go astray, and no more. One name at a time.

use alloc::vec;
use core::net::IpAddr;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::dns::{GetQueryResultError, QueryHandle, Socket};
use smoltcp::wire::{DnsQueryType, IpAddress};

/// Name servers that are asked at most: smoltcp's `dns-max-server-count` of Cargo.toml.
const SERVERS: usize = 3;
/// The port of name servers.
pub(crate) const PORT: u16 = 53;

/// The name servers.
pub(crate) type NameServers = [Option<IpAddr>; SERVERS];

/// Which addresses a name is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What became of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// The first address of the name.
    Found(IpAddr),
    /// No server knows one, or none answers.
    Nothing,
}

/// Asks one name at a time.
pub(super) struct Resolver {
    handle: SocketHandle,
    /// Those of DHCP are not taken.
    is_fixed: bool,
    servers: NameServers,
    query: Option<QueryHandle>,
}

impl Resolver {
    pub(super) fn new(servers: &[IpAddr], sockets: &mut SocketSet<'static>) -> Self {
        let mut resolver = Self {
            handle: sockets.add(Socket::new(&[], vec![None])),
            is_fixed: !servers.is_empty(),
            servers: [None; SERVERS],
            query: None,
        };
        resolver.set(servers.iter().copied(), sockets);
        resolver
    }

    /// Takes the servers that DHCP gave.
    pub(super) fn offer(&mut self, servers: impl Iterator<Item = IpAddr>, sockets: &mut SocketSet<'static>) {
        if !self.is_fixed {
            self.set(servers, sockets);
        }
    }

    fn set(&mut self, servers: impl Iterator<Item = IpAddr>, sockets: &mut SocketSet<'static>) {
        self.servers = [None; SERVERS];
        let mut addresses = [IpAddress::v4(0, 0, 0, 0); SERVERS];
        let mut count = 0;
        for ((place, address), server) in self.servers.iter_mut().zip(&mut addresses).zip(servers) {
            *place = Some(server);
            *address = server.into();
            count += 1;
        }
        let socket = sockets.get_mut::<Socket<'_>>(self.handle);
        socket.update_servers(addresses.get(..count).unwrap_or_default());
    }

    /// Who is asked.
    pub(super) const fn servers(&self) -> NameServers {
        self.servers
    }

    /// Asks for a name, if none is asked for now. Whether it did.
    pub(super) fn ask(
        &mut self,
        name: &str,
        version: Version,
        interface: &mut Interface,
        sockets: &mut SocketSet<'static>,
    ) -> bool {
        if self.query.is_some() || self.servers.iter().all(Option::is_none) {
            return false;
        }
        let kind = match version {
            Version::V4 => DnsQueryType::A,
            Version::V6 => DnsQueryType::Aaaa,
        };
        let socket = sockets.get_mut::<Socket<'_>>(self.handle);
        self.query = socket.start_query(interface.context(), name, kind).ok();
        self.query.is_some()
    }

    /// The answer, once there is one.
    pub(super) fn answer(&mut self, sockets: &mut SocketSet<'static>) -> Option<Answer> {
        let query = self.query?;
        let socket = sockets.get_mut::<Socket<'_>>(self.handle);
        let answer = match socket.get_query_result(query) {
            Err(GetQueryResultError::Pending) => return None,
            Err(GetQueryResultError::Failed) => Answer::Nothing,
            Ok(addresses) => addresses
                .first()
                .map_or(Answer::Nothing, |address| Answer::Found((*address).into())),
        };
        self.query = None;
        Some(answer)
    }
}
