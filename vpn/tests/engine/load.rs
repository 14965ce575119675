//! Floods of handshake messages: cookies, and how much work an attacker can make.

use crate::scene::{SECOND, Scene, address, packet};
use sekisho_vpn::{Instant, Reason};
use std::net::SocketAddr;
use std::time::Duration;

/// An initiation of the first node's that the second has not seen.
fn initiation(scene: &mut Scene) -> Vec<u8> {
    scene.wire.lost = 1000;
    scene.send(0, &packet(1, 2, b"hello"));
    scene.wire.lost = 0;
    scene.wire.seen.last().unwrap().2.clone()
}

/// Puts the second node under load, by copies of an initiation from elsewhere.
fn flood(scene: &mut Scene, initiation: &[u8]) {
    for _ in 0..30 {
        scene.deliver(1, address(66), initiation);
    }
}

#[test]
fn under_load_an_initiator_gets_in_with_a_cookie() {
    let mut scene = Scene::pair(|_, _| {});
    let first = initiation(&mut scene);
    scene.deliver(1, address(66), &first);
    // Its retry, 5 s later, meets a node under load.
    for _ in 0..55 {
        scene.run(SECOND / 10);
        flood(&mut scene, &first);
    }
    assert!(
        scene
            .wire
            .seen
            .iter()
            .any(|(_, to, bytes)| *to == address(1) && bytes.len() == 64)
    );
    assert_eq!(scene.nodes[1].handshakes(), 0);
    // The one after carries the cookie, and is answered.
    for _ in 0..55 {
        scene.run(SECOND / 10);
        flood(&mut scene, &first);
    }
    assert_eq!(scene.nodes[1].handshakes(), 1);
    assert_eq!(scene.nodes[1].said.packets.len(), 1);
    assert!(scene.nodes[1].tunnel.drops(Reason::UnderLoad) > 1000);
}

#[test]
fn a_responder_gets_in_with_a_cookie_too() {
    let mut scene = Scene::pair(|_, config| config.peers[0].endpoint = Some(address(1)));
    scene.nodes[0].tunnel.set_endpoint(0, address(2), scene.now);
    // An initiation of the second node's, with which the first is put under load.
    scene.wire.lost = 1000;
    scene.send(1, &packet(2, 1, b"hello"));
    scene.wire.lost = 0;
    let load = scene.wire.seen.last().unwrap().2.clone();
    scene.send(0, &packet(1, 2, b"hello"));
    for _ in 0..170 {
        scene.run(SECOND / 10);
        for _ in 0..30 {
            scene.deliver(0, address(66), &load);
        }
    }
    let cookies = scene
        .wire
        .seen
        .iter()
        .filter(|(_, to, bytes)| *to == address(2) && bytes.len() == 64);
    assert!(cookies.count() > 0);
    assert_eq!(scene.nodes[1].said.packets.len(), 1);
}

#[test]
fn a_cookie_is_for_one_address_only() {
    let mut scene = Scene::pair(|_, _| {});
    let first = initiation(&mut scene);
    flood(&mut scene, &first);
    scene.deliver(1, address(1), &first);
    // The node takes the cookie, and its next initiation carries the second MAC.
    scene.run(SECOND / 2);
    scene.wire.lost = 1000;
    scene.run(SECOND * 5);
    let second = scene.wire.seen.last().unwrap().2.clone();
    assert!(second.len() == 148 && second[132..] != [0; 16]);
    flood(&mut scene, &first);
    let elsewhere = [
        SocketAddr::new(address(66).ip(), address(1).port()),
        SocketAddr::new(address(1).ip(), 1),
    ];
    for from in elsewhere {
        scene.deliver(1, from, &second);
        let (_, to, cookie) = scene.wire.seen.last().unwrap();
        assert_eq!((*to, cookie.len()), (from, 64));
    }
    scene.deliver(1, address(1), &second);
    let (_, to, response) = scene.wire.seen.last().unwrap();
    assert_eq!((*to, response.len()), (address(1), 92));
}

#[test]
fn a_cookie_is_for_two_minutes_only() {
    let mut scene = Scene::pair(|_, _| {});
    let first = initiation(&mut scene);
    flood(&mut scene, &first);
    scene.deliver(1, address(1), &first);
    scene.run(SECOND / 2);
    scene.wire.lost = 1000;
    scene.run(SECOND * 5);
    let with_cookie = scene.wire.seen.last().unwrap().2.clone();
    assert_ne!(with_cookie[132..], [0; 16]);
    // The sender forgets it in time,
    scene.run(SECOND * 114);
    scene.send(0, &packet(1, 2, b"again"));
    scene.run(SECOND * 6);
    assert_eq!(scene.wire.seen.last().unwrap().2[132..], [0; 16]);
    // and it no longer opens anything.
    flood(&mut scene, &first);
    let before = scene.nodes[1].tunnel.drops(Reason::UnderLoad);
    scene.deliver(1, address(1), &with_cookie);
    assert_eq!(scene.nodes[1].tunnel.drops(Reason::UnderLoad), before + 1);
}

#[test]
fn a_flood_that_does_not_know_our_key_neither_makes_load_nor_gets_an_answer() {
    let mut scene = Scene::pair(|_, _| {});
    let mut bytes = initiation(&mut scene);
    bytes[120] ^= 1;
    let before = scene.wire.seen.len();
    for _ in 0..10_000 {
        scene.deliver(1, address(66), &bytes);
    }
    assert_eq!(scene.nodes[1].drops(), [(Reason::BadMac, 10_000)]);
    assert_eq!(scene.wire.seen.len(), before);
    bytes[120] ^= 1;
    scene.deliver(1, address(1), &bytes);
    assert_eq!(scene.wire.seen.last().unwrap().2.len(), 92, "not under load");
}

#[test]
fn one_address_with_a_cookie_gets_no_more_than_its_share() {
    let mut scene = Scene::pair(|_, _| {});
    let first = initiation(&mut scene);
    flood(&mut scene, &first);
    scene.deliver(1, address(1), &first);
    scene.run(SECOND / 2);
    scene.wire.lost = 1000;
    scene.run(SECOND * 5);
    let with_cookie = scene.wire.seen.last().unwrap().2.clone();
    flood(&mut scene, &first);
    for _ in 0..1000 {
        scene.now = Instant(scene.now.0 + crate::scene::nanoseconds(Duration::from_millis(1)));
        scene.deliver(1, address(1), &with_cookie);
    }
    let limited = scene.nodes[1].tunnel.drops(Reason::RateLimited);
    assert!((974..=976).contains(&limited), "{limited}");
}
