//! Two engines and a network that is against them: messages of every type changed, cut, repeated, held back, forged with a
//! right first MAC, sent from elsewhere, while guests send anything, time jumps and peers restart.
//!
//! What must hold: nothing panics; what leaves is a message of the protocol, to an address that the other has spoken from; what
//! comes out of a tunnel went into the other end, and comes once; what waits for keys is bounded.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_crypto::secret::Secret;
use sekisho_crypto::{blake2s, x25519};
use sekisho_vpn::{Clock, Config, Event, Instant, Outlet, Packet, PeerConfig, Prefix, Random, Tunnel, Vectors};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

/// Steps of one input at most.
const STEPS: usize = 96;
const MTU: u16 = 1420;

#[derive(Arbitrary, Debug)]
enum Step {
    /// The guest of a node sends anything.
    Guest(bool, Vec<u8>),
    /// It sends a packet with this content, which is to arrive at most once.
    Packet(bool, Vec<u8>),
    /// A datagram that was sent before arrives as it was.
    Deliver(u8),
    /// It arrives changed: at this place, by these bits.
    Changed(u8, u16, u8),
    /// It arrives cut.
    Cut(u8, u16),
    /// It arrives from elsewhere.
    Elsewhere(u8, u8),
    /// Noise of a type arrives, with a right first MAC if it has one.
    Noise(bool, u8, Vec<u8>),
    /// Milliseconds pass.
    Wait(u32),
    /// Seconds pass.
    Age(u8),
    /// A node forgets everything.
    Restart(bool),
    /// A name is resolved.
    Resolved(bool, u8),
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let mut scene = Scene::new();
    // Too short an input ends early; that is no finding.
    let _ = scene.run(&mut input);
});

struct Count(u64);

impl Random for Count {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            chunk.copy_from_slice(&self.0.to_be_bytes()[..chunk.len()]);
        }
    }
}

#[derive(Default)]
struct Said {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    packets: Vec<Vec<u8>>,
    events: usize,
}

impl Outlet for Said {
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        let is_right = match bytes[..4] {
            [1, 0, 0, 0] => bytes.len() == 148,
            [2, 0, 0, 0] => bytes.len() == 92,
            [3, 0, 0, 0] => bytes.len() == 64,
            [4, 0, 0, 0] => (32..=32 + usize::from(MTU)).contains(&bytes.len()),
            _ => false,
        };
        assert!(is_right, "{bytes:?}");
        self.datagrams.push((to, bytes.to_vec()));
    }

    fn packet(&mut self, bytes: &[u8]) {
        assert_eq!(
            Packet::parse(bytes).map(|packet| packet.length),
            Some(bytes.len())
        );
        self.packets.push(bytes.to_vec());
    }

    fn event(&mut self, _: Event) {
        self.events += 1;
    }
}

struct Scene {
    nodes: [Tunnel; 2],
    random: Count,
    now: Instant,
    /// Everything sent so far: to which node, and what.
    seen: Vec<(usize, Vec<u8>)>,
    /// What the guests sent, and how often it may still come out at the other end.
    sent: [Vec<Vec<u8>>; 2],
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 51820))
}

fn public(node: usize) -> [u8; 32] {
    x25519::public_key(&Secret::new([[1; 32], [2; 32]][node]))
}

fn node(number: usize, now: Instant) -> Tunnel {
    let everything = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), "::".parse().unwrap()];
    let peer = PeerConfig {
        public_key: public(1 - number),
        preshared_key: None,
        endpoint: Some(address([2, 1][number])),
        allowed: everything.map(|all| Prefix::new(all, 0).unwrap()).to_vec(),
        keepalive: if number == 0 { NonZeroU16::new(25) } else { None },
    };
    let config = Config {
        private_key: Secret::new([[1; 32], [2; 32]][number]),
        mtu: MTU,
        vectors: Vectors::of_process(),
        peers: vec![peer],
    };
    let since_epoch = Duration::from_nanos(now.0);
    Tunnel::new(config, Clock { now, since_epoch }).unwrap()
}

impl Scene {
    fn new() -> Self {
        let now = Instant(0);
        Self {
            nodes: [node(0, now), node(1, now)],
            random: Count(1),
            now,
            seen: Vec::new(),
            sent: [Vec::new(), Vec::new()],
        }
    }

    fn run(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..STEPS {
            // Of an empty input there would be steps without end, all of the first kind.
            if input.is_empty() {
                break;
            }
            self.step(Step::arbitrary(input)?);
        }
        Ok(())
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Guest(node, bytes) => self.send(usize::from(node), &bytes),
            Step::Packet(node, content) => self.send(usize::from(node), &packet(&content)),
            Step::Deliver(number) => {
                if let Some((node, bytes)) = self.picked(number) {
                    self.deliver(node, 1, bytes);
                }
            }
            Step::Changed(number, place, bits) => {
                if let Some((node, mut bytes)) = self.picked(number) {
                    let place = usize::from(place) % bytes.len();
                    bytes[place] ^= bits;
                    self.deliver(node, 66, bytes);
                }
            }
            Step::Cut(number, length) => {
                if let Some((node, mut bytes)) = self.picked(number) {
                    bytes.truncate(usize::from(length) % bytes.len());
                    self.deliver(node, 66, bytes);
                }
            }
            Step::Elsewhere(number, from) => {
                if let Some((node, bytes)) = self.picked(number) {
                    self.deliver(node, from, bytes);
                }
            }
            Step::Noise(node, kind, bytes) => {
                let node = usize::from(node);
                self.deliver(node, 66, noise(node, kind, bytes));
            }
            Step::Wait(milliseconds) => self.pass(Duration::from_millis(milliseconds.into())),
            Step::Age(seconds) => self.pass(Duration::from_secs(seconds.into())),
            Step::Restart(which) => {
                self.nodes[usize::from(which)] = node(usize::from(which), self.now);
            }
            Step::Resolved(node, number) => {
                self.nodes[usize::from(node)].set_endpoint(0, address(number), self.now);
            }
        }
    }

    fn picked(&self, number: u8) -> Option<(usize, Vec<u8>)> {
        // The latest are the most telling.
        let place = self
            .seen
            .len()
            .checked_sub(1 + usize::from(number) % self.seen.len().max(1))?;
        self.seen.get(place).cloned()
    }

    fn send(&mut self, node: usize, bytes: &[u8]) {
        if let Some(packet) = Packet::parse(bytes) {
            self.sent[node].push(bytes[..packet.length].to_vec());
        }
        let mut said = Said::default();
        self.nodes[node].send(bytes, self.now, &mut self.random, &mut said);
        self.judge(node, said);
    }

    fn deliver(&mut self, node: usize, from: u8, mut bytes: Vec<u8>) {
        let mut said = Said::default();
        self.nodes[node].receive(address(from), &mut bytes, self.now, &mut self.random, &mut said);
        self.judge(node, said);
    }

    fn pass(&mut self, duration: Duration) {
        self.now.0 += u64::try_from(duration.as_nanos()).unwrap();
        for node in 0..2 {
            let mut said = Said::default();
            self.nodes[node].poll(self.now, &mut self.random, &mut said);
            assert!(
                self.nodes[node].due().is_none_or(|due| due > self.now),
                "due again at once"
            );
            self.judge(node, said);
        }
    }

    fn judge(&mut self, node: usize, said: Said) {
        assert!(said.packets.len() <= 1 && said.events <= 64 && said.datagrams.len() <= 40);
        for (_, bytes) in said.datagrams {
            self.seen.push((1 - node, bytes));
        }
        for packet in said.packets {
            let place = self.sent[1 - node].iter().position(|sent| *sent == packet);
            let place = place.expect("nobody sent this, or it came before");
            self.sent[1 - node].swap_remove(place);
        }
        assert!(self.nodes[node].state(0).is_some_and(|state| state.held <= 32));
    }
}

/// An IPv4 packet with this content.
fn packet(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + content.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut packet = vec![
        0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    packet.extend(content);
    packet
}

/// Bytes as long as a message of this type has to be, with its first bytes, and for handshakes a right first MAC.
fn noise(node: usize, kind: u8, mut bytes: Vec<u8>) -> Vec<u8> {
    let kind = 1 + kind % 4;
    match kind {
        1 => bytes.resize(148, 0),
        2 => bytes.resize(92, 0),
        3 => bytes.resize(64, 0),
        _ => bytes.resize(bytes.len().max(32), 0),
    }
    bytes[..4].copy_from_slice(&[kind, 0, 0, 0]);
    if kind < 3 {
        let body = bytes.len() - 32;
        let key = blake2s::hash(&[b"mac1----", &public(node)]);
        let mac = blake2s::mac(&key, &[&bytes[..body]]);
        bytes[body..body + 16].copy_from_slice(&mac);
    }
    bytes
}
