//! A guest, its administrator or its malware, that wants one frame on the wire.

use super::*;
use crate::net::pro1000::FLAVOURS;
use crate::net::stack::neighbour::{arp, udp, who_has};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_models::guest::{Wanted, Window};
use sekisho_models::pro1000::spec::register;
use sekisho_models::sequence::Sequence;
use smoltcp::wire::ArpOperation;

const BROADCAST: MacAddress = MacAddress::BROADCAST;

/// Frames that are not for the tunnel, each with the secret in it where there is room.
fn attempts() -> Vec<Vec<u8>> {
    let raw = |head: &[u8]| [head, SECRET, &[0; 60]].concat();
    let ends = |from: [u8; 6], to: [u8; 6]| [to, from].concat();
    let other = [2, 9, 9, 9, 9, 9];
    let group = [0x33, 0x33, 0, 0, 0, 0xfb];
    let mut frames = vec![
        // No IP, VLANs single and double, a priority tag, IPv6, EAPOL, LLDP, PAUSE.
        raw(&[&ends(GUEST, other)[..], &[0x88, 0xb5]].concat()),
        raw(&[&ends(GUEST, other)[..], &[0x81, 0, 0, 5, 8, 0, 0x45]].concat()),
        raw(&[&ends(GUEST, other)[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
        raw(&[&ends(GUEST, other)[..], &[0x81, 0, 0xe0, 0, 0x88, 0xb5]].concat()),
        raw(&[&ends(GUEST, group)[..], &[0x86, 0xdd, 0x60, 0, 0, 0]].concat()),
        raw(&[&ends(GUEST, [1, 0x80, 0xc2, 0, 0, 3])[..], &[0x88, 0x8e]].concat()),
        raw(&[&ends(GUEST, [1, 0x80, 0xc2, 0, 0, 0xe])[..], &[0x88, 0xcc]].concat()),
        raw(&[&ends(GUEST, [1, 0x80, 0xc2, 0, 0, 1])[..], &[0x88, 0x08, 0, 1]].concat()),
        // A forged and a group's hardware address.
        raw(&[&ends(other, [0xff; 6])[..], &[8, 0]].concat()),
        raw(&[&ends([1; 6], [0xff; 6])[..], &[8, 0]].concat()),
        // In the appliance's name, at the addresses outside.
        who_has(OURS, ENDPOINT),
        arp(ArpOperation::Reply, (NIC, OURS), (BROADCAST, ENDPOINT)),
    ];
    for source in [OURS, "10.66.0.3", "0.0.0.0", "127.0.0.1", ENDPOINT] {
        for destination in [ENDPOINT, "255.255.255.255", "224.0.0.251", "192.0.2.255"] {
            frames.push(udp(PEER_HARDWARE, (source, destination), (PORT, PORT), SECRET));
        }
    }
    // Of the leased address, to groups.
    for destination in ["255.255.255.255", "239.255.255.250", "169.254.1.1"] {
        frames.push(udp(BROADCAST, ("10.66.0.2", destination), (1900, 1900), SECRET));
    }
    frames
}

const PEER_HARDWARE: MacAddress = crate::net::stack::bench::PEER;

fn attempt_all(all: &mut Tunnelled) {
    for frame in attempts() {
        all.send(&frame);
        // With a tag to be inserted, and as a packet to be cut and summed up by the NIC.
        let wanted = Wanted {
            tag: Some(7),
            ..Wanted::default()
        };
        all.driver.send_pieces(&mut all.scene, &[&frame], wanted);
        all.driver.reap();
        all.carry();
    }
    all.run(2000);
}

#[test]
fn with_the_tunnel_up_no_frame_of_the_guests_is_on_the_wire() {
    for flavour in FLAVOURS {
        let mut all = Tunnelled::configured(flavour, Case::default());
        assert_eq!(all.exchange(b"hello", 5000), b"hello");
        attempt_all(&mut all);
        all.assert_tight();
        let is_secret = |packet: &Vec<u8>| packet.windows(SECRET.len()).any(|window| window == SECRET);
        assert!(!all.server.packets.iter().any(is_secret), "nor in the tunnel");
        for loss in [
            Loss::GuestForeign,
            Loss::GuestGroup,
            Loss::GuestOther,
            Loss::GuestMalformed,
        ] {
            assert_ne!(all.lost(loss), 0, "{loss:?}");
        }
        // And the guest still has its network.
        assert_eq!(all.exchange(b"again", 5000), b"again");
    }
}

#[test]
fn with_the_tunnel_down_and_never_up_packets_wait_and_go_nowhere() {
    for presence in [Presence::Mute, Presence::Gone] {
        let mut all = Tunnelled::configured(Flavour::E82574, Case::default());
        all.server.presence = presence;
        assert_eq!(all.exchange(SECRET, 5000), b"");
        attempt_all(&mut all);
        for number in 0..200 {
            let text = format!("{} {number}", String::from_utf8_lossy(SECRET));
            all.send(&udp(
                MacAddress([0x50, 0x54, 0, 0, 0, 0x11]),
                ("10.66.0.2", FAR),
                (9, 9),
                text.as_bytes(),
            ));
        }
        all.run(120_000);
        all.assert_tight();
        assert!(all.lost(Loss::TunnelDown) > 100);
        assert!(all.server.packets.is_empty());
        assert!(all.wire.len() < 200, "{} frames", all.wire.len());
        if presence == Presence::Mute {
            let notices = all.notices();
            assert!(
                notices.iter().any(|text| text.starts_with("H0606")),
                "{notices:?}"
            );
        }
        // When the other end comes, the guest has its network.
        all.server.presence = Presence::There;
        all.run(20_000);
        assert_eq!(all.exchange(b"late", 20_000), b"late");
        all.assert_tight();
    }
}

#[test]
fn registers_rings_and_resets_do_not_open_a_way() {
    for flavour in FLAVOURS {
        let mut all = Tunnelled::configured(flavour, Case::default());
        let mut chance = Sequence::new(5);
        for round in 0..300 {
            let frames = attempts();
            let frame = &frames[round % frames.len()];
            all.driver.post_pieces(&[frame], Wanted::default());
            let offset = match chance.below(4) {
                0 => register::CTRL,
                1 => register::TCTL,
                2 => register::TDBAL + 4 * u32::try_from(chance.below(8)).unwrap(),
                _ => 4 * u32::try_from(chance.below(0x1800)).unwrap(),
            };
            let value = u32::try_from(chance.next() >> 32).unwrap();
            all.scene.write(offset, value);
            let driver = all.driver.clone();
            driver.tell(&mut all.scene);
            all.driver.reap();
            all.carry();
            if round % 20 == 0 {
                let Scene { nic, device, memory } = &mut all.scene;
                nic.write(0, Width::Four, 1 << 26, device, memory);
                all.driver.set_up(&mut all.scene);
            }
        }
        all.run(1000);
        all.assert_tight();
        // With its rings set up again the guest is where it was.
        all.driver.set_up(&mut all.scene);
        all.guest = Host::new(GUEST);
        all.run(12_000);
        assert_eq!(all.exchange(b"again", 10_000), b"again");
        all.assert_tight();
    }
}

#[test]
fn what_comes_by_the_wire_in_clear_never_reaches_the_guest() {
    let mut all = Tunnelled::configured(Flavour::E82574, Case::default());
    assert_eq!(all.exchange(b"hello", 5000), b"hello");
    all.guest.queues.to_host.clear();
    for frame in [
        udp(NIC, (FAR, "10.66.0.2"), (9, 9), SECRET),
        udp(BROADCAST, (ENDPOINT, "255.255.255.255"), (67, 68), &[2; 300]),
        udp(NIC, (ENDPOINT, OURS), (PORT, 9), SECRET),
        who_has(ENDPOINT, "10.66.0.2"),
        crate::net::stack::neighbour::ping(NIC, (ENDPOINT, OURS), 56),
        crate::net::frames::frame(GUEST, crate::net::frames::PEER, 100, 1),
    ] {
        all.scene.device.inject(&frame);
    }
    all.scene.device.run();
    let received = {
        let Scene { nic, device, memory } = &mut all.scene;
        nic.poll(device, memory);
        all.scene.interrupt(&mut all.driver)
    };
    assert!(received.is_empty(), "{received:?}");
    all.carry();
    // Nor is any of it answered: the appliance is not there for others.
    all.assert_tight();
    assert!(all.lost(Loss::Unwanted) >= 2);
}
