//! One peer: its sessions, what waits for them, and where it is.
//!
//! `handshake` is how sessions come about, `transport` what is done with them; here are the alarms.

mod handshake;
mod transport;

use crate::call::{Call, Shared};
use crate::config::PeerConfig;
use crate::cookie::Stamp;
use crate::hold::Hold;
use crate::noise::{Initiated, Remote};
use crate::outlet::{Event, Reason};
use crate::session::Sessions;
use crate::time::{Instant, Timestamp};
use crate::timers::{Alarm, MAX_ALARMS, MAX_ATTEMPTS, Timers};
use core::net::SocketAddr;
use handshake::Attempt;

/// A peer of a tunnel.
pub(crate) struct Peer {
    /// Its position in the configuration, and the lowest byte of our indices of its sessions.
    number: u8,
    pub(crate) remote: Remote,
    endpoint: Option<SocketAddr>,
    /// Where the configuration or its name says that it is.
    home: Option<SocketAddr>,
    stamp: Stamp,
    initiated: Option<Initiated>,
    sessions: Sessions,
    timers: Timers,
    hold: Hold,
    /// Initiations since the last answer.
    attempts: u8,
    /// When the last handshake message was sent to it.
    last_sent: Option<Instant>,
    /// The date in its last initiation, and when that came.
    last_date: Timestamp,
    last_initiation: Option<Instant>,
    /// New keys were asked for because the current ones grow old and only receive: not to be done twice.
    has_asked_late: bool,
    last_handshake: Option<Instant>,
    sent: u64,
    received: u64,
}

/// What there is to know about a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerState {
    /// Where messages to it are sent.
    pub endpoint: Option<SocketAddr>,
    /// When keys last came into use.
    pub last_handshake: Option<Instant>,
    /// Bytes of messages sent to it: handshakes, keepalives, packets with what is around them.
    pub sent: u64,
    /// Bytes of authentic messages received from it.
    pub received: u64,
    /// Packets of the guest that wait for a handshake.
    pub held: usize,
}

impl Peer {
    pub(crate) fn new(number: u8, config: &PeerConfig, remote: Remote, mtu: usize, now: Instant) -> Self {
        Self {
            number,
            endpoint: config.endpoint,
            home: config.endpoint,
            stamp: Stamp::new(&remote.public),
            remote,
            initiated: None,
            sessions: Sessions::new(),
            timers: Timers::new(config.keepalive, now),
            hold: Hold::new(mtu),
            attempts: 0,
            last_sent: None,
            last_date: Timestamp::EARLIEST,
            last_initiation: None,
            has_asked_late: false,
            last_handshake: None,
            sent: 0,
            received: 0,
        }
    }

    pub(crate) fn state(&self) -> PeerState {
        PeerState {
            endpoint: self.endpoint,
            last_handshake: self.last_handshake,
            sent: self.sent,
            received: self.received,
            held: self.hold.length(),
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.timers.due()
    }

    /// Does what is due. An alarm that rings is set to a later moment or not at all.
    pub(crate) fn poll(&mut self, call: &mut Call<'_>) {
        for _ in 0..MAX_ALARMS {
            let Some(alarm) = self.timers.rings(call.now) else {
                return;
            };
            match alarm {
                Alarm::Retransmit => self.retry(call),
                Alarm::Keepalive => {
                    self.send_keepalive(call);
                    self.timers.kept_alive(call.now);
                }
                Alarm::Reinitiate => self.initiate(Attempt::First, call),
                Alarm::Erase => self.erase(call),
                Alarm::Persistent => {
                    self.timers.passed(call.now);
                    self.send_keepalive(call);
                }
            }
        }
    }

    /// The peer's address is now known to be `endpoint`, from elsewhere than its messages. What waits for one is sent.
    pub(crate) fn set_endpoint(&mut self, endpoint: SocketAddr, now: Instant) {
        self.home = Some(endpoint);
        let was_unknown = self.endpoint.replace(endpoint).is_none();
        if was_unknown && self.timers.is_initiating() {
            self.timers.initiate_at(now);
        }
    }

    fn retry(&mut self, call: &mut Call<'_>) {
        let peer = usize::from(self.number);
        if self.attempts < MAX_ATTEMPTS {
            // Without an endpoint nothing was sent that could have been answered.
            if self.initiated.is_some() {
                let attempts = self.attempts;
                call.out.event(Event::Unanswered { peer, attempts });
            }
            self.attempts += 1;
            return self.initiate(Attempt::Again, call);
        }
        self.initiated = None;
        // Where it went it is no more; it may have come back without knowing us.
        self.endpoint = self.home.or(self.endpoint);
        self.timers.gave_up(call.now);
        for _ in 0..self.hold.clear() {
            call.dropped(Some(peer), Reason::NoAnswer);
        }
        call.out.event(Event::PeerSilent { peer });
    }

    fn erase(&mut self, call: &mut Call<'_>) {
        self.initiated = None;
        if self.sessions.erase() {
            let peer = usize::from(self.number);
            call.out.event(Event::KeysErased { peer });
        }
    }

    /// Sends `bytes` to where the peer is, if that is known.
    fn emit(&mut self, bytes: &[u8], call: &mut Call<'_>) {
        if let Some(endpoint) = self.endpoint {
            self.sent += bytes.len() as u64;
            call.out.datagram(endpoint, bytes);
        }
    }

    /// The same for the data message that was made in [`Shared::message`].
    fn emit_made(&mut self, call: &mut Call<'_>) {
        let Call { shared, out, .. } = call;
        let Shared { message, .. } = &**shared;
        if let Some(endpoint) = self.endpoint {
            self.sent += message.len() as u64;
            out.datagram(endpoint, message);
        }
    }

    /// An authentic message of `length` bytes came.
    fn heard(&mut self, length: usize, call: &Call<'_>) {
        self.received += length as u64;
        self.timers.received(call.now);
    }

    /// A message that nobody can have kept from another session came from `from`: that is where the peer is now.
    fn found(&mut self, from: SocketAddr, call: &mut Call<'_>) {
        if self.endpoint != Some(from) {
            self.endpoint = Some(from);
            call.out.event(Event::EndpointChanged {
                peer: usize::from(self.number),
                endpoint: from,
            });
        }
    }
}
