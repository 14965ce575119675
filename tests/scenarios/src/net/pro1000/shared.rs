//! The appliance on the wire: beside the guest, and alone.

use super::frames::{GUEST, PEER, frame};
use super::{FLAVOURS, Scene, contents};
use crate::net::stack::bench::{NIC, Policy};
use crate::net::stack::neighbour::{ping, read_ipv4, who_has};
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::seam::Host as _;
use sekisho_models::guest::Form;
use sekisho_models::pro1000::Flavour;
use sekisho_models::pro1000::spec::{cause, control, register};

const OURS: &str = "192.0.2.11";
const THEIRS: &str = "192.0.2.1";

fn scene(flavour: Flavour, kind: Kind, guest: Guest) -> Scene {
    let module = Policy::new(kind, "192.0.2.11/24").module();
    let own = module.hardware();
    assert_eq!(own, Some(NIC));
    let mut scene = Scene::of(flavour, module, own, guest);
    scene.nic.poll(&mut scene.device, &mut scene.memory);
    scene
}

/// Whether a frame is an answer to a ping.
fn is_pong(frame: &[u8]) -> bool {
    read_ipv4(frame).is_some_and(|(_, content)| content.first() == Some(&0))
}

#[test]
fn the_appliance_alone_answers_when_it_looks() {
    for flavour in FLAVOURS {
        let mut scene = scene(flavour, Kind::Ip, Guest::Absent);
        for request in [who_has(THEIRS, OURS), ping(NIC, (THEIRS, OURS), 1400)] {
            scene.device.inject(&request);
            scene.device.run();
            assert!(!scene.device.interrupts(), "nobody takes one");
            scene.nic.poll(&mut scene.device, &mut scene.memory);
            scene.device.run();
        }
        let sent = scene.device.take_sent();
        assert_eq!(sent.len(), 2);
        assert!(is_pong(&sent[1]));
    }
}

#[test]
fn beside_a_guest_that_looks_the_appliance_answers_at_once_and_the_guest_sees_nothing_of_it() {
    for flavour in FLAVOURS {
        let mut scene = scene(flavour, Kind::IpPass, Guest::Present);
        let mut driver = scene.driver(Form::Legacy);
        let for_guest = frame(GUEST, PEER, 900, 1);
        scene.device.inject(&who_has(THEIRS, OURS));
        scene.device.inject(&ping(NIC, (THEIRS, OURS), 56));
        let received = scene.receive(&mut driver, std::slice::from_ref(&for_guest));
        scene.device.run();
        let sent = scene.device.take_sent();
        assert!(sent.iter().any(|frame| is_pong(frame)));
        let received = contents(&received);
        assert!(received.contains(&for_guest));
        assert!(!received.contains(&ping(NIC, (THEIRS, OURS), 56)));
    }
}

#[test]
fn a_guest_that_is_behind_for_a_moment_loses_nothing() {
    for flavour in FLAVOURS {
        let mut scene = scene(flavour, Kind::IpPass, Guest::Present);
        let mut driver = scene.driver(Form::Legacy);
        let sent: Vec<_> = (0..200).map(|seed| frame(GUEST, PEER, 100, seed)).collect();
        for frame in &sent {
            scene.device.inject(frame);
        }
        let mut received = Vec::new();
        for _ in 0..10 {
            scene.device.run();
            scene.nic.poll(&mut scene.device, &mut scene.memory);
            received.extend(driver.take(&mut scene));
        }
        assert_eq!(contents(&received), sent);
    }
}

#[test]
fn a_guest_that_gives_no_buffers_does_not_keep_the_appliance_from_its_frames() {
    let mut scene = scene(Flavour::E82574, Kind::IpPass, Guest::Present);
    let mut driver = scene.driver(Form::Extended);
    for seed in 0..200 {
        scene.device.inject(&frame(GUEST, PEER, 100, seed));
    }
    scene.device.inject(&who_has(THEIRS, OURS));
    scene.device.inject(&ping(NIC, (THEIRS, OURS), 56));
    let start = scene.memory.now();
    let mut sent: Vec<Vec<u8>> = Vec::new();
    while !sent.iter().any(|frame| is_pong(frame)) {
        // The frames that the guest took earned more than can be saved.
        assert!(scene.memory.now().0 - start.0 < 205_000_000, "it waited for long");
        scene.device.run();
        scene.nic.poll(&mut scene.device, &mut scene.memory);
        scene.device.run();
        sent.extend(scene.device.take_sent());
    }
    // The guest has as many as its ring held, and is told of the others.
    let received = driver.take(&mut scene);
    assert_eq!(received.len(), 63);
    let missed = sekisho_models::guest::Window::read(&mut scene, register::MPC);
    assert_eq!(missed, 201 - 63, "a question to everybody is for the guest too");
}

#[test]
fn the_guests_masks_and_causes_stay_its_own() {
    let mut scene = scene(Flavour::E82540, Kind::IpPass, Guest::Present);
    let mut driver = scene.driver_with(Form::Legacy, control::BAM | control::SECRC);
    driver.interrupt(&mut scene);
    scene.device.inject(&frame(GUEST, PEER, 100, 1));
    scene.device.run();
    // A wake-up moves the frame; the cause is still there for the guest.
    scene.nic.poll(&mut scene.device, &mut scene.memory);
    assert!(scene.device.interrupts());
    let (causes, received) = driver.interrupt(&mut scene);
    assert_ne!(causes & cause::RXT0, 0);
    assert_eq!(received.len(), 1);
}
