//! A tunnel: who a packet or datagram is for, and nothing else.

use crate::call::{Call, Shared};
use crate::config::{Config, ConfigError};
use crate::cookie::{Admission, Gate};
use crate::message::{CookieReply, DATA_HEADER, DataHeader, Initiation, Kind, Response, TAG_SIZE};
use crate::noise::{Claimed, Identity, Remote};
use crate::outlet::{Outlet, Random, Reason};
use crate::packet::Packet;
use crate::peer::{Peer, PeerState};
use crate::routing::Routes;
use crate::time::{Clock, Instant};
use alloc::vec::Vec;
use core::net::SocketAddr;
use sekisho_crypto::x25519;

/// One tunnel with all its peers. Each needs a UDP port of its own, since indices are its own.
///
/// `now` never goes back from call to call. After each call [`Self::due`] may have changed.
pub struct Tunnel {
    shared: Shared,
    gate: Gate,
    peers: Vec<Peer>,
}

impl Tunnel {
    /// Takes all memory that the tunnel will ever need.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config, clock: Clock) -> Result<Self, ConfigError> {
        let count = config.peers.len();
        let identity = Identity {
            public: x25519::public_key(&config.private_key),
            private: config.private_key,
        };
        let mtu = usize::from(config.mtu);
        let routes = Routes::new(&config.peers)?;
        let mut peers: Vec<Peer> = Vec::with_capacity(count);
        for (second, mut config) in config.peers.into_iter().enumerate() {
            let number = u8::try_from(second).map_err(|_| ConfigError::TooManyPeers { count })?;
            let public = config.public_key;
            if public == identity.public {
                return Err(ConfigError::OwnKey { peer: second });
            }
            if let Some(first) = peers.iter().position(|peer| peer.remote.public == public) {
                return Err(ConfigError::SameKey { first, second });
            }
            let remote = Remote::new(&identity, public, config.preshared_key.take())
                .ok_or(ConfigError::WeakKey { peer: second })?;
            peers.push(Peer::new(number, &config, remote, mtu, clock.now));
        }
        Ok(Self {
            gate: Gate::new(&identity.public),
            shared: Shared {
                identity,
                clock,
                routes,
                mtu,
                vectors: config.vectors,
                message: Vec::with_capacity(DATA_HEADER + mtu + TAG_SIZE),
                drops: [0; Reason::ALL.len()],
            },
            peers,
        })
    }

    /// Sends an IP packet of the guest's to the peer that its destination belongs to, or holds it until there are keys.
    /// What is behind the packet's own length is left out.
    pub fn send(&mut self, packet: &[u8], now: Instant, random: &mut dyn Random, out: &mut dyn Outlet) {
        let (peers, mut call) = self.call(now, random, out);
        let Some((header, packet)) =
            Packet::parse(packet).and_then(|header| Some((header, packet.get(..header.length)?)))
        else {
            return call.dropped(None, Reason::NotIp);
        };
        if packet.len() > call.shared.mtu {
            return call.dropped(None, Reason::TooLong);
        }
        let number = call.shared.routes.peer(header.destination);
        match number.and_then(|number| peers.get_mut(number)) {
            Some(peer) => peer.send(packet, &mut call),
            None => call.dropped(None, Reason::NoRoute),
        }
    }

    /// Takes a UDP datagram that came from `from`. Its bytes are decrypted in their place.
    pub fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        now: Instant,
        random: &mut dyn Random,
        out: &mut dyn Outlet,
    ) {
        let kind = Kind::of(datagram);
        if matches!(kind, Some(Kind::Initiation | Kind::Response)) {
            match self.gate.admit(from, datagram, now, random) {
                Admission::Granted => {}
                Admission::Postponed(reply) => {
                    out.datagram(from, &reply);
                    let (_, mut call) = self.call(now, random, out);
                    return call.dropped(None, Reason::UnderLoad);
                }
                Admission::Refused(reason) => {
                    let (_, mut call) = self.call(now, random, out);
                    return call.dropped(None, reason);
                }
            }
        }
        let (peers, mut call) = self.call(now, random, out);
        let taken = match kind {
            Some(Kind::Initiation) => initiation(peers, from, datagram, &mut call),
            Some(Kind::Response) => response(peers, from, datagram, &mut call),
            Some(Kind::Cookie) => cookie(peers, datagram, &call),
            Some(Kind::Data) => data(peers, from, datagram, &mut call),
            None => Err((None, Reason::Malformed)),
        };
        if let Err((peer, reason)) = taken {
            call.dropped(peer, reason);
        }
    }

    /// Does what is due: retries, keepalives, new keys, wiping. To be called when [`Self::due`] says so; more often does no
    /// harm.
    pub fn poll(&mut self, now: Instant, random: &mut dyn Random, out: &mut dyn Outlet) {
        let (peers, mut call) = self.call(now, random, out);
        for peer in peers {
            peer.poll(&mut call);
        }
    }

    /// When [`Self::poll`] has something to do next; `None` if never without a packet or datagram before.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.peers.iter().filter_map(Peer::due).min()
    }

    /// The peer at this position of the configuration is to be found at `endpoint`: a name was resolved, perhaps again.
    /// There may be something due at once.
    pub fn set_endpoint(&mut self, peer: usize, endpoint: SocketAddr, now: Instant) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.set_endpoint(endpoint, now);
        }
    }

    /// Our public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; x25519::KEY_SIZE] {
        &self.shared.identity.public
    }

    /// What there is to know about the peer at this position of the configuration.
    #[must_use]
    pub fn state(&self, peer: usize) -> Option<PeerState> {
        self.peers.get(peer).map(Peer::state)
    }

    /// How many packets and datagrams were dropped for `reason`.
    #[must_use]
    pub fn drops(&self, reason: Reason) -> u64 {
        self.shared.drops.get(reason as usize).copied().unwrap_or(0)
    }

    fn call<'a>(
        &'a mut self,
        now: Instant,
        random: &'a mut dyn Random,
        out: &'a mut dyn Outlet,
    ) -> (&'a mut [Peer], Call<'a>) {
        let call = Call {
            shared: &mut self.shared,
            now,
            random,
            out,
        };
        (&mut self.peers, call)
    }
}

/// Whose it was, if that is known, and why it was dropped.
type Refusal = (Option<usize>, Reason);

fn initiation(
    peers: &mut [Peer],
    from: SocketAddr,
    datagram: &[u8],
    call: &mut Call<'_>,
) -> Result<(), Refusal> {
    let message = Initiation::parse(datagram).ok_or((None, Reason::Malformed))?;
    let claimed = Claimed::open(&call.shared.identity, message).ok_or((None, Reason::BadHandshake))?;
    let number = peers.iter().position(|peer| peer.remote.public == claimed.public);
    number
        .and_then(|number| peers.get_mut(number))
        .ok_or(Reason::BadHandshake)
        .and_then(|peer| peer.answer(claimed, from, datagram.len(), call))
        .map_err(|reason| (number, reason))
}

fn response(
    peers: &mut [Peer],
    from: SocketAddr,
    datagram: &[u8],
    call: &mut Call<'_>,
) -> Result<(), Refusal> {
    let message = Response::parse(datagram).ok_or((None, Reason::Malformed))?;
    let (number, peer) = owner(peers, message.receiver).ok_or((None, Reason::BadHandshake))?;
    peer.complete(&message, from, datagram.len(), call)
        .map_err(|reason| (Some(number), reason))
}

fn cookie(peers: &mut [Peer], datagram: &[u8], call: &Call<'_>) -> Result<(), Refusal> {
    let message = CookieReply::parse(datagram).ok_or((None, Reason::Malformed))?;
    let (number, peer) = owner(peers, message.receiver).ok_or((None, Reason::NoSession))?;
    peer.keep_cookie(&message, call)
        .map_err(|reason| (Some(number), reason))
}

fn data(
    peers: &mut [Peer],
    from: SocketAddr,
    datagram: &mut [u8],
    call: &mut Call<'_>,
) -> Result<(), Refusal> {
    let header = DataHeader::parse(datagram).ok_or((None, Reason::Malformed))?;
    let (number, peer) = owner(peers, header.receiver).ok_or((None, Reason::NoSession))?;
    let packet = peer
        .receive(&header, from, datagram, call)
        .map_err(|reason| (Some(number), reason))?;
    if let Some(packet) = packet {
        call.out.packet(packet);
    }
    Ok(())
}

/// The peer that an index of ours was made for.
fn owner(peers: &mut [Peer], index: u32) -> Option<(usize, &mut Peer)> {
    let [number, ..] = index.to_le_bytes();
    let number = usize::from(number);
    Some((number, peers.get_mut(number)?))
}
