//! Keys that grow old.

use crate::scene::{MINUTE, SECOND, Scene, address, packet};
use sekisho_vpn::{Event, Reason};

fn met() -> Scene {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, b"hello"));
    scene.run(SECOND);
    assert_eq!((scene.nodes[0].handshakes(), scene.nodes[1].handshakes()), (1, 1));
    scene
}

fn initiations(scene: &Scene, number: u8) -> usize {
    let from = address(number);
    scene
        .wire
        .seen
        .iter()
        .filter(|(sender, _, bytes)| *sender == from && bytes[0] == 1)
        .count()
}

#[test]
fn the_initiator_asks_for_new_keys_when_it_sends_after_two_minutes() {
    let mut scene = met();
    scene.run(SECOND * 118);
    scene.send(0, &packet(1, 2, b"119 s"));
    scene.run(SECOND);
    assert_eq!(initiations(&scene, 1), 1);
    scene.run(SECOND);
    scene.send(0, &packet(1, 2, b"121 s"));
    scene.run(SECOND);
    assert_eq!(initiations(&scene, 1), 2);
    assert_eq!((scene.nodes[0].handshakes(), scene.nodes[1].handshakes()), (2, 2));
}

#[test]
fn the_responder_does_not_ask_at_that_age() {
    let mut scene = met();
    scene.run(SECOND * 150);
    scene.send(1, &packet(2, 1, b"151 s"));
    scene.run(SECOND);
    assert_eq!((initiations(&scene, 1), initiations(&scene, 2)), (1, 0));
    assert_eq!(scene.nodes[0].said.packets.len(), 1);
}

#[test]
fn an_initiator_that_only_receives_asks_after_165_seconds() {
    let mut scene = met();
    scene.run(SECOND * 163);
    scene.send(1, &packet(2, 1, b"164 s"));
    scene.run(SECOND / 2);
    assert_eq!(initiations(&scene, 1), 1);
    scene.run(SECOND * 2);
    scene.send(1, &packet(2, 1, b"166 s"));
    scene.run(SECOND);
    assert_eq!(initiations(&scene, 1), 2);
    assert_eq!(scene.nodes[0].handshakes(), 2);
}

#[test]
fn after_three_minutes_keys_are_neither_sent_with_nor_accepted() {
    let mut scene = met();
    scene.wire.lost = 1000;
    scene.send(0, &packet(1, 2, b"kept back by the network"));
    scene.wire.lost = 0;
    let late = scene.wire.seen.last().unwrap().2.clone();
    scene.run(SECOND * 181);
    scene.deliver(1, address(1), &late);
    assert_eq!(scene.nodes[1].drops(), [(Reason::Expired, 1)]);
    let before = scene.wire.seen.len();
    scene.send(1, &packet(2, 1, b"with what?"));
    let since = &scene.wire.seen[before..];
    assert_eq!(
        (since.len(), since[0].2[0]),
        (1, 1),
        "an initiation and no packet"
    );
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [packet(2, 1, b"with what?")]);
}

#[test]
fn keys_are_wiped_after_nine_minutes() {
    let mut scene = met();
    let data = scene
        .wire
        .seen
        .iter()
        .find(|(_, _, bytes)| bytes[0] == 4)
        .unwrap()
        .2
        .clone();
    scene.run(SECOND * 538);
    let erased = Event::KeysErased { peer: 0 };
    assert!(!scene.nodes[1].said.events.contains(&erased));
    scene.deliver(1, address(1), &data);
    assert_eq!(
        scene.nodes[1].tunnel.drops(Reason::Expired),
        1,
        "the session is still known"
    );
    scene.run(SECOND * 3);
    assert!(scene.nodes.iter().all(|node| node.said.events.contains(&erased)));
    scene.deliver(1, address(1), &data);
    assert_eq!(scene.nodes[1].tunnel.drops(Reason::NoSession), 1);
    assert!(scene.nodes.iter().all(|node| node.tunnel.due().is_none()));
}

#[test]
fn packets_on_their_way_while_keys_change_still_arrive() {
    let mut scene = met();
    scene.run(SECOND * 120);
    let kept: Vec<_> = [(0, 1, 2), (1, 2, 1)]
        .into_iter()
        .map(|(node, from, to)| {
            scene.wire.lost = 1000;
            scene.send(node, &packet(from, to, b"late"));
            let data = scene
                .wire
                .seen
                .iter()
                .rfind(|(_, _, bytes)| bytes[0] == 4)
                .unwrap();
            data.clone()
        })
        .collect();
    scene.wire.lost = 0;
    scene.run(SECOND * 10);
    assert_eq!(scene.nodes[0].handshakes(), 2);
    for (node, (from, _, bytes)) in [1, 0].into_iter().zip(kept) {
        scene.deliver(node, from, &bytes);
        assert!(scene.nodes[node].said.packets.last().unwrap().ends_with(b"late"));
    }
}

#[test]
fn what_is_not_answered_is_answered_by_a_keepalive_after_ten_seconds() {
    let mut scene = met();
    let before = scene.wire.seen.len();
    scene.run(SECOND * 8);
    assert_eq!(scene.wire.seen.len(), before);
    scene.run(SECOND * 2);
    let since = &scene.wire.seen[before..];
    assert_eq!(since.len(), 1);
    assert_eq!((since[0].0, since[0].2.len()), (address(2), 32));
    // So the initiator has heard, and asks for nothing.
    scene.run(MINUTE);
    assert_eq!(scene.wire.seen.len(), before + 1);
}
