//! What passes, what is cut, and what the appliance has for itself.

use super::frames::{GUEST, PEER, frame, padded};
use super::{CONFIGURATION, Scene};
use crate::net::stack::bench::Policy;
use crate::net::stack::neighbour::{ping, read_ipv4, who_has};
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::incident::Incident;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_models::guest::{BLOCKS, Buffers, Pro100Driver, Pro100Window};
use sekisho_models::pro100::spec::{block, cause, command, register};

const NOTHING: [Vec<u8>; 0] = [];

/// Frames each way.
fn works(scene: &mut Scene, driver: &mut Pro100Driver) {
    scene.device.take_sent();
    for (seed, length) in [(1, 14), (2, 60), (3, 1514)] {
        let out = frame(PEER, GUEST, length, seed);
        for buffers in [Buffers::Simplified, Buffers::Table(1), Buffers::Table(5)] {
            assert!(driver.send(scene, &out, buffers));
            scene.interrupt(driver);
            assert_eq!(scene.device.take_sent(), [padded(&out)], "{buffers:?}");
        }
    }
    let back: Vec<_> = (0..496).map(|seed| frame(GUEST, PEER, 200, seed)).collect();
    for frames in back.chunks(8) {
        frames.iter().for_each(|frame| scene.device.inject(frame));
        assert_eq!(scene.interrupt(driver), frames);
    }
}

#[test]
fn frames_go_both_ways_and_round_all_rings() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    works(&mut scene, &mut driver);
}

#[test]
fn after_a_reset_under_load_everything_works_again() {
    for port in [0, 2] {
        let mut scene = Scene::new(Module::Pass);
        let mut driver = scene.driver();
        for seed in 0..5 {
            scene.device.inject(&frame(GUEST, PEER, 100, seed));
            driver.send(&mut scene, &frame(PEER, GUEST, 100, seed), Buffers::Simplified);
        }
        scene.device.step();
        scene.write(register::PORT, Width::Four, port);
        driver.set_up(&mut scene, &CONFIGURATION, GUEST);
        works(&mut scene, &mut driver);
    }
}

#[test]
fn nothing_interrupts_before_the_guests_driver_is_there() {
    for module in [Module::Pass, Policy::new(Kind::IpPass, "192.0.2.11/24").module()] {
        let mut scene = Scene::new(module);
        scene.device.run();
        scene.device.inject(&frame([0xff; 6], PEER, 100, 1));
        scene.device.run();
        assert!(!scene.device.interrupts());
        let mut driver = scene.driver();
        works(&mut scene, &mut driver);
    }
}

#[test]
fn a_cut_link_moves_nothing_and_is_down() {
    let mut scene = Scene::new(Module::Null);
    let mut driver = scene.driver();
    for seed in 0..100 {
        assert!(driver.send(&mut scene, &frame(PEER, GUEST, 300, seed), Buffers::Simplified));
        scene.device.inject(&frame(GUEST, PEER, 300, seed));
        assert_eq!(scene.interrupt(&mut driver), NOTHING);
    }
    assert_eq!(scene.device.take_sent(), NOTHING);
    scene.write(register::MDI, Width::Four, 2 << 26 | 1 << 16);
    assert_eq!(scene.read(register::MDI, Width::Four) & 1 << 2, 0);
}

#[test]
fn what_is_stopped_is_reported_with_its_cause() {
    let mut scene = Scene::new(Module::Null);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    driver.send(&mut scene, &frame(PEER, GUEST, 300, 1), Buffers::Simplified);
    assert!(scene.device.interrupts());
    let (causes, _) = driver.interrupt(&mut scene);
    assert_eq!(
        causes,
        cause::CX | cause::CNA,
        "and of no cause of the hypervisor's own"
    );
    assert!(!scene.device.interrupts());
}

#[test]
fn counters_are_dumped_where_the_guest_wants_them() {
    let mut scene = Scene::new(Module::Pass);
    let driver = scene.driver();
    driver.order(&mut scene, command::CU_DUMP_ADDRESS, 0x8_0000);
    driver.order(&mut scene, command::CU_DUMP, 0);
    let counters = scene.memory.ram().bytes(0x8_0000, 68);
    assert_eq!(counters[..4], 100u32.to_le_bytes());
    assert_eq!(counters[64..], 0xa005u32.to_le_bytes());
}

#[test]
fn microcode_is_done_with_and_never_loaded() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    assert!(driver.run(&mut scene, block::MICROCODE, &[0xee; 256]));
    assert_eq!(scene.nic.incidents().count(Incident::RefusedOffload), 1);
    works(&mut scene, &mut driver);
}

#[test]
fn software_that_asks_for_an_interrupt_gets_one() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    scene.write(register::MASK, Width::One, 2);
    assert!(scene.device.interrupts());
    assert_eq!(driver.interrupt(&mut scene).0, cause::SWI);
    assert!(!scene.device.interrupts());
    scene.write(register::MASK, Width::One, 1);
    assert_eq!(scene.read(register::MASK, Width::One), 1);
}

#[test]
fn the_appliance_answers_beside_the_guest_and_alone() {
    for (kind, guest) in [(Kind::IpPass, Guest::Present), (Kind::Ip, Guest::Absent)] {
        let mut scene = Scene::of(Policy::new(kind, "192.0.2.11/24").module(), guest);
        let mut driver = (guest == Guest::Present).then(|| scene.driver());
        scene.device.run();
        for request in [
            who_has("192.0.2.1", "192.0.2.11"),
            ping(MacAddress(GUEST), ("192.0.2.1", "192.0.2.11"), 900),
        ] {
            scene.device.inject(&request);
            scene.device.run();
            assert_eq!(
                scene.device.interrupts(),
                driver.is_some(),
                "where nobody takes one there is none"
            );
            match &mut driver {
                Some(driver) => drop(scene.interrupt(driver)),
                None => drop(scene.nic.poll(&mut scene.device, &mut scene.memory)),
            }
            scene.device.run();
        }
        let is_pong =
            |frame: &Vec<u8>| read_ipv4(frame).is_some_and(|(_, content)| content.first() == Some(&0));
        assert!(scene.device.take_sent().iter().any(is_pong), "{kind:?}");
    }
}

#[test]
fn a_burst_up_to_the_end_of_the_devices_chain_is_taken_whole() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    for burst in [64, 60, 64, 57] {
        let frames: Vec<_> = (0..burst).map(|seed| frame(GUEST, PEER, 150, seed)).collect();
        frames.iter().for_each(|frame| scene.device.inject(frame));
        assert_eq!(scene.interrupt(&mut driver), frames, "{burst}");
    }
}

#[test]
fn a_burst_of_answers_leaves_in_chains_that_the_device_carries_out() {
    const PINGS: usize = 40;
    let module = Policy::new(Kind::Ip, "192.0.2.11/24").module();
    let mut scene = Scene::of(module, Guest::Absent);
    scene.nic.poll(&mut scene.device, &mut scene.memory);
    scene.device.inject(&who_has("192.0.2.1", "192.0.2.11"));
    scene.device.run();
    scene.nic.poll(&mut scene.device, &mut scene.memory);
    scene.device.run();
    scene.device.take_sent();
    for _ in 0..PINGS {
        let request = ping(MacAddress(GUEST), ("192.0.2.1", "192.0.2.11"), 100);
        scene.device.inject(&request);
    }
    let mut answers = 0;
    for _ in 0..8 {
        scene.device.run();
        scene.nic.poll(&mut scene.device, &mut scene.memory);
        answers += scene.device.take_sent().len();
    }
    assert_eq!(answers, PINGS);
}

#[test]
fn frames_that_waited_for_the_guests_descriptors_have_a_cause_when_it_has_them() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    for seed in 0..20 {
        scene.device.inject(&frame(GUEST, PEER, 150, seed));
    }
    scene.device.run();
    // The first look fills the ring of sixteen; the handler makes it ready again, and four more follow.
    let (causes, first) = driver.interrupt(&mut scene);
    assert_eq!((first.len(), causes & cause::RNR), (16, cause::RNR));
    assert!(scene.device.interrupts());
    let (causes, others) = driver.interrupt(&mut scene);
    assert_eq!((others.len(), causes & cause::FR), (4, cause::FR));
}

#[test]
fn a_descriptor_without_room_is_left_as_it_is_and_no_frame_is_lost_by_it() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    // As Linux marks the end of its ring: the last but one has no room and ends the list.
    let before_last = driver.receive_place(BLOCKS - 2);
    let ram = scene.memory.ram();
    ram.store(before_last, &block::EL.to_le_bytes());
    ram.store(before_last + 14, &[0, 0]);
    let frames: Vec<_> = (0..16).map(|seed| frame(GUEST, PEER, 150, seed)).collect();
    frames.iter().for_each(|frame| scene.device.inject(frame));
    scene.device.run();
    let (causes, first) = driver.interrupt(&mut scene);
    assert_eq!(
        (first.as_slice(), causes & cause::RNR),
        (&frames[..14], cause::RNR)
    );
    let marked = scene.memory.ram().bytes(before_last, 16);
    assert_eq!(marked[..4], block::EL.to_le_bytes(), "not done");
    // The driver moves the mark on.
    let size = 1520u16.to_le_bytes();
    scene.memory.ram().store(before_last, &[0; 4]);
    scene.memory.ram().store(before_last + 14, &size);
    driver.order(&mut scene, command::RU_START, u32::try_from(before_last).unwrap());
    assert!(scene.device.interrupts());
    assert_eq!(driver.interrupt(&mut scene).1, frames[14..]);
}
