//! Several peers: who gets what, and who may say what.

use crate::scene::{MTU, SECOND, Scene, address, inside, packet, peer, private_key};
use sekisho_vpn::{Config, PeerConfig, Prefix, Reason, Vectors};
use std::net::IpAddr;

/// The first node with all others as its peers; each of those with the first, through which everything goes.
fn star() -> Scene {
    let everything = ["0.0.0.0", "::"].map(|all| Prefix::new(all.parse().unwrap(), 0).unwrap());
    let mut configs = vec![Config {
        private_key: private_key(1),
        mtu: MTU,
        vectors: Vectors::NARROW,
        peers: (2..=4)
            .map(|number| PeerConfig {
                endpoint: Some(address(number)),
                ..peer(number)
            })
            .collect(),
    }];
    configs.extend((2..=4).map(|number| Config {
        private_key: private_key(number),
        mtu: MTU,
        vectors: Vectors::NARROW,
        peers: vec![PeerConfig {
            allowed: everything.to_vec(),
            endpoint: Some(address(1)),
            ..peer(1)
        }],
    }));
    let hub = &mut configs[0];
    hub.peers[0].allowed.push(prefix("10.0.0.0", 8));
    hub.peers[1].allowed.push(prefix("10.1.0.0", 16));
    hub.peers[1].allowed.push(prefix("2001:db8::", 32));
    hub.peers[2].allowed.push(prefix("2001:db8:0:1::", 64));
    Scene::new(configs)
}

fn prefix(address: &str, length: u8) -> Prefix {
    Prefix::new(address.parse().unwrap(), length).unwrap()
}

fn between(source: &str, destination: &str) -> Vec<u8> {
    match (source.parse().unwrap(), destination.parse().unwrap()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut packet = packet(0, 0, b"four");
            packet[12..16].copy_from_slice(&source.octets());
            packet[16..20].copy_from_slice(&destination.octets());
            packet
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut packet = vec![0x60, 0, 0, 0, 0, 3, 17, 64];
            packet.extend(source.octets());
            packet.extend(destination.octets());
            packet.extend(b"six");
            packet
        }
        _ => unreachable!(),
    }
}

#[test]
fn the_longest_prefix_decides_who_gets_a_packet() {
    let mut scene = star();
    for (destination, expected) in [
        ("10.0.0.2", Some(1)),
        ("10.0.0.3", Some(2)),
        ("10.0.0.9", Some(1)),
        ("10.1.2.3", Some(2)),
        ("11.0.0.1", None),
    ] {
        let sent = between("10.0.0.1", destination);
        scene.send(0, &sent);
        scene.run(SECOND);
        let got = (1..4).find(|node| scene.nodes[*node].said.packets.pop() == Some(sent.clone()));
        assert_eq!(got, expected, "{destination}");
    }
    for (destination, expected) in [
        ("2001:db8::1", Some(2)),
        ("2001:db8:0:1::1", Some(3)),
        ("2001:db9::1", None),
    ] {
        let sent = between("2001:db8:ffff::1", destination);
        scene.send(0, &sent);
        scene.run(SECOND);
        let got = (1..4).find(|node| scene.nodes[*node].said.packets.pop() == Some(sent.clone()));
        assert_eq!(got, expected, "{destination}");
    }
    assert_eq!(scene.nodes[0].drops(), [(Reason::NoRoute, 2)]);
}

#[test]
fn a_peer_may_only_use_sources_that_are_its_own() {
    let mut scene = star();
    for (source, is_allowed) in [
        ("10.0.0.2", true),
        ("10.9.9.9", true),
        ("10.0.0.3", false),
        ("10.1.0.1", false),
        ("192.0.2.1", false),
        ("2001:db8::1", false),
    ] {
        let to = if source.contains(':') {
            "2001:db8:ffff::1"
        } else {
            "10.0.0.1"
        };
        scene.send(1, &between(source, to));
        scene.run(SECOND);
        assert_eq!(
            scene.nodes[0].said.packets.pop().is_some(),
            is_allowed,
            "{source}"
        );
    }
    assert_eq!(scene.nodes[0].drops(), [(Reason::BadSource, 4)]);
}

#[test]
fn what_is_no_ip_packet_goes_nowhere() {
    let mut scene = star();
    let whole = packet(1, 2, b"1234");
    let mut other_version = whole.clone();
    other_version[0] = 0x55;
    let mut short_length = whole.clone();
    short_length[3] = 19;
    let long = packet(1, 2, &vec![0; usize::from(MTU) - 19]);
    for bytes in [
        &[][..],
        &whole[..23],
        &whole[..19],
        &other_version,
        &short_length,
        &[0x60; 40][..39],
        &long,
    ] {
        scene.send(0, bytes);
    }
    scene.run(SECOND);
    assert!(scene.wire.seen.is_empty());
    assert_eq!(scene.nodes[0].drops(), [(Reason::NotIp, 6), (Reason::TooLong, 1)]);
}

#[test]
fn what_is_behind_a_packet_stays_here() {
    let mut scene = star();
    let sent = packet(1, 2, b"whole");
    scene.send(
        0,
        &[&sent[..], b"what an Ethernet driver had in its buffer"].concat(),
    );
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets, [sent]);
    assert!(
        scene
            .wire
            .seen
            .iter()
            .all(|(_, _, bytes)| bytes[0] != 4 || bytes.len() <= 64)
    );
}

#[test]
fn host_bits_of_a_prefix_do_not_count_and_too_many_bits_make_none() {
    assert_eq!(
        Prefix::new("10.1.2.3".parse().unwrap(), 8),
        Some(prefix("10.0.0.0", 8))
    );
    assert_eq!(Prefix::new(IpAddr::V4(inside(1)), 33), None);
    assert_eq!(Prefix::new("::".parse().unwrap(), 129), None);
    assert!(prefix("0.0.0.0", 0).contains(IpAddr::V4(inside(1))));
    assert!(!prefix("0.0.0.0", 0).contains("::1".parse().unwrap()));
    assert!(prefix("::", 128).contains("::".parse().unwrap()));
}
