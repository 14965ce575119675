//! How two engines come to keys, and what passes then.

use crate::scene::{MTU, SECOND, Scene, address, address_v6, clock, packet, pair, peer, private_key};
use sekisho_crypto::secret::Secret;
use sekisho_vpn::{Config, ConfigError, Event, Instant, Reason, Tunnel};

#[test]
fn the_first_packet_waits_for_a_handshake_and_arrives() {
    let mut scene = Scene::pair(|_, _| {});
    let there = packet(1, 2, b"there");
    scene.send(0, &there);
    assert_eq!(scene.nodes[0].tunnel.state(0).unwrap().held, 1);
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets, [there]);
    assert_eq!((scene.nodes[0].handshakes(), scene.nodes[1].handshakes()), (1, 1));
    let back = packet(2, 1, b"and back");
    scene.send(1, &back);
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [back]);
    assert_eq!(scene.nodes[0].drops(), []);
    assert_eq!(scene.nodes[1].drops(), []);
}

#[test]
fn packets_of_every_length_arrive_as_they_were() {
    let mut scene = Scene::pair(|_, _| {});
    for length in 0..=usize::from(MTU) - 20 {
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        let sent = packet(1, 2, &content);
        scene.send(0, &sent);
        scene.run(SECOND / 10);
        assert_eq!(scene.nodes[1].said.packets.pop(), Some(sent), "{length}");
    }
}

/// 16 bytes of header and 16 of tag around a multiple of 16, or the MTU.
#[test]
fn lengths_on_the_wire_tell_little_and_are_never_beyond_the_mtu() {
    let mut scene = Scene::pair(|_, _| {});
    for length in [20, 32, 33, 1409, 1420] {
        scene.send(0, &packet(1, 2, &vec![0; length - 20]));
        scene.run(SECOND);
    }
    let data = scene
        .wire
        .seen
        .iter()
        .filter(|(from, _, bytes)| *from == address(1) && bytes[0] == 4);
    let lengths: Vec<usize> = data.map(|(_, _, bytes)| bytes.len() - 32).collect();
    assert_eq!(lengths, [32, 32, 48, 1420, 1420]);
}

#[test]
fn nothing_leaves_in_clear_while_there_are_no_keys() {
    let mut scene = Scene::pair(|_, _| {});
    scene.wire.lost = 1000;
    for number in 0..100_u8 {
        scene.send(0, &packet(1, 2, &[number; 64]));
    }
    assert_eq!(scene.nodes[0].tunnel.state(0).unwrap().held, 32);
    assert_eq!(scene.nodes[0].drops(), [(Reason::HoldFull, 68)]);
    scene.run(SECOND * 12);
    assert!(scene.wire.seen.len() >= 3);
    assert!(
        scene
            .wire
            .seen
            .iter()
            .all(|(_, to, bytes)| *to == address(2) && bytes.len() == 148)
    );
}

#[test]
fn the_newest_packets_are_held_in_their_order() {
    let mut scene = Scene::pair(|_, _| {});
    let packets: Vec<_> = (0..40_u8).map(|number| packet(1, 2, &[number])).collect();
    for packet in &packets {
        scene.send(0, packet);
    }
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets, packets[8..]);
}

#[test]
fn both_may_begin_at_once() {
    let mut scene = Scene::pair(|_, config| config.peers[0].endpoint = Some(address(1)));
    scene.nodes[0].tunnel.set_endpoint(0, address(2), scene.now);
    for _ in 0..3 {
        scene.send(0, &packet(1, 2, b"there"));
        scene.send(1, &packet(2, 1, b"back"));
        scene.run(SECOND);
    }
    assert_eq!(scene.nodes[0].said.packets.len(), 3);
    assert_eq!(scene.nodes[1].said.packets.len(), 3);
    assert_eq!((scene.nodes[0].drops(), scene.nodes[1].drops()), (vec![], vec![]));
}

#[test]
fn a_responder_does_not_send_before_the_initiator_has() {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, b"there"));
    scene.run(SECOND / 50);
    assert_eq!(scene.wire.seen.len(), 2, "initiation and response");
    scene.send(1, &packet(2, 1, b"too early"));
    assert!(scene.wire.seen.iter().all(|(_, _, bytes)| bytes[0] != 4));
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [packet(2, 1, b"too early")]);
}

#[test]
fn equal_preshared_keys_are_needed() {
    for (mine, theirs, expected) in [
        ([1; 32], [1; 32], 1),
        ([1; 32], [2; 32], 0),
        ([1; 32], [0; 32], 0),
    ] {
        let mut scene = Scene::pair(|node, config| {
            config.peers[0].preshared_key = Some(Secret::new([mine, theirs][node]));
        });
        scene.send(0, &packet(1, 2, b"there"));
        scene.run(SECOND * 20);
        assert_eq!(scene.nodes[1].said.packets.len(), expected);
        assert_eq!(scene.nodes[0].handshakes(), expected);
        assert_eq!(
            scene.nodes[0].tunnel.drops(Reason::BadHandshake) > 0,
            expected == 0
        );
    }
}

#[test]
fn it_works_over_ipv6_as_well() {
    let mut scene = Scene::pair(|node, config| {
        config.peers[0].endpoint = (node == 0).then(|| address_v6(2));
    });
    for (node, number) in scene.nodes.iter_mut().zip([1, 2]) {
        node.address = address_v6(number);
    }
    scene.send(0, &packet(1, 2, b"there"));
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets.len(), 1);
    assert_eq!(
        scene.nodes[1].tunnel.state(0).unwrap().endpoint,
        Some(address_v6(1))
    );
}

#[test]
fn a_peer_whose_name_is_resolved_later_is_greeted_then() {
    let mut scene = Scene::pair(|_, config| config.peers[0].endpoint = None);
    scene.send(0, &packet(1, 2, b"there"));
    scene.run(SECOND * 7);
    assert!(scene.wire.seen.is_empty());
    assert_eq!(scene.nodes[0].said.events, []);
    scene.nodes[0].tunnel.set_endpoint(0, address(2), scene.now);
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets.len(), 1);
}

#[test]
fn what_happened_can_be_told() {
    let mut scene = Scene::pair(|_, _| {});
    scene.send(0, &packet(1, 2, &[0; 12]));
    scene.run(SECOND);
    let (one, other) = (&scene.nodes[0], &scene.nodes[1]);
    assert_eq!(one.said.events, [Event::HandshakeDone { peer: 0 }]);
    let moved = Event::EndpointChanged {
        peer: 0,
        endpoint: address(1),
    };
    assert_eq!(other.said.events, [moved, Event::HandshakeDone { peer: 0 }]);
    let state = one.tunnel.state(0).unwrap();
    assert_eq!((state.sent, state.received), (148 + 64, 92));
    let state = other.tunnel.state(0).unwrap();
    assert_eq!((state.sent, state.received), (92, 148 + 64));
    assert_eq!(state.last_handshake, Some(Instant(60_000_000)));
    assert_eq!(one.tunnel.state(1), None);
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = pair(|_, _| {}).remove(0);
        config.peers.push(peer(3));
        change(&mut config);
        Tunnel::new(config, clock(Instant(0))).err()
    };
    assert_eq!(refused(|_| {}), None);
    assert_eq!(
        refused(|config| config.private_key = private_key(3)),
        Some(ConfigError::OwnKey { peer: 1 })
    );
    assert_eq!(
        refused(|config| config.peers[1].public_key = config.peers[0].public_key),
        Some(ConfigError::SameKey { first: 0, second: 1 })
    );
    assert_eq!(
        refused(|config| config.peers[1].public_key = [0; 32]),
        Some(ConfigError::WeakKey { peer: 1 })
    );
    let prefix = peer(2).allowed[0];
    assert_eq!(
        refused(|config| config.peers[1].allowed = peer(2).allowed),
        Some(ConfigError::SamePrefix {
            first: 0,
            second: 1,
            prefix
        })
    );
    assert_eq!(
        refused(|config| config
            .peers
            .extend((4..=200).map(peer).chain((0..=57).map(|number| {
                let mut peer = peer(number);
                peer.public_key = [
                    number | 1,
                    number,
                    9,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    7,
                ];
                peer.allowed.clear();
                peer
            })))),
        Some(ConfigError::TooManyPeers { count: 257 })
    );
}
