//! An hour of traffic both ways over a bad network.

use crate::scene::{Dice, MINUTE, Scene, packet};
use sekisho_vpn::{Event, Reason};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often each guest sends.
const EVERY: Duration = Duration::from_millis(25);

/// What one guest got: which of the packets, numbered in their content.
fn numbers(packets: &[Vec<u8>]) -> Vec<u32> {
    packets
        .iter()
        .map(|packet| u32::from_be_bytes(packet[20..24].try_into().unwrap()))
        .collect()
}

#[test]
fn an_hour_with_loss_and_reordering_loses_what_the_wire_lost_and_nothing_more() {
    let mut scene = Scene::pair(|_, _| {});
    (scene.wire.lost, scene.wire.jitter) = (50, 100);
    let mut dice = Dice(1);
    let count = u32::try_from(MINUTE.as_millis() * 60 / EVERY.as_millis()).unwrap();
    for number in 0..count {
        for (node, from, to) in [(0, 1, 2), (1, 2, 1)] {
            let mut content = number.to_be_bytes().to_vec();
            content.resize(4 + usize::try_from(dice.roll(100)).unwrap(), 0x5a);
            scene.send(node, &packet(from, to, &content));
        }
        scene.run(EVERY);
    }
    scene.run(MINUTE);
    for node in &scene.nodes {
        let got = numbers(&node.said.packets);
        let distinct: BTreeSet<u32> = got.iter().copied().collect();
        assert_eq!(distinct.len(), got.len(), "a packet came twice");
        assert!(!got.is_sorted(), "the wire mixed nothing up");
        let arrived = got.len() as u64 * 1000 / u64::from(count);
        assert!((945..=955).contains(&arrived), "{arrived} of 1000 arrived");
        assert!((29..=32).contains(&node.handshakes()), "{}", node.handshakes());
        assert_eq!(node.count(|event| matches!(event, Event::PeerSilent { .. })), 0);
        // A late response may find that its initiation was repeated; nothing else is amiss.
        assert!(
            node.drops()
                .iter()
                .all(|(reason, count)| *reason == Reason::BadHandshake && *count < 5),
            "{:?}",
            node.drops()
        );
    }
}

#[test]
fn a_quiet_hour_needs_no_handshake() {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, b"once"));
    scene.run(MINUTE * 60);
    // The packet, and its passive keepalive.
    assert_eq!(scene.wire.seen.len(), 4);
    assert_eq!(scene.nodes[0].handshakes(), 1);
}
