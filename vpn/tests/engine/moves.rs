//! Peers that move, restart, vanish and come back.

use crate::scene::{MINUTE, SECOND, Scene, address, packet, pair};
use sekisho_vpn::{Event, Reason};
use std::num::NonZeroU16;
use std::time::Duration;

fn met() -> Scene {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, b"hello"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets.len(), 1);
    scene
}

#[test]
fn answers_follow_a_peer_that_moves() {
    let mut scene = met();
    scene.nodes[0].address = address(9);
    scene.send(0, &packet(1, 2, b"from elsewhere"));
    scene.run(SECOND);
    let moved = Event::EndpointChanged {
        peer: 0,
        endpoint: address(9),
    };
    assert!(scene.nodes[1].said.events.contains(&moved));
    scene.send(1, &packet(2, 1, b"there you are"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [packet(2, 1, b"there you are")]);
    assert_eq!(scene.nodes[0].handshakes(), 1);
}

#[test]
fn what_is_forged_or_old_moves_nobody() {
    let mut scene = met();
    let data = scene
        .wire
        .seen
        .iter()
        .find(|(from, _, bytes)| *from == address(1) && bytes[0] == 4);
    let mut bytes = data.unwrap().2.clone();
    scene.deliver(1, address(66), &bytes);
    bytes[8] = 77;
    scene.deliver(1, address(66), &bytes);
    let initiation = scene.wire.seen[0].2.clone();
    scene.deliver(1, address(66), &initiation);
    assert_eq!(scene.nodes[1].tunnel.state(0).unwrap().endpoint, Some(address(1)));
    let expected = [
        (Reason::OldInitiation, 1),
        (Reason::Forged, 1),
        (Reason::Replayed, 1),
    ];
    assert_eq!(scene.nodes[1].drops(), expected);
}

/// Who has kept an initiation cannot lead us astray with it once we have forgotten its date.
#[test]
fn an_old_initiation_sent_again_after_a_restart_moves_nobody() {
    let know = |node: usize, config: &mut sekisho_vpn::Config| {
        if node == 1 {
            config.peers[0].endpoint = Some(address(1));
        }
    };
    let mut scene = Scene::pair(know);
    scene.send(0, &packet(1, 2, b"hello"));
    scene.run(SECOND);
    let initiation = scene.wire.seen[0].2.clone();
    scene.restart(1, pair(know).remove(1));
    scene.deliver(1, address(66), &initiation);
    assert_eq!(scene.wire.seen.last().unwrap().1, address(66), "it is answered");
    assert_eq!(scene.nodes[1].tunnel.state(0).unwrap().endpoint, Some(address(1)));
    scene.run(SECOND * 6);
    scene.send(1, &packet(2, 1, b"still there?"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [packet(2, 1, b"still there?")]);
}

#[test]
fn a_peer_that_moved_and_is_silent_is_asked_again_where_it_was_first() {
    let mut scene = met();
    scene.nodes[1].address = address(9);
    scene.send(1, &packet(2, 1, b"from elsewhere"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].tunnel.state(0).unwrap().endpoint, Some(address(9)));
    // It comes back without a session, and does not know where we are.
    scene.nodes[1].address = address(2);
    scene.restart(1, pair(|_, _| {}).remove(1));
    scene.send(0, &packet(1, 2, b"lost"));
    scene.run(MINUTE * 4);
    assert!(
        scene.nodes[0]
            .said
            .events
            .contains(&Event::PeerSilent { peer: 0 })
    );
    scene.send(0, &packet(1, 2, b"again"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets.last(), Some(&packet(1, 2, b"again")));
}

#[test]
fn a_peer_that_forgot_everything_is_greeted_anew() {
    let mut scene = met();
    scene.restart(1, pair(|_, _| {}).remove(1));
    scene.send(0, &packet(1, 2, b"into the void"));
    scene.run(SECOND * 14);
    assert_eq!(scene.nodes[1].tunnel.drops(Reason::NoSession), 1);
    assert_eq!(scene.nodes[0].handshakes(), 1);
    // It kept silent for 15 s and a bit.
    scene.run(SECOND * 2);
    assert_eq!(scene.nodes[0].handshakes(), 2);
    scene.send(0, &packet(1, 2, b"again"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets.last(), Some(&packet(1, 2, b"again")));
}

#[test]
fn a_peer_that_restarts_as_initiator_is_answered_at_once() {
    let mut scene = met();
    scene.run(MINUTE);
    scene.restart(0, pair(|_, _| {}).remove(0));
    scene.send(0, &packet(1, 2, b"here again"));
    scene.run(SECOND);
    assert_eq!(
        scene.nodes[1].said.packets.last(),
        Some(&packet(1, 2, b"here again"))
    );
    assert_eq!(scene.nodes[1].handshakes(), 2);
}

#[test]
fn a_silent_peer_is_given_up_after_ninety_seconds_and_asked_again_by_the_next_packet() {
    let mut scene = Scene::pair(|_, _| {});
    scene.wire.lost = 1000;
    scene.send(0, &packet(1, 2, b"is anybody there?"));
    scene.run(SECOND * 89);
    let silent = Event::PeerSilent { peer: 0 };
    assert!(!scene.nodes[0].said.events.contains(&silent));
    scene.run(SECOND * 10);
    assert!(scene.nodes[0].said.events.contains(&silent));
    assert_eq!(scene.wire.seen.len(), 18, "one initiation every five seconds");
    assert_eq!(
        scene.nodes[0].count(|event| matches!(event, Event::Unanswered { .. })),
        17
    );
    assert_eq!(scene.nodes[0].drops(), [(Reason::NoAnswer, 1)]);
    scene.run(MINUTE * 60);
    assert_eq!(scene.wire.seen.len(), 18);
    scene.wire.lost = 0;
    scene.send(0, &packet(1, 2, b"now?"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets, [packet(1, 2, b"now?")]);
}

#[test]
fn retries_are_apart_by_five_seconds_and_some_jitter() {
    let mut scene = Scene::pair(|_, _| {});
    scene.wire.lost = 1000;
    scene.send(0, &packet(1, 2, b""));
    let (mut sent, mut steps, mut distances) = (1, 0_u64, Vec::new());
    while distances.len() < 10 {
        scene.run(Duration::from_millis(1));
        steps += 1;
        if scene.wire.seen.len() > sent {
            sent = scene.wire.seen.len();
            distances.push(std::mem::take(&mut steps));
        }
    }
    assert!(
        distances.iter().all(|distance| (4999..=5334).contains(distance)),
        "{distances:?}"
    );
    assert!(distances.windows(2).any(|pair| pair[0] != pair[1]), "no jitter");
}

#[test]
fn a_persistent_keepalive_begins_by_itself_and_outlasts_silence() {
    let mut scene = Scene::pair(|node, config| {
        config.peers[0].keepalive = if node == 0 { NonZeroU16::new(25) } else { None };
    });
    scene.wire.lost = 1000;
    scene.run(MINUTE * 10);
    assert!(scene.nodes[0].count(|event| *event == Event::PeerSilent { peer: 0 }) >= 3);
    scene.wire.lost = 0;
    scene.run(MINUTE);
    assert_eq!(scene.nodes[1].handshakes(), 1);
    let before = scene.wire.seen.len();
    scene.run(SECOND * 50);
    let since = &scene.wire.seen[before..];
    assert_eq!(since.len(), 2, "one keepalive each 25 s");
    assert!(
        since
            .iter()
            .all(|(from, _, bytes)| *from == address(1) && bytes.len() == 32)
    );
}
