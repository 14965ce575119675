//! Datagrams that nobody honest sent.

use crate::scene::{Dice, SECOND, Scene, address, packet, pair, private_key};
use sekisho_vpn::{Event, Instant, Reason};

/// Two nodes that have met, with all four messages of it: initiation, response, packet, and a packet back.
fn met() -> Scene {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, b"there"));
    scene.run(SECOND);
    scene.send(1, &packet(2, 1, b"back"));
    scene.run(SECOND);
    assert_eq!(scene.wire.seen.len(), 4);
    scene
}

#[test]
fn a_message_with_any_bit_changed_is_refused() {
    for number in 0..3 {
        let whole = met().wire.seen[number].2.clone();
        // The second MAC counts under load alone.
        let counted = if number < 2 { whole.len() - 16 } else { whole.len() };
        for bit in 0..counted * 8 {
            let mut scene = Scene::pair(|_, _| {});
            scene.wire.lost = if number == 0 { 1000 } else { 0 };
            scene.send(0, &packet(1, 2, b"there"));
            // Up to just before this message arrives.
            scene.run(SECOND * u32::try_from(number).unwrap() / 50);
            let (from, to, mut bytes) = scene.wire.seen[number].clone();
            assert_eq!(bytes, whole);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let node = usize::from(to == address(2));
            let before = scene.nodes[node].said.events.len();
            scene.deliver(node, from, &bytes);
            let events = &scene.nodes[node].said.events[before..];
            assert!(
                matches!(events, [Event::Dropped { .. }]),
                "{number} {bit} {events:?}"
            );
            assert!(scene.nodes[node].said.packets.is_empty());
            // The true one still serves.
            scene.deliver(node, from, &whole);
            let dropped = scene.nodes[node].count(|event| matches!(event, Event::Dropped { .. }));
            assert_eq!(dropped, 1, "{number} {bit}");
        }
    }
}

#[test]
fn messages_of_any_other_length_are_refused() {
    let scene = met();
    for (from, to, bytes) in scene.wire.seen.clone() {
        let node = usize::from(to == address(2));
        let mut scene = met();
        let handled = scene.nodes[node].said.packets.len();
        for length in 0..bytes.len() {
            scene.deliver(node, from, &bytes[..length]);
        }
        let mut longer = bytes.clone();
        longer.push(0);
        scene.deliver(node, from, &longer);
        assert_eq!(scene.nodes[node].said.packets.len(), handled);
        let dropped: u64 = scene.nodes[node].drops().iter().map(|(_, count)| count).sum();
        assert_eq!(dropped, bytes.len() as u64 + 1);
    }
}

#[test]
fn what_came_before_is_refused() {
    let mut scene = met();
    for (from, to, bytes) in scene.wire.seen.clone() {
        scene.deliver(usize::from(to == address(2)), from, &bytes);
    }
    assert_eq!(
        scene.nodes[0].drops(),
        [(Reason::BadHandshake, 1), (Reason::Replayed, 1)]
    );
    assert_eq!(
        scene.nodes[1].drops(),
        [(Reason::OldInitiation, 1), (Reason::Replayed, 1)]
    );
    assert_eq!(
        (
            scene.nodes[0].said.packets.len(),
            scene.nodes[1].said.packets.len()
        ),
        (1, 1)
    );
}

#[test]
fn initiations_faster_than_fifty_a_second_are_not_answered() {
    let mut scene = Scene::pair(|_, _| {});
    // Two engines with one key, the second a second ahead by date: each initiation is newer than the one before.
    let mut others: Vec<Scene> = (0..2).map(|_| Scene::pair(|_, _| {})).collect();
    let initiations: Vec<_> = others
        .iter_mut()
        .zip([0, 1_000_000_000])
        .map(|(other, ahead)| {
            other.now = Instant(ahead);
            other.send(0, &packet(1, 2, b"hello"));
            other.wire.seen[0].2.clone()
        })
        .collect();
    scene.deliver(1, address(1), &initiations[0]);
    scene.deliver(1, address(1), &initiations[1]);
    assert_eq!(scene.nodes[1].drops(), [(Reason::Flood, 1)]);
    scene.now = Instant(20_000_000);
    scene.deliver(1, address(1), &initiations[1]);
    assert_eq!(scene.nodes[1].drops(), [(Reason::Flood, 1)]);
}

#[test]
fn a_stranger_gets_no_answer() {
    let mut scene = Scene::new(pair(|node, config| {
        if node == 0 {
            config.private_key = private_key(99);
        }
    }));
    scene.send(0, &packet(1, 2, b"let me in"));
    scene.run(SECOND * 20);
    assert!(scene.wire.seen.iter().all(|(from, _, _)| *from == address(1)));
    assert!(scene.nodes[1].tunnel.drops(Reason::BadHandshake) >= 4);
}

#[test]
fn noise_is_refused() {
    let mut scene = met();
    let mut dice = Dice(3);
    for round in 0..20_000_u64 {
        let length = usize::try_from(dice.roll(200)).unwrap();
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(dice.roll(256)).unwrap())
            .collect();
        if let Some(kind) = bytes.first_chunk_mut() {
            *kind = [u8::try_from(1 + round % 4).unwrap(), 0, 0, 0];
        }
        scene.deliver(0, address(66), &bytes);
    }
    let dropped: u64 = scene.nodes[0].drops().iter().map(|(_, count)| count).sum();
    assert_eq!(dropped, 20_000);
    assert_eq!(scene.nodes[0].tunnel.state(0).unwrap().endpoint, Some(address(2)));
}
