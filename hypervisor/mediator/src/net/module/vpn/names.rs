//! Peers whose endpoint is a name: when it is asked for, and asked for again.

use super::notice::{News, Notices};
use crate::net::stack::{Answer, Stack};
use crate::seam::Instant;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use sekisho_abi::network::{Endpoint, Peer};
use sekisho_vpn::Tunnel;

/// Nanoseconds between two questions for one name.
const PACE: u64 = 20_000_000_000;

/// Nanoseconds until a question is tried again for which there was no way.
const NO_WAY: u64 = 500_000_000;

/// A peer with a name.
struct Named {
    peer: usize,
    host: String,
    port: u16,
    is_wanted: bool,
    /// It has answered since it was asked for.
    is_found: bool,
    /// Not asked for before.
    again_at: Instant,
    last: Option<SocketAddr>,
}

/// All of a tunnel.
pub(super) struct Names {
    named: Vec<Named>,
    /// Which of them is being asked for.
    asked: Option<usize>,
    /// The last question had no answer.
    has_failed: bool,
}

impl Names {
    pub(super) fn new(peers: &[Peer]) -> Self {
        let named = peers
            .iter()
            .enumerate()
            .filter_map(|(peer, it)| match &it.endpoint {
                Endpoint::Address(_) => None,
                Endpoint::Name { host, port } => Some(Named {
                    peer,
                    host: host.clone(),
                    port: *port,
                    is_wanted: true,
                    is_found: false,
                    again_at: Instant(0),
                    last: None,
                }),
            });
        Self {
            named: named.collect(),
            asked: None,
            has_failed: false,
        }
    }

    /// A peer does not answer: it may be elsewhere.
    pub(super) fn want(&mut self, peer: usize) {
        if let Some(named) = self.named.iter_mut().find(|named| named.peer == peer) {
            named.is_wanted = true;
        }
    }

    /// A peer answers: where it is, it knows better than any name server. An answer that is still to come is not taken.
    pub(super) fn found(&mut self, peer: usize) {
        if let Some(named) = self.named.iter_mut().find(|named| named.peer == peer) {
            named.is_wanted = false;
            named.is_found = true;
        }
    }

    /// Takes the answer that has come, and asks for what is wanted.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        stack: &mut Stack,
        tunnel: &mut Tunnel,
        notices: &mut Notices,
    ) {
        if let Some(answer) = stack.resolved() {
            let asked = self.asked.take();
            let named = asked.and_then(|index| self.named.get_mut(index));
            if let Some(named) = named.filter(|named| !named.is_found) {
                match answer {
                    Answer::Found(address) => {
                        let endpoint = SocketAddr::new(address, named.port);
                        if named.last.replace(endpoint) != Some(endpoint) {
                            notices.add(named.peer, News::Resolved(endpoint));
                        }
                        tunnel.set_endpoint(named.peer, endpoint, sekisho_vpn::Instant(now.0));
                        self.has_failed = false;
                    }
                    Answer::Nothing => {
                        named.is_wanted = true;
                        if !self.has_failed {
                            notices.add(named.peer, News::NoAddress);
                        }
                        self.has_failed = true;
                    }
                }
            }
        }
        if self.asked.is_some() {
            return;
        }
        let due = |named: &Named| named.is_wanted && now >= named.again_at;
        if let Some(index) = self.named.iter().position(due)
            && let Some(named) = self.named.get_mut(index)
            && stack.resolve(&named.host)
        {
            named.is_wanted = false;
            named.is_found = false;
            named.again_at = Instant(now.0.saturating_add(PACE));
            self.asked = Some(index);
        }
    }

    /// When something is to be asked for next. The question under way is the stack's.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        if self.asked.is_some() {
            return None;
        }
        let wanted = self.named.iter().filter(|named| named.is_wanted);
        let first = wanted.map(|named| named.again_at).min()?;
        // What is due and was not asked for had no way yet.
        Some(first.max(Instant(now.0.saturating_add(NO_WAY))))
    }
}
