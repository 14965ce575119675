//! Who the appliance is on a NIC: what frames are told by.

use super::request::Request;
use crate::net::frame::MacAddress;
use crate::net::header::Header;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use sekisho_abi::network::Prefix;
use smoltcp::iface::{Interface, Route};
use smoltcp::wire::IpCidr;

/// The appliance's addresses on one NIC.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// Its hardware address.
    pub(crate) hardware: MacAddress,
    /// Whether nobody else has that.
    pub(crate) is_alone: bool,
    /// Its IPv4 address.
    pub(crate) v4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub(crate) v6: Option<Ipv6Addr>,
    /// The DHCP request it waits on.
    pub(super) request: Option<Request>,
}

impl Addresses {
    /// A host without an address yet.
    pub(crate) const fn none(hardware: MacAddress, is_alone: bool) -> Self {
        Self {
            hardware,
            is_alone,
            v4: None,
            v6: None,
            request: None,
        }
    }

    /// Takes an address and a router, or gives up the ones it had. The address must be a host's.
    pub(super) fn set(&mut self, interface: &mut Interface, own: Option<Prefix>, router: Option<IpAddr>) {
        let own = own.map(|own| (own.address, own.length));
        self.v4 = own.and_then(|(address, _)| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        self.v6 = own.and_then(|(address, _)| match address {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        });
        interface.update_ip_addrs(|list| {
            list.clear();
            // A list of one has room.
            let _ = own.map(|(address, length)| list.push(IpCidr::new(address.into(), length)));
        });
        interface.routes_mut().update(|list| {
            list.clear();
            let route = match router {
                Some(IpAddr::V4(router)) => Some(Route::new_ipv4_gateway(router)),
                Some(IpAddr::V6(router)) => Some(Route::new_ipv6_gateway(router)),
                None => None,
            };
            let _ = route.map(|route| list.push(route));
        });
    }

    /// Ours of the IP version that this one has.
    pub(crate) fn of_version(&self, other: IpAddr) -> Option<IpAddr> {
        match other {
            IpAddr::V4(_) => self.v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.v6.map(IpAddr::V6),
        }
    }

    /// Whether a frame from outside answers our DHCP request.
    pub(crate) fn is_lease(&self, header: &Header<'_>) -> bool {
        self.request.is_some_and(|request| request.is_answered_by(header))
    }
}
