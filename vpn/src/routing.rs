//! Cryptokey routing: which peer an address belongs to (the paper, section 2).

use crate::config::{ConfigError, PeerConfig, Prefix};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

/// All peers' prefixes, the longest first: the first that holds an address is the one that counts.
pub(crate) struct Routes(Vec<Route>);

struct Route {
    prefix: Prefix,
    peer: usize,
}

impl Routes {
    /// # Errors
    /// [`ConfigError::SamePrefix`].
    pub(crate) fn new(peers: &[PeerConfig]) -> Result<Self, ConfigError> {
        let mut routes: Vec<Route> = Vec::new();
        for (second, config) in peers.iter().enumerate() {
            for prefix in config.allowed.iter().copied() {
                match routes.iter().find(|route| route.prefix == prefix) {
                    None => routes.push(Route { prefix, peer: second }),
                    Some(Route { peer, .. }) if *peer == second => {}
                    Some(Route { peer, .. }) => {
                        return Err(ConfigError::SamePrefix {
                            first: *peer,
                            second,
                            prefix,
                        });
                    }
                }
            }
        }
        routes.sort_by_key(|route| Reverse(route.prefix.length()));
        Ok(Self(routes))
    }

    /// The peer that packets to `address` go to, and that alone may send from there.
    pub(crate) fn peer(&self, address: IpAddr) -> Option<usize> {
        self.0
            .iter()
            .find(|route| route.prefix.contains(address))
            .map(|route| route.peer)
    }
}
