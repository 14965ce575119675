//! Guests whose lists point into the hypervisor, have no end, or change while they are read.

use super::frames::{GUEST, PEER, frame};
use super::{BASE, Scene};
use crate::net::stack::bench::Policy;
use crate::net::stack::neighbour::{ping, read_ipv4, who_has};
use proptest::prelude::*;
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::incident::Incident;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_models::guest::{Buffers, Pro100Window};
use sekisho_models::memory::BUFFERS;
use sekisho_models::pro100::spec::{block, command, register};
use sekisho_models::sequence::Sequence;

const NOTHING: [Vec<u8>; 0] = [];

#[test]
fn lists_and_buffers_in_the_hypervisor_are_neither_read_nor_written() {
    let hypervisor = u32::try_from(BUFFERS).unwrap();
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    // A table whose buffer is not the guest's.
    let place = driver.place(driver.next());
    scene.memory.ram().store(place + 16, &hypervisor.to_le_bytes());
    scene.memory.ram().store(place + 20, &500u32.to_le_bytes());
    scene.memory.ram().store(place + 12, &(1u32 << 24).to_le_bytes());
    assert!(driver.begin(&mut scene, block::TRANSMIT | block::SF));
    for order in [command::CU_START, command::RU_START] {
        driver.order(&mut scene, order, hypervisor);
    }
    scene.device.inject(&frame(GUEST, PEER, 100, 1));
    scene.device.run();
    scene.read(register::STAT_ACK, Width::One);
    driver.order(&mut scene, command::CU_DUMP_ADDRESS, hypervisor);
    driver.order(&mut scene, command::CU_DUMP, 0);
    scene.write(register::PORT, Width::Four, hypervisor | 1);
    assert_eq!(scene.device.take_sent(), NOTHING);
    assert_eq!(scene.nic.incidents().count(Incident::UnreachableMemory), 5);
}

#[test]
fn a_list_without_an_end_ends_with_the_look() {
    let mut scene = Scene::new(Module::Pass);
    let driver = scene.driver();
    let place = u32::try_from(BASE + 0x8000).unwrap();
    let words = [block::NOP, place, 0, 0].map(u32::to_le_bytes);
    scene.memory.ram().store(place.into(), words.as_flattened());
    driver.order(&mut scene, command::CU_START, place);
    assert!(scene.nic.poll(&mut scene.device, &mut scene.memory).is_some());
}

#[test]
fn a_block_that_changes_behind_the_first_look_is_the_one_that_was_looked_at() {
    let mut scene = Scene::new(Module::Pass);
    let mut driver = scene.driver();
    let whole = frame(PEER, GUEST, 300, 1);
    let ram = scene.memory.ram();
    ram.edit_behind_the_next_read(driver.place(driver.next()), &[0xff; 16]);
    driver.send(&mut scene, &whole, Buffers::Simplified);
    scene.interrupt(&mut driver);
    assert_eq!(scene.device.take_sent(), [whole]);
}

#[test]
fn a_peer_that_floods_and_sends_what_no_frame_can_be_reaches_the_guest_as_on_a_nic_alone() {
    let mut scene = Scene::of(
        Policy::new(Kind::IpPass, "192.0.2.11/24").module(),
        Guest::Present,
    );
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    let mut received = Vec::new();
    let mut sent = Vec::new();
    for seed in 0..300 {
        // Too short, too long, nobody's, and truly the guest's.
        scene.device.inject(&[0xff; 5]);
        scene.device.inject(&vec![0x5a; 9000]);
        scene.device.inject(&frame([2, 9, 9, 9, 9, 9], PEER, 100, seed));
        let whole = frame(GUEST, PEER, 100, seed);
        scene.device.inject(&whole);
        sent.push(whole);
        received.extend(scene.interrupt(&mut driver));
    }
    let own: Vec<_> = received
        .into_iter()
        .filter(|frame| frame.starts_with(&GUEST))
        .collect();
    assert!(own == sent, "{} of {}", own.len(), sent.len());
    for request in [
        who_has("192.0.2.1", "192.0.2.11"),
        ping(MacAddress(GUEST), ("192.0.2.1", "192.0.2.11"), 8),
    ] {
        scene.device.inject(&request);
        scene.interrupt(&mut driver);
    }
    let answers = scene.device.take_sent();
    assert!(answers.iter().any(|frame| read_ipv4(frame).is_some()));
}

#[test]
fn a_guest_that_is_behind_for_a_moment_loses_nothing_beside_the_appliance() {
    let mut scene = Scene::of(
        Policy::new(Kind::IpPass, "192.0.2.11/24").module(),
        Guest::Present,
    );
    let mut driver = scene.driver();
    scene.interrupt(&mut driver);
    let sent: Vec<_> = (0..60).map(|seed| frame(GUEST, PEER, 100, seed)).collect();
    for frame in &sent {
        scene.device.inject(frame);
    }
    scene.device.run();
    scene.nic.poll(&mut scene.device, &mut scene.memory);
    assert!(scene.interrupt(&mut driver) == sent);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The scene itself asserts, when it ends, that the device was driven by the book and into buffers of ours alone.
    #[test]
    fn whatever_a_guest_does_the_device_is_driven_by_the_book(seed: u64, is_null: bool) {
        let module = if is_null { Module::Null } else { Module::Pass };
        let mut scene = Scene::new(module);
        let mut chance = Sequence::new(seed);
        for _ in 0..300 {
            mischief(&mut scene, &mut chance);
        }
        prop_assert!(!is_null || scene.device.take_sent().is_empty());
    }
}

/// One act of a guest that means harm.
fn mischief(scene: &mut Scene, chance: &mut Sequence) {
    let offset = u8::try_from(chance.below(0x44)).unwrap();
    let value = u32::try_from(chance.next() & 0xffff_ffff).unwrap();
    let block = u32::try_from(BASE + 16 * chance.below(64)).unwrap();
    let width = [Width::One, Width::Two, Width::Four][usize::try_from(chance.below(3)).unwrap()];
    match chance.below(10) {
        0 => scene.write(offset, width, value),
        1 => {
            scene.read(offset, width);
        }
        2..5 => {
            let control = u32::try_from(chance.below(8)).unwrap() << 16 | value & 0xe018_0000;
            let link = u32::try_from(BASE + 16 * chance.below(64)).unwrap();
            let words = [control, link, link, value & 0x3000_0fff].map(u32::to_le_bytes);
            scene.memory.ram().store(block.into(), words.as_flattened());
        }
        5..7 => {
            scene.write(register::POINTER, Width::Four, block);
            scene.write(register::COMMAND, Width::One, value & 0xff);
        }
        7 => {
            scene.device.inject(&frame([0xff; 6], PEER, 100, chance.next()));
            scene.device.run();
        }
        8 => {
            scene.write(register::PORT, Width::Four, value & 3);
        }
        _ => {
            scene.device.run();
            scene.nic.poll(&mut scene.device, &mut scene.memory);
        }
    }
}
