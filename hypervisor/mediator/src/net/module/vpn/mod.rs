//! `vpn`: the guest reaches the network through a tunnel, or not at all.
//!
//! Two networks that share no frame. Inside, the guest's wire ends at the [`Gateway`]; outside, the appliance is a station of
//! its own, from whose one port the tunnel's datagrams come and go. Between them is the engine, which takes IP packets and gives
//! datagrams that only the peer can read, and the other way round. There is no way from a frame of the guest's to the wire: with
//! the tunnel down its packets wait, a bounded number for a bounded time, and go nowhere then.
//!
//! Hostile: the guest, the network outside, and what is in the tunnel.

mod gate;
mod names;
mod notice;
mod open;
mod random;

pub use notice::Notice;
pub use open::{Entrusted, KeyKind, OpenError, Opened, open};
pub use random::{SEED_BYTES, seed};
pub use sekisho_vpn::{Lender, Vectors};

use super::station::Station;
use crate::log::Log;
use crate::net::frame::{Frame, MacAddress, Offload};
use crate::net::gateway::{self, Gateway, Outgoing, split};
use crate::net::header::VLAN_MASK;
use crate::net::loss::{Loss, Losses};
use crate::net::offload::finish;
use crate::net::port::Outlets;
use crate::net::stack::{LONGEST, LONGEST_DATAGRAM, NoWay, Queue, Stack};
use crate::net::syslog::Sender;
use crate::seam::Instant;
use alloc::boxed::Box;
use alloc::vec;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use gate::{Allowed, Gate};
use names::Names;
use notice::{News, Notices};
use random::Generator;
use sekisho_abi::network::{Prefix, Tunnel as Policy};
use sekisho_vpn::{Event, Outlet, Reason, Tunnel};

/// Frames for the guest that wait for its buffers; more are lost.
const FRAMES: usize = 128;
/// Bytes of the longest frame of the guest's that is looked at, and of the longest that is made of one.
const LONGEST_FRAME: usize = 16 * 1024;
/// The first of the ports that nobody is registered for (RFC 6335, 6), and how many of them there are.
const FIRST_PORT: u16 = 49_152;
const PORTS: u64 = 16_384;

/// The two sides of a NIC with a tunnel.
pub struct Vpn {
    station: Station,
    tunnel: Tunnel,
    random: Generator,
    inside: Inside,
    allowed: Allowed,
    log: Option<Through>,
    buffers: Buffers,
    /// The guest has sent since the last poll.
    is_touched: bool,
}

/// The guest's side, and what the tunnel says of its peers.
struct Inside {
    gateway: Gateway,
    to_guest: Queue,
    names: Names,
    notices: Notices,
    mtu: usize,
    state: State,
}

/// Whether a peer was heard of last, or given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Up,
    Down,
}

/// Where frames and datagrams are looked at.
struct Buffers {
    whole: Box<[u8]>,
    piece: Box<[u8]>,
    datagram: Box<[u8]>,
}

/// The log's way through the tunnel.
struct Through {
    sender: Sender,
    source: IpAddr,
    /// Messages that wait for the next poll.
    waiting: Queue,
    /// One line was sent to a peer that is not there yet: it calls it, and the others wait.
    has_knocked: bool,
}

/// What a NIC's tunnel is made of, beside its station.
pub(super) struct Setup<'p> {
    pub(super) policy: &'p Policy,
    pub(super) opened: Opened,
    pub(super) nic: MacAddress,
    pub(super) port: NonZeroU16,
    /// The log's collector, where it is reached outside.
    pub(super) collector: Option<SocketAddr>,
    /// The log, where it goes through the tunnel.
    pub(super) log: Option<(Sender, SocketAddr)>,
}

/// A port for a tunnel, another at every boot, so that what peers still send to the last one is not taken for ours.
pub(super) fn port(seed: u64) -> NonZeroU16 {
    let offset = u16::try_from(seed % PORTS).unwrap_or(0);
    NonZeroU16::new(FIRST_PORT.saturating_add(offset)).unwrap_or(NonZeroU16::MAX)
}

impl Vpn {
    pub(super) fn new(station: Station, setup: Setup<'_>) -> Self {
        let Setup { policy, opened, .. } = setup;
        let gateway = Gateway::new(&gateway::Setup {
            addresses: &policy.addresses,
            servers: &policy.dns,
            mtu: opened.mtu,
            nic: setup.nic,
        });
        let buffer = |bytes| vec![0; bytes].into_boxed_slice();
        Self {
            station,
            tunnel: opened.tunnel,
            random: opened.random,
            inside: Inside {
                gateway,
                to_guest: Queue::new(FRAMES),
                names: Names::new(&policy.peers),
                notices: Notices::new(&policy.name),
                mtu: opened.mtu.into(),
                state: State::Down,
            },
            allowed: Allowed {
                tunnel_port: setup.port.get(),
                collector: setup.collector,
                servers: [None; 3],
            },
            log: setup
                .log
                .and_then(|(sender, to)| Through::new(sender, to, &policy.addresses)),
            is_touched: false,
            buffers: Buffers {
                whole: buffer(LONGEST_FRAME),
                piece: buffer(LONGEST_FRAME),
                datagram: buffer(LONGEST_DATAGRAM),
            },
        }
    }

    /// Takes a frame of the guest's. It goes no further than this.
    pub(super) fn outgoing(&mut self, frame: Frame<'_>, now: Instant) {
        self.is_touched = true;
        let Self {
            station,
            tunnel,
            random,
            inside,
            buffers,
            ..
        } = self;
        let is_vlan = frame.offload.tag.is_some_and(|tag| tag & VLAN_MASK != 0);
        if is_vlan {
            station.losses().add(Loss::GuestOther, 0, 0);
            return;
        }
        let untagged = Frame {
            bytes: frame.bytes,
            offload: Offload {
                tag: None,
                ..frame.offload
            },
        };
        let Buffers { whole, piece, .. } = buffers;
        let mut ends = Ends::new(station, inside);
        let done = finish(untagged, whole, |bytes| {
            let taken = match piece.get_mut(..bytes.len()) {
                Some(place) => {
                    place.copy_from_slice(bytes);
                    ends.take_frame(place, tunnel, random, now)
                }
                None => Err(Loss::GuestTooLarge),
            };
            if let Err(loss) = taken {
                ends.losses.add(loss, 0, 0);
            }
        });
        if done.is_err() {
            station.losses().add(Loss::GuestMalformed, 0, 0);
        }
    }

    /// Takes a frame from outside, of which the guest gets none.
    pub(super) fn incoming(&mut self, frame: Frame<'_>) {
        let _ = self.station.share(frame);
    }

    /// Takes what is new in the log.
    pub(super) fn collect(&mut self, log: &Log, now: Instant) {
        self.station.collect(log, now);
        if let Some(through) = self.log.as_mut().filter(|_| self.station.is_linked()) {
            through.collect(log, now, self.inside.state);
        }
    }

    /// Lets everything go on, and says when to be polled again at the latest.
    pub(super) fn poll(&mut self, now: Instant, out: &mut impl Outlets) -> Option<Instant> {
        self.is_touched = false;
        self.poll_station(now, out);
        self.take_datagrams(now);
        if self.station.is_linked() {
            self.let_tunnel_work(now);
        }
        if let Some(frame) = self.inside.gateway.poll(now) {
            // Of so few one that is lost comes again.
            let _ = self.inside.to_guest.push(frame, &[]);
        }
        let outside = self.poll_station(now, out);
        self.deliver(out);
        let due = [outside, self.inside.gateway.due()];
        let tunnel = self.tunnel.due().map(|due| Instant(due.0));
        let log = self.log.as_ref().and_then(|log| log.sender.due(now));
        let waits = [tunnel, self.inside.names.due(now), log];
        let waits = waits.into_iter().filter(|_| self.station.is_linked());
        due.into_iter().chain(waits).flatten().min()
    }

    /// Sends the last lines of the log at once.
    pub(super) fn flush(&mut self, log: &Log, now: Instant, out: &mut impl Outlets) {
        let mut gate = Gate::new(out, self.allowed);
        self.station.flush(log, now, &mut gate);
        if let Some(through) = &mut self.log {
            through.collect(log, now, self.inside.state);
            self.let_tunnel_work(now);
            self.poll_station(now, out);
        }
    }

    /// Whether [`Self::poll`] has something to do because of the guest.
    pub(super) const fn waits(&self) -> bool {
        self.is_touched || !self.inside.to_guest.is_empty()
    }

    pub(super) const fn station(&self) -> &Station {
        &self.station
    }

    pub(super) const fn station_mut(&mut self) -> &mut Station {
        &mut self.station
    }

    /// The oldest notice for the log.
    pub(super) fn take_notice(&mut self) -> Option<Notice> {
        self.inside.notices.take()
    }

    fn poll_station(&mut self, now: Instant, out: &mut impl Outlets) -> Option<Instant> {
        self.allowed.servers = self.station.stack().name_servers();
        let mut gate = Gate::new(out, self.allowed);
        let due = self.station.poll(now, &mut gate);
        for _ in 0..gate.withheld {
            self.station.losses().add(Loss::Withheld, 0, 0);
        }
        due
    }

    fn take_datagrams(&mut self, now: Instant) {
        let Self {
            station,
            tunnel,
            random,
            inside,
            buffers,
            ..
        } = self;
        let now = sekisho_vpn::Instant(now.0);
        while let Some((from, length)) = station.stack().receive_tunnel(&mut buffers.datagram) {
            if let Some(datagram) = buffers.datagram.get_mut(..length) {
                tunnel.receive(from, datagram, now, random, &mut Ends::new(station, inside));
            }
        }
    }

    fn let_tunnel_work(&mut self, now: Instant) {
        let Self {
            station,
            tunnel,
            random,
            inside,
            log,
            ..
        } = self;
        let at = sekisho_vpn::Instant(now.0);
        inside
            .names
            .poll(now, station.stack(), tunnel, &mut inside.notices);
        let mut ends = Ends::new(station, inside);
        while let Some(packet) = log.as_ref().and_then(|log| log.waiting.front()) {
            tunnel.send(packet, at, random, &mut ends);
            log.iter_mut().for_each(|log| log.waiting.pop());
        }
        tunnel.poll(at, random, &mut ends);
    }

    fn deliver(&mut self, out: &mut impl Outlets) {
        while let Some(bytes) = self.inside.to_guest.front() {
            let offload = Offload::default();
            if out.to_guest(Frame { bytes, offload }).is_err() {
                return;
            }
            self.inside.to_guest.pop();
        }
    }
}

/// Both ends of the engine, while it works.
struct Ends<'a> {
    stack: &'a mut Stack,
    losses: &'a mut Losses,
    inside: &'a mut Inside,
}

impl<'a> Ends<'a> {
    const fn new(station: &'a mut Station, inside: &'a mut Inside) -> Self {
        let (stack, losses) = station.parts();
        Self {
            stack,
            losses,
            inside,
        }
    }

    /// Takes a whole frame of the guest's: answers it, or has it sealed.
    fn take_frame(
        &mut self,
        frame: &mut [u8],
        tunnel: &mut Tunnel,
        random: &mut Generator,
        now: Instant,
    ) -> Result<(), Loss> {
        let at = sekisho_vpn::Instant(now.0);
        let mtu = self.inside.mtu;
        match self.inside.gateway.outgoing(frame, now)? {
            Outgoing::Packet(packet) => tunnel.send(packet, at, random, self),
            Outgoing::Large(packet) => {
                let mut piece = [0; LONGEST];
                split(packet, mtu, &mut piece, |packet| {
                    tunnel.send(packet, at, random, self);
                });
            }
            Outgoing::Reply(reply) => {
                let pushed = self.inside.to_guest.push(reply, &[]);
                return pushed.map_err(|_| Loss::GuestSlow);
            }
            Outgoing::Done => {}
        }
        Ok(())
    }

    fn give(&mut self, packet: &[u8]) -> Result<(), Loss> {
        let Inside {
            gateway, to_guest, ..
        } = &mut *self.inside;
        let place = to_guest.begin(crate::net::frame::HEADER_LENGTH + packet.len());
        let (head, body) = place
            .split_first_chunk_mut::<{ crate::net::frame::HEADER_LENGTH }>()
            .ok_or(Loss::TunnelForeign)?;
        body.copy_from_slice(packet);
        let (header, _) = gateway.incoming(body)?;
        *head = header;
        to_guest.commit().map_err(|_| Loss::GuestSlow)
    }
}

impl Outlet for Ends<'_> {
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        if self.stack.send_tunnel(to, bytes).is_err() {
            self.losses.add(Loss::TunnelFull, 0, 0);
        }
    }

    fn packet(&mut self, bytes: &[u8]) {
        if let Err(loss) = self.give(bytes) {
            self.losses.add(loss, 0, 0);
        }
    }

    fn event(&mut self, event: Event) {
        let notices = &mut self.inside.notices;
        match event {
            Event::HandshakeDone { peer } => {
                self.inside.state = State::Up;
                self.inside.names.found(peer);
                notices.add(peer, News::Handshake);
            }
            Event::PeerSilent { peer } => {
                self.inside.state = State::Down;
                notices.add(peer, News::Silent);
            }
            Event::EndpointChanged { peer, endpoint } => notices.add(peer, News::Moved(endpoint)),
            Event::Unanswered { peer, .. } => self.inside.names.want(peer),
            Event::KeysErased { .. } => self.inside.state = State::Down,
            Event::Dropped { reason, .. } => self.losses.add(loss_of(reason), 0, 0),
        }
    }
}

/// The engine's reasons, as the log counts them.
const fn loss_of(reason: Reason) -> Loss {
    match reason {
        Reason::NotIp => Loss::GuestMalformed,
        Reason::TooLong => Loss::GuestTooLarge,
        Reason::NoRoute => Loss::TunnelNoRoute,
        Reason::HoldFull | Reason::NoAnswer => Loss::TunnelDown,
        Reason::Malformed | Reason::BadMac | Reason::BadHandshake | Reason::NoSession | Reason::Forged => {
            Loss::TunnelNoise
        }
        Reason::UnderLoad | Reason::RateLimited | Reason::Flood => Loss::TunnelFlood,
        Reason::OldInitiation | Reason::Replayed | Reason::Expired => Loss::TunnelReplayed,
        Reason::BadContent | Reason::BadSource => Loss::TunnelForeign,
    }
}

impl Through {
    /// From the first address inside of the collector's IP version; none where there is none.
    fn new(sender: Sender, to: SocketAddr, addresses: &[Prefix]) -> Option<Self> {
        let mut addresses = addresses.iter().map(|prefix| prefix.address);
        let source = addresses.find(|address| address.is_ipv4() == to.is_ipv4())?;
        Some(Self {
            sender,
            source,
            waiting: Queue::new(MESSAGES),
            has_knocked: false,
        })
    }

    fn collect(&mut self, log: &Log, now: Instant, tunnel: State) {
        let Self {
            sender,
            source,
            waiting,
            has_knocked,
        } = self;
        sender.collect_packets(log, now, *source, |packet| {
            if tunnel == State::Down && *has_knocked {
                return Err(NoWay);
            }
            waiting.push(packet, &[]).map_err(|_| NoWay)?;
            *has_knocked = tunnel == State::Down;
            Ok(())
        });
    }
}

/// Messages of the log that wait for the next poll.
const MESSAGES: usize = 16;
