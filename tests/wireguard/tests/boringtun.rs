//! boringtun's engine as the other end, on a clock and a network of the test's own.
#![cfg(test)]

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use mock_instant::MockClock;
use sekisho_vpn::{Event, Instant, Reason, Tunnel};
use sekisho_wireguard::{Dice, Said, packet, private_key, public_key, tunnel};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

const OURS: u8 = 1;
const THEIRS: u8 = 2;
/// One turn of the scene.
const STEP: Duration = Duration::from_millis(50);
const SECOND: u32 = 20;
const MINUTE: u32 = 60 * SECOND;
const PRESHARED: Option<[u8; 32]> = Some([7; 32]);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Ours,
    Theirs,
}

/// The two engines, and what is on its way between them.
struct Scene {
    ours: Tunnel,
    said: Said,
    theirs: Tunn,
    /// What boringtun has handed out.
    packets: Vec<Vec<u8>>,
    now: Duration,
    flying: BTreeMap<(Duration, usize), (Side, Vec<u8>)>,
    /// Of a thousand datagrams.
    lost: u64,
    /// Up to so many more milliseconds on the way.
    jitter: u64,
    /// First bytes of what was sent to either side.
    kinds: Vec<(Side, u8)>,
    dice: Dice,
    dice_of_wire: Dice,
}

fn address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 2], 51820))
}

impl Scene {
    fn new(mine: Option<[u8; 32]>, theirs: Option<[u8; 32]>) -> Self {
        let secret = StaticSecret::from(private_key(THEIRS));
        let theirs = Tunn::new(secret, PublicKey::from(public_key(OURS)), theirs, None, 5, None);
        Self {
            ours: tunnel(OURS, THEIRS, mine, Some(address())),
            said: Said::default(),
            theirs,
            packets: Vec::new(),
            now: Duration::ZERO,
            flying: BTreeMap::new(),
            lost: 0,
            jitter: 0,
            kinds: Vec::new(),
            dice: Dice(1),
            dice_of_wire: Dice(2),
        }
    }

    fn instant(&self) -> Instant {
        Instant(self.now.as_nanos().try_into().unwrap())
    }

    fn we_send(&mut self, packet: &[u8]) {
        let now = self.instant();
        self.ours.send(packet, now, &mut self.dice, &mut self.said);
        self.collect();
    }

    fn they_send(&mut self, packet: &[u8]) {
        let mut room = [0; 2048];
        if let TunnResult::WriteToNetwork(bytes) = self.theirs.encapsulate(packet, &mut room) {
            let bytes = bytes.to_vec();
            self.carry(Side::Ours, bytes);
        }
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.now += STEP;
            MockClock::advance(STEP);
            while let Some(entry) = self
                .flying
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                match entry.remove() {
                    (Side::Ours, bytes) => self.we_receive(bytes),
                    (Side::Theirs, bytes) => self.they_receive(&bytes),
                }
            }
            let now = self.instant();
            self.ours.poll(now, &mut self.dice, &mut self.said);
            self.collect();
            let mut room = [0; 2048];
            if let TunnResult::WriteToNetwork(bytes) = self.theirs.update_timers(&mut room) {
                let bytes = bytes.to_vec();
                self.carry(Side::Ours, bytes);
            }
        }
    }

    fn we_receive(&mut self, mut bytes: Vec<u8>) {
        let now = self.instant();
        self.ours
            .receive(address(), &mut bytes, now, &mut self.dice, &mut self.said);
        self.collect();
    }

    fn they_receive(&mut self, bytes: &[u8]) {
        let from = "192.0.2.1".parse().unwrap();
        let mut room = [0; 2048];
        let mut next = bytes;
        // An empty datagram asks for what else there is.
        loop {
            match self.theirs.decapsulate(Some(from), next, &mut room) {
                TunnResult::WriteToNetwork(bytes) => {
                    let bytes = bytes.to_vec();
                    self.carry(Side::Ours, bytes);
                }
                TunnResult::WriteToTunnelV4(packet, _) => return self.packets.push(packet.to_vec()),
                TunnResult::WriteToTunnelV6(..) | TunnResult::Done | TunnResult::Err(_) => return,
            }
            next = &[];
        }
    }

    fn collect(&mut self) {
        for (to, bytes) in std::mem::take(&mut self.said.datagrams) {
            assert_eq!(to, address());
            self.carry(Side::Theirs, bytes);
        }
    }

    fn carry(&mut self, to: Side, bytes: Vec<u8>) {
        self.kinds.push((to, bytes[0]));
        if self.dice_of_wire.roll(1000) >= self.lost {
            let more = Duration::from_millis(20 + self.dice_of_wire.roll(self.jitter + 1));
            self.flying
                .insert((self.now + more, self.kinds.len()), (to, bytes));
        }
    }

    fn initiations(&self, to: Side) -> usize {
        self.kinds.iter().filter(|kind| **kind == (to, 1)).count()
    }
}

#[test]
fn we_initiate_with_and_without_a_preshared_key() {
    for preshared in [None, PRESHARED] {
        let mut scene = Scene::new(preshared, preshared);
        scene.we_send(&packet(1, 2, b"there"));
        scene.run(SECOND);
        scene.they_send(&packet(2, 1, b"back"));
        scene.run(SECOND);
        assert_eq!(scene.packets, [packet(1, 2, b"there")]);
        assert_eq!(scene.said.packets, [packet(2, 1, b"back")]);
        assert_eq!(
            (scene.initiations(Side::Theirs), scene.initiations(Side::Ours)),
            (1, 0)
        );
    }
}

#[test]
fn they_initiate_with_and_without_a_preshared_key() {
    for preshared in [None, PRESHARED] {
        let mut scene = Scene::new(preshared, preshared);
        scene.they_send(&packet(2, 1, b"there"));
        scene.run(SECOND);
        scene.we_send(&packet(1, 2, b"back"));
        scene.run(SECOND);
        assert_eq!(scene.said.packets, [packet(2, 1, b"there")]);
        assert_eq!(scene.packets, [packet(1, 2, b"back")]);
        assert_eq!(
            (scene.initiations(Side::Theirs), scene.initiations(Side::Ours)),
            (0, 1)
        );
    }
}

#[test]
fn another_preshared_key_fails_both_ways() {
    let mut scene = Scene::new(PRESHARED, Some([8; 32]));
    scene.we_send(&packet(1, 2, b"there"));
    scene.they_send(&packet(2, 1, b"there"));
    scene.run(10 * SECOND);
    assert!(scene.packets.is_empty() && scene.said.packets.is_empty());
    assert_eq!(scene.said.handshakes(), 0);
}

#[test]
fn packets_of_every_length_arrive_as_they_were() {
    let mut scene = Scene::new(None, None);
    for length in 0..=1400 {
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        scene.we_send(&packet(1, 2, &content));
        scene.they_send(&packet(2, 1, &content));
        scene.run(SECOND);
        assert_eq!(scene.packets.pop(), Some(packet(1, 2, &content)), "{length}");
        assert_eq!(scene.said.packets.pop(), Some(packet(2, 1, &content)), "{length}");
    }
}

/// Whether it is our turn to ask for new keys or theirs.
fn hour(first: Side) {
    let mut scene = Scene::new(PRESHARED, PRESHARED);
    match first {
        Side::Ours => scene.we_send(&packet(1, 2, &[0; 4])),
        Side::Theirs => scene.they_send(&packet(2, 1, &[0; 4])),
    }
    scene.run(SECOND);
    (scene.lost, scene.jitter) = (50, 120);
    let count = 60 * MINUTE;
    for number in 1..=count {
        scene.we_send(&packet(1, 2, &number.to_be_bytes()));
        scene.they_send(&packet(2, 1, &number.to_be_bytes()));
        scene.run(1);
    }
    scene.run(SECOND);
    for (who, packets) in [("we", &scene.said.packets), ("they", &scene.packets)] {
        let distinct: BTreeSet<&Vec<u8>> = packets.iter().collect();
        assert_eq!(distinct.len(), packets.len(), "{who} got a packet twice");
        assert!(
            !packets.is_sorted_by_key(|packet| packet[20..24].to_vec()),
            "nothing was mixed up"
        );
        let arrived = u32::try_from(packets.len()).unwrap() * 1000 / count;
        assert!((940..=955).contains(&arrived), "{who} got {arrived} of 1000");
    }
    assert!(
        (29..=45).contains(&scene.said.handshakes()),
        "{}",
        scene.said.handshakes()
    );
    let silent = |event: &Event| matches!(event, Event::PeerSilent { .. });
    assert!(!scene.said.events.iter().any(silent));
    assert_eq!(scene.ours.drops(Reason::Forged), 0);
}

#[test]
fn an_hour_of_loss_and_reordering_that_we_began() {
    hour(Side::Ours);
}

#[test]
fn an_hour_of_loss_and_reordering_that_they_began() {
    hour(Side::Theirs);
}

#[test]
fn a_cookie_of_theirs_gets_us_in() {
    let mut scene = Scene::new(None, None);
    scene.we_send(&packet(1, 2, b"hello"));
    scene.run(SECOND);
    // It answers ten handshake messages a second without a cookie. The clock stands still for those, then for ours.
    let mut other = Scene::new(None, None);
    other.we_send(&packet(1, 2, b""));
    let (_, load) = other.flying.pop_first().map(|(_, flying)| flying).unwrap();
    scene.run(150 * SECOND);
    for _ in 0..2 * MINUTE {
        for _ in 0..20 {
            scene.they_receive(&load);
        }
        scene.we_send(&packet(1, 2, b"and now?"));
        scene.run(1);
    }
    let cookies = scene
        .kinds
        .iter()
        .filter(|kind| **kind == (Side::Ours, 3))
        .count();
    assert!(cookies > 100, "{cookies}");
    assert!(scene.said.handshakes() >= 2, "{}", scene.said.handshakes());
}
