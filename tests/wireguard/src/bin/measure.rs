//! Our engine beside boringtun's: nanoseconds to seal a packet at one end and open it at the other, and to shake hands.
//!
//! Both work in short runs, one after the other over and over, and the best run of each counts: in a quiet slice both are
//! alone. One line a figure: what, ours, boringtun's, with tabs between.

use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use mock_instant::MockClock;
use sekisho_vpn::{Event, Instant, Outlet, Tunnel};
use sekisho_wireguard::{Dice, packet, private_key, public_key, tunnel};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{self, Duration};

/// Bytes of the packets.
const LENGTHS: [usize; 2] = [1420, 64];
/// Packets in a run.
const PACKETS: u32 = 64;
/// How many runs.
const RUNS: usize = 3000;
/// How many handshakes.
const HANDSHAKES: usize = 2000;
/// Older than keys may be.
const AGE: Duration = Duration::from_secs(200);

fn main() {
    let mut ours = Ours::new();
    let mut theirs = Theirs::new();
    for length in LENGTHS {
        let packet = packet(1, 2, &vec![0x5a; length - 20]);
        let (mut our_best, mut their_best) = (Duration::MAX, Duration::MAX);
        for _ in 0..RUNS {
            shorten(&mut our_best, || (0..PACKETS).for_each(|_| ours.carry(&packet)));
            shorten(&mut their_best, || {
                (0..PACKETS).for_each(|_| theirs.carry(&packet))
            });
        }
        report(
            &format!("seal and open, {length} bytes"),
            our_best / PACKETS,
            their_best / PACKETS,
        );
    }
    let (mut our_best, mut their_best) = (Duration::MAX, Duration::MAX);
    for _ in 0..HANDSHAKES {
        shorten(&mut our_best, || ours.shake_hands());
        MockClock::advance(Duration::from_secs(1));
        shorten(&mut their_best, || theirs.shake_hands());
    }
    report("handshake", our_best, their_best);
}

fn shorten(best: &mut Duration, run: impl FnOnce()) {
    let start = time::Instant::now();
    run();
    *best = start.elapsed().min(*best);
}

fn report(what: &str, ours: Duration, theirs: Duration) {
    println!("{what}\t{}\t{}", ours.as_nanos(), theirs.as_nanos());
}

/// The last datagram, as a NIC's ring would have it, and how many packets came out.
struct Slot {
    bytes: [u8; 2048],
    length: usize,
    packets: usize,
    handshakes: usize,
}

impl Slot {
    const fn new() -> Self {
        Self {
            bytes: [0; 2048],
            length: 0,
            packets: 0,
            handshakes: 0,
        }
    }
}

impl Outlet for Slot {
    fn datagram(&mut self, _: SocketAddr, bytes: &[u8]) {
        self.bytes[..bytes.len()].copy_from_slice(bytes);
        self.length = bytes.len();
    }

    fn packet(&mut self, _: &[u8]) {
        self.packets += 1;
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::HandshakeDone { .. } => self.handshakes += 1,
            Event::EndpointChanged { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

struct Ours {
    ends: [Tunnel; 2],
    slot: Slot,
    dice: Dice,
    now: Instant,
}

impl Ours {
    fn new() -> Self {
        let mut ours = Self {
            ends: [tunnel(1, 2, None, Some(address(2))), tunnel(2, 1, None, None)],
            slot: Slot::new(),
            dice: Dice(1),
            now: Instant(0),
        };
        ours.shake_hands();
        ours
    }

    fn receive(&mut self, end: usize, from: u8) {
        let mut bytes = self.slot.bytes;
        let datagram = &mut bytes[..self.slot.length];
        self.ends[end].receive(address(from), datagram, self.now, &mut self.dice, &mut self.slot);
    }

    fn shake_hands(&mut self) {
        self.now.0 += u64::try_from(AGE.as_nanos()).unwrap();
        let handshakes = self.slot.handshakes;
        let packet = packet(1, 2, &[]);
        self.ends[0].send(&packet, self.now, &mut self.dice, &mut self.slot);
        self.receive(1, 1);
        self.receive(0, 2);
        self.receive(1, 1);
        assert_eq!(self.slot.handshakes, handshakes + 2);
    }

    fn carry(&mut self, packet: &[u8]) {
        let packets = self.slot.packets;
        self.ends[0].send(packet, self.now, &mut self.dice, &mut self.slot);
        self.receive(1, 1);
        assert_eq!(self.slot.packets, packets + 1);
    }
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 51820))
}

struct Theirs {
    ends: [Tunn; 2],
}

impl Theirs {
    fn new() -> Self {
        let end = |own, peer| {
            let public = PublicKey::from(public_key(own));
            let limit = Arc::new(RateLimiter::new(&public, u64::MAX));
            let secret = StaticSecret::from(private_key(own));
            let peer_key = PublicKey::from(public_key(peer));
            Tunn::new(secret, peer_key, None, None, u32::from(own), Some(limit))
        };
        let mut theirs = Self {
            ends: [end(1, 2), end(2, 1)],
        };
        MockClock::advance(Duration::from_secs(1));
        theirs.shake_hands();
        theirs
    }

    fn shake_hands(&mut self) {
        let (mut one, mut other) = ([0; 256], [0; 256]);
        let [initiator, responder] = &mut self.ends;
        let initiation = for_network(initiator.format_handshake_initiation(&mut one, true));
        let response = for_network(responder.decapsulate(None, initiation, &mut other));
        let confirmation = for_network(initiator.decapsulate(None, response, &mut one));
        let end = responder.decapsulate(None, confirmation, &mut other);
        assert!(matches!(end, TunnResult::Done), "{end:?}");
    }

    fn carry(&mut self, packet: &[u8]) {
        let (mut sealed, mut opened) = ([0; 2048], [0; 2048]);
        let datagram = for_network(self.ends[0].encapsulate(packet, &mut sealed));
        let end = self.ends[1].decapsulate(None, datagram, &mut opened);
        assert!(matches!(end, TunnResult::WriteToTunnelV4(..)), "{end:?}");
    }
}

fn for_network(result: TunnResult<'_>) -> &mut [u8] {
    match result {
        TunnResult::WriteToNetwork(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}
