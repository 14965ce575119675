//! What the judges and the measurement share: the engine with a list for an outlet, and keys by number.

pub mod scene;

use sekisho_crypto::secret::Secret;
use sekisho_crypto::x25519;
use sekisho_vpn::{Clock, Config, Event, Instant, Outlet, PeerConfig, Prefix, Random, Tunnel, Vectors};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of the longest packet inside.
pub const MTU: u16 = 1420;

/// Numbers that look random and are the same each time (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// One below `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
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
            *byte = u8::try_from(self.roll(256)).unwrap_or_default();
        }
    }
}

/// What an engine has said.
#[derive(Default)]
pub struct Said {
    /// For the network.
    pub datagrams: Vec<(SocketAddr, Vec<u8>)>,
    /// For the guest.
    pub packets: Vec<Vec<u8>>,
    /// For the log.
    pub events: Vec<Event>,
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

impl Said {
    /// Handshakes that have ended well.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        let done = |event: &&Event| matches!(event, Event::HandshakeDone { .. });
        self.events.iter().filter(done).count()
    }
}

/// The private key of a number; its bytes are all the same.
#[must_use]
pub const fn private_key(number: u8) -> [u8; 32] {
    [number; 32]
}

/// The public key of a number.
#[must_use]
pub fn public_key(number: u8) -> [u8; 32] {
    x25519::public_key(&Secret::new(private_key(number)))
}

/// Our engine with the key of one number and a peer of another, to which everything goes.
///
/// # Panics
/// If the engine does not take that.
#[must_use]
pub fn tunnel(own: u8, peer: u8, preshared: Option<[u8; 32]>, endpoint: Option<SocketAddr>) -> Tunnel {
    let everything = [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "::".parse().expect("an address"),
    ];
    let config = Config {
        private_key: Secret::new(private_key(own)),
        mtu: MTU,
        vectors: Vectors::of_process(),
        peers: vec![PeerConfig {
            public_key: public_key(peer),
            preshared_key: preshared.map(Secret::new),
            endpoint,
            allowed: everything
                .into_iter()
                .filter_map(|all| Prefix::new(all, 0))
                .collect(),
            keepalive: None,
        }],
    };
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let clock = Clock {
        now: Instant(0),
        since_epoch,
    };
    Tunnel::new(config, clock).expect("a configuration that works")
}

/// An IPv4 packet from 10.0.0.`from` to 10.0.0.`to`, of UDP's protocol number, with this content.
///
/// # Panics
/// If the content is longer than a packet can be.
#[must_use]
pub fn packet(from: u8, to: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + content.len())
        .expect("a short packet")
        .to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend([10, 0, 0, from, 10, 0, 0, to]);
    packet.extend(content);
    packet
}
