//! An address asked of the network, by DHCP (RFC 2131). Servers lie: what no host can use is not used.

use super::BadLease;
use super::addresses::Addresses;
use super::resolver::Resolver;
use core::net::{IpAddr, Ipv4Addr};
use sekisho_abi::network::Prefix;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::dhcpv4::{Config, Event, Socket};

/// Of the address that DHCP gives.
pub(super) struct Lease {
    socket: SocketHandle,
}

impl Lease {
    /// Begins to ask as soon as the stack is polled.
    pub(super) fn new(sockets: &mut SocketSet<'static>) -> Self {
        Self {
            socket: sockets.add(Socket::new()),
        }
    }

    /// Forgets what was given, and asks anew.
    pub(super) fn restart(&self, sockets: &mut SocketSet<'static>) {
        sockets.get_mut::<Socket<'_>>(self.socket).reset();
    }

    /// Takes the address that was given, or gives up the one that ran out.
    pub(super) fn follow(
        &mut self,
        sockets: &mut SocketSet<'static>,
        interface: &mut Interface,
        addresses: &mut Addresses,
        resolver: Option<&mut Resolver>,
    ) -> Option<BadLease> {
        let socket = sockets.get_mut::<Socket<'_>>(self.socket);
        match socket.poll()? {
            Event::Configured(config) => {
                let given = usable(&config);
                let servers = config.dns_servers.clone();
                match given {
                    Some((own, router)) => addresses.set(interface, Some(own), router.map(IpAddr::V4)),
                    None => addresses.set(interface, None, None),
                }
                if let Some(resolver) = resolver.filter(|_| given.is_some()) {
                    resolver.offer(servers.into_iter().map(IpAddr::V4), sockets);
                }
                given.is_none().then_some(BadLease)
            }
            Event::Deconfigured => {
                addresses.set(interface, None, None);
                None
            }
        }
    }
}

/// Address and router, if a host can have that address. A router outside of its network is none.
fn usable(config: &Config<'_>) -> Option<(Prefix, Option<Ipv4Addr>)> {
    let given = config.address;
    let address = given.address();
    let [first, ..] = address.octets();
    let is_end = given.prefix_len() < 31
        && (given.network().address() == address || given.broadcast() == Some(address));
    // 0/8, 127/8, multicast and reserved (RFC 6890); a network of fewer than eight bits would make every router a neighbour.
    if first == 0 || first == 127 || first >= 224 || is_end || given.prefix_len() < 8 {
        return None;
    }
    let own = Prefix {
        address: IpAddr::V4(address),
        length: given.prefix_len(),
    };
    let router = config.router.filter(|router| {
        given.contains_addr(router) && *router != address && given.broadcast() != Some(*router)
    });
    Some((own, router))
}
