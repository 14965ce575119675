//! Nodes with an engine each, and a wire between them that loses, delays and mixes up as a test says. Time goes from one
//! event to the next.

use sekisho_crypto::secret::Secret;
use sekisho_crypto::x25519;
use sekisho_vpn::{
    Clock, Config, Event, Instant, Outlet, PeerConfig, Prefix, Random, Reason, Tunnel, Vectors,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

pub(crate) const MTU: u16 = 1420;
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// When a scene begins, by both clocks.
const START: Duration = Duration::from_secs(1_700_000_000);
/// A datagram's way takes this long at least.
const LATENCY: Duration = Duration::from_millis(20);

/// Numbers that look random and are the same each time (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

impl Random for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = u8::try_from(self.roll(256)).unwrap();
        }
    }
}

/// What an engine has said.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) datagrams: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) packets: Vec<Vec<u8>>,
    pub(crate) events: Vec<Event>,
}

impl Outlet for Said {
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        self.datagrams.push((to, bytes.to_vec()));
    }

    fn packet(&mut self, bytes: &[u8]) {
        self.packets.push(bytes.to_vec());
    }

    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

pub(crate) struct Node {
    pub(crate) tunnel: Tunnel,
    pub(crate) address: SocketAddr,
    pub(crate) said: Said,
    dice: Dice,
}

impl Node {
    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.said.events.iter().filter(|event| wanted(event)).count()
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.count(|event| matches!(event, Event::HandshakeDone { .. }))
    }

    /// Everything dropped so far, by reason.
    pub(crate) fn drops(&self) -> Vec<(Reason, u64)> {
        let counts = Reason::ALL.map(|reason| (reason, self.tunnel.drops(reason)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

pub(crate) struct Scene {
    pub(crate) now: Instant,
    pub(crate) nodes: Vec<Node>,
    pub(crate) wire: Wire,
}

/// What is on its way, and what becomes of it.
pub(crate) struct Wire {
    /// Of a thousand datagrams.
    pub(crate) lost: u64,
    /// Up to so many more milliseconds for a datagram, each its own: what is more than the distance of two mixes them up.
    pub(crate) jitter: u64,
    /// Everything that was given to it, lost or not.
    pub(crate) seen: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    flying: BTreeMap<(u64, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    count: u64,
    dice: Dice,
}

impl Wire {
    fn carry(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.seen.push((from, to, bytes.clone()));
        if self.dice.roll(1000) < self.lost {
            return;
        }
        let more = Duration::from_millis(self.dice.roll(self.jitter + 1));
        let at = now.0 + nanoseconds(LATENCY + more);
        self.count += 1;
        self.flying.insert((at, self.count), (from, to, bytes));
    }
}

impl Scene {
    pub(crate) fn new(configs: Vec<Config>) -> Self {
        let nodes = configs.into_iter().zip(1..).map(|(config, number)| Node {
            tunnel: Tunnel::new(config, clock(Instant(0))).unwrap(),
            address: address(number),
            said: Said::default(),
            dice: Dice(u64::from(number) << 32),
        });
        Self {
            now: Instant(0),
            nodes: nodes.collect(),
            wire: Wire {
                lost: 0,
                jitter: 0,
                seen: Vec::new(),
                flying: BTreeMap::new(),
                count: 0,
                dice: Dice(7),
            },
        }
    }

    /// Two nodes that know each other; only the first knows where the other is.
    pub(crate) fn pair(change: impl Fn(usize, &mut Config)) -> Self {
        Self::new(pair(change))
    }

    /// The guest of a node sends a packet.
    pub(crate) fn send(&mut self, node: usize, packet: &[u8]) {
        let now = self.now;
        let it = &mut self.nodes[node];
        it.tunnel.send(packet, now, &mut it.dice, &mut it.said);
        self.collect(node);
    }

    /// A datagram reaches a node, whoever made it.
    pub(crate) fn deliver(&mut self, node: usize, from: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        let it = &mut self.nodes[node];
        let mut bytes = bytes.to_vec();
        it.tunnel
            .receive(from, &mut bytes, now, &mut it.dice, &mut it.said);
        self.collect(node);
    }

    /// A node loses all it knew and starts again with `config`.
    pub(crate) fn restart(&mut self, node: usize, config: Config) {
        let clock = clock(self.now);
        self.nodes[node].tunnel = Tunnel::new(config, clock).unwrap();
    }

    /// Lets time pass, and everything happen that is due in it.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now.0 + nanoseconds(duration);
        loop {
            let due = self
                .nodes
                .iter()
                .filter_map(|node| node.tunnel.due())
                .map(|due| due.0)
                .min();
            let flying = self.wire.flying.keys().next().map(|(at, _)| *at);
            let next = due.into_iter().chain(flying).min().filter(|next| *next <= end);
            let Some(next) = next else {
                break;
            };
            self.now = Instant(next.max(self.now.0));
            self.step();
        }
        self.now = Instant(end);
    }

    fn step(&mut self) {
        while let Some(entry) = self
            .wire
            .flying
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now.0)
        {
            let (from, to, bytes) = entry.remove();
            if let Some(node) = self.nodes.iter().position(|node| node.address == to) {
                self.deliver(node, from, &bytes);
            }
        }
        let now = self.now;
        for node in 0..self.nodes.len() {
            let it = &mut self.nodes[node];
            if it.tunnel.due().is_some_and(|due| due <= now) {
                it.tunnel.poll(now, &mut it.dice, &mut it.said);
                assert!(it.tunnel.due().is_none_or(|due| due > now), "due again at once");
                self.collect(node);
            }
        }
    }

    fn collect(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        for (to, bytes) in it.said.datagrams.drain(..) {
            self.wire.carry(self.now, it.address, to, bytes);
        }
    }
}

/// Both clocks at `now`.
pub(crate) fn clock(now: Instant) -> Clock {
    Clock {
        now,
        since_epoch: START + Duration::from_nanos(now.0),
    }
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap()
}

/// Where the node of this number is, outside.
pub(crate) fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 51820))
}

/// The same by IPv6.
pub(crate) fn address_v6(number: u8) -> SocketAddr {
    SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()], 51820))
}

/// Where it is, inside.
pub(crate) fn inside(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

pub(crate) fn private_key(number: u8) -> Secret<32> {
    Secret::new([number; 32])
}

pub(crate) fn peer(number: u8) -> PeerConfig {
    PeerConfig {
        public_key: x25519::public_key(&private_key(number)),
        preshared_key: None,
        endpoint: None,
        allowed: vec![Prefix::new(IpAddr::V4(inside(number)), 32).unwrap()],
        keepalive: None,
    }
}

/// The configurations of [`Scene::pair`], each after `change`.
pub(crate) fn pair(change: impl Fn(usize, &mut Config)) -> Vec<Config> {
    let mut configs: Vec<Config> = [(1, 2), (2, 1)]
        .into_iter()
        .map(|(own, other)| Config {
            private_key: private_key(own),
            mtu: MTU,
            vectors: Vectors::of_process(),
            peers: vec![peer(other)],
        })
        .collect();
    configs[0].peers[0].endpoint = Some(address(2));
    for (number, config) in configs.iter_mut().enumerate() {
        change(number, config);
    }
    configs
}

/// An IPv4 packet of UDP's protocol number from one node's inside to another's, with this content.
pub(crate) fn packet(from: u8, to: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + content.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend(inside(from).octets());
    packet.extend(inside(to).octets());
    packet.extend(content);
    packet
}
