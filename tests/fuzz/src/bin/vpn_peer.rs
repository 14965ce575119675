//! A peer that has the keys and abuses them: handshakes with any date, index and ephemeral key, packets with any content and
//! counter, cookies with anything in them, all sealed as they should be. What it needs of the protocol is written here a second
//! time, from the paper.
//!
//! What must hold: nothing panics; what comes out is a whole IP packet with a source that is this peer's, and no counter counts
//! twice; no initiation is answered that is not newer than the last.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_crypto::secret::Secret;
use sekisho_crypto::{aead, blake2s, x25519, xchacha};
use sekisho_vpn::{Clock, Config, Event, Instant, Outlet, Packet, PeerConfig, Prefix, Random, Tunnel};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Steps of one input at most.
const STEPS: usize = 96;
const OURS: [u8; 32] = [1; 32];
const THEIRS: [u8; 32] = [2; 32];
/// The peer's addresses inside.
const ALLOWED: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 0, 0, 0), 8);

#[derive(Arbitrary, Debug)]
enum Step {
    /// An initiation with this date, index and ephemeral private key.
    Initiate([u8; 12], u32, u8),
    /// One that is newer than every other so far.
    InitiateNewer(u32, u8),
    /// A packet with this content and this counter.
    Data(u64, Vec<u8>),
    /// The next counters' packet, from an address of the peer's or not.
    Next(bool, Vec<u8>),
    /// A reply to the engine's last handshake message.
    Cookie(u32, [u8; 16]),
    /// The guest sends something.
    Guest(Vec<u8>),
    /// Milliseconds pass.
    Wait(u32),
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
    datagrams: Vec<Vec<u8>>,
    packets: usize,
}

impl Outlet for Said {
    fn datagram(&mut self, _: SocketAddr, bytes: &[u8]) {
        self.datagrams.push(bytes.to_vec());
    }

    fn packet(&mut self, bytes: &[u8]) {
        let packet = Packet::parse(bytes).expect("a packet");
        assert_eq!(packet.length, bytes.len());
        assert!(matches!(packet.source, IpAddr::V4(source) if source.octets()[0] == 10));
        self.packets += 1;
    }

    fn event(&mut self, _: Event) {}
}

/// A session from the peer's side.
struct Session {
    /// The engine's index.
    theirs: u32,
    send: Secret<32>,
    used: BTreeSet<u64>,
    next: u64,
}

struct Scene {
    tunnel: Tunnel,
    random: Count,
    now: Instant,
    session: Option<Session>,
    newest: [u8; 12],
    /// The engine's last handshake message: its first MAC.
    first: [u8; 16],
}

impl Scene {
    fn new() -> Self {
        let now = Instant(0);
        let config = Config {
            private_key: Secret::new(OURS),
            mtu: 1420,
            vectors: aead::Vectors::of_process(),
            peers: vec![PeerConfig {
                public_key: x25519::public_key(&Secret::new(THEIRS)),
                preshared_key: None,
                endpoint: None,
                allowed: vec![Prefix::new(ALLOWED.0.into(), ALLOWED.1).unwrap()],
                keepalive: None,
            }],
        };
        let since_epoch = Duration::ZERO;
        Self {
            tunnel: Tunnel::new(config, Clock { now, since_epoch }).unwrap(),
            random: Count(1),
            now,
            session: None,
            newest: [0; 12],
            first: [0; 16],
        }
    }

    fn run(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..STEPS {
            // Of an empty input there would be steps without end, all of the first kind.
            if input.is_empty() {
                break;
            }
            match Step::arbitrary(input)? {
                Step::Initiate(date, index, key) => self.initiate(date, index, key),
                Step::InitiateNewer(index, key) => {
                    let mut date = self.newest;
                    for byte in date.iter_mut().rev() {
                        *byte = byte.wrapping_add(1);
                        if *byte != 0 {
                            break;
                        }
                    }
                    self.now.0 += 20_000_000;
                    self.initiate(date, index, key);
                }
                Step::Data(counter, content) => self.data(counter, content),
                Step::Next(is_allowed, mut content) => {
                    let counter = self.session.as_ref().map_or(0, |session| session.next);
                    let length = u16::try_from(20 + content.len()).unwrap_or(20).to_be_bytes();
                    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0];
                    packet.extend([if is_allowed { 10 } else { 11 }, 0, 0, 2, 10, 0, 0, 1]);
                    packet.append(&mut content);
                    self.data(counter, packet);
                }
                Step::Cookie(receiver, cookie) => self.cookie(receiver, cookie),
                Step::Guest(bytes) => {
                    let mut said = Said::default();
                    self.tunnel.send(&bytes, self.now, &mut self.random, &mut said);
                    self.learn(&said);
                }
                Step::Wait(milliseconds) => {
                    self.now.0 += u64::from(milliseconds) * 1_000_000;
                    let mut said = Said::default();
                    self.tunnel.poll(self.now, &mut self.random, &mut said);
                    self.learn(&said);
                }
            }
        }
        Ok(())
    }

    fn deliver(&mut self, mut bytes: Vec<u8>) -> Said {
        let mut said = Said::default();
        let from = SocketAddr::from(([192, 0, 2, 2], 51820));
        self.tunnel
            .receive(from, &mut bytes, self.now, &mut self.random, &mut said);
        self.learn(&said);
        said
    }

    fn learn(&mut self, said: &Said) {
        for bytes in said.datagrams.iter().filter(|bytes| bytes[0] < 3) {
            let body = bytes.len() - 32;
            self.first.copy_from_slice(&bytes[body..body + 16]);
        }
    }

    fn initiate(&mut self, date: [u8; 12], index: u32, key: u8) {
        let ephemeral = Secret::new([key; 32]);
        let (message, handshake) = Handshake::initiation(&ephemeral, date, index);
        let said = self.deliver(message);
        let Some(response) = said.datagrams.iter().find(|bytes| bytes[0] == 2) else {
            return;
        };
        assert!(date > self.newest, "an old initiation was answered");
        self.newest = date;
        assert_eq!(response[8..12], index.to_le_bytes());
        self.session = Some(handshake.finish(&ephemeral, response));
    }

    fn data(&mut self, counter: u64, mut content: Vec<u8>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let is_new = session.used.insert(counter);
        session.next = session.next.max(counter.saturating_add(1));
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&counter.to_le_bytes());
        let tag = aead::seal(aead::Vectors::NARROW, &session.send, &nonce, &[], &mut content).unwrap();
        let mut message = vec![4, 0, 0, 0];
        message.extend(session.theirs.to_le_bytes());
        message.extend(counter.to_le_bytes());
        message.extend(content);
        message.extend(tag);
        let said = self.deliver(message);
        assert!(said.packets == 0 || is_new, "a counter counted twice");
    }

    fn cookie(&mut self, receiver: u32, mut cookie: [u8; 16]) {
        let key = Secret::new(blake2s::hash(&[
            b"cookie--",
            &x25519::public_key(&Secret::new(THEIRS)),
        ]));
        let nonce = [3; 24];
        let tag = xchacha::seal(&key, &nonce, &self.first, &mut cookie).unwrap();
        let receiver = self
            .session
            .as_ref()
            .filter(|_| receiver % 2 == 0)
            .map_or(receiver, |session| session.theirs);
        let mut message = vec![3, 0, 0, 0];
        message.extend(receiver.to_le_bytes());
        message.extend(nonce);
        message.extend(cookie);
        message.extend(tag);
        self.deliver(message);
    }
}

/// The initiator's side of the handshake, with the paper's letters.
struct Handshake {
    c: Secret<32>,
}

impl Handshake {
    fn initiation(ephemeral: &Secret<32>, date: [u8; 12], index: u32) -> (Vec<u8>, Self) {
        let responder = x25519::public_key(&Secret::new(OURS));
        let own = Secret::new(THEIRS);
        let c = blake2s::hash(&[b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"]);
        let h = blake2s::hash(&[&c, b"WireGuard v1 zx2c4 Jason@zx2c4.com"]);
        let h = blake2s::hash(&[&h, &responder]);
        let public = x25519::public_key(ephemeral);
        let [c] = blake2s::derive(&Secret::new(c), &public);
        let h = blake2s::hash(&[&h, &public]);
        let [c, k] = blake2s::derive(&c, x25519::agree(ephemeral, &responder).unwrap().expose());
        let mut identity = x25519::public_key(&own);
        let tag = aead::seal(aead::Vectors::NARROW, &k, &[0; 12], &h, &mut identity).unwrap();
        let h = blake2s::hash(&[&h, &identity, &tag]);
        let mut message = [&[1, 0, 0, 0][..], &index.to_le_bytes(), &public, &identity, &tag].concat();
        let [c, k] = blake2s::derive(&c, x25519::agree(&own, &responder).unwrap().expose());
        let mut date = date;
        let tag = aead::seal(aead::Vectors::NARROW, &k, &[0; 12], &h, &mut date).unwrap();
        message.extend(date);
        message.extend(tag);
        let mac = blake2s::mac(&blake2s::hash(&[b"mac1----", &responder]), &[&message]);
        message.extend(mac);
        message.extend([0; 16]);
        (message, Self { c })
    }

    fn finish(self, ephemeral: &Secret<32>, response: &[u8]) -> Session {
        let theirs = u32::from_le_bytes(response[4..8].try_into().unwrap());
        let public: [u8; 32] = response[12..44].try_into().unwrap();
        let own = Secret::new(THEIRS);
        let [c] = blake2s::derive(&self.c, &public);
        let [c] = blake2s::derive(&c, x25519::agree(ephemeral, &public).unwrap().expose());
        let [c] = blake2s::derive(&c, x25519::agree(&own, &public).unwrap().expose());
        let [c, _, _] = blake2s::derive(&c, &[0; 32]);
        let [send, _] = blake2s::derive(&c, &[]);
        Session {
            theirs,
            send,
            used: BTreeSet::new(),
            next: 0,
        }
    }
}
