//! Guests whose rings wrap, overlap, lie about lengths, point into the hypervisor, or change while they are read.

use super::frames::{Carrier, Cut, GUEST, PEER, frame, tcp};
use super::{FLAVOURS, Scene, contents, forms};
use proptest::prelude::*;
use sekisho_mediator::net::incident::Incident;
use sekisho_mediator::net::module::Module;
use sekisho_models::guest::{Form, UNITS, Wanted, Window};
use sekisho_models::memory::BUFFERS;
use sekisho_models::pro1000::Flavour;
use sekisho_models::pro1000::spec::{control, register};
use sekisho_models::sequence::Sequence;

/// No memory at all.
const NOWHERE: u64 = 0x0fff_ffff_f000;

/// A legacy descriptor: end, check sequence, report.
const COMMAND: u32 = 0x0b00_0000;

fn halves(address: u64) -> [u32; 2] {
    [address & 0xffff_ffff, address >> 32].map(|half| u32::try_from(half).unwrap())
}

#[test]
fn what_is_not_the_guests_memory_is_neither_sent_nor_written() {
    for flavour in FLAVOURS {
        for address in [BUFFERS, BUFFERS + 0x1234, NOWHERE, u64::MAX - 100] {
            let mut scene = Scene::new(flavour);
            let mut driver = scene.driver(Form::Legacy);
            let [low, high] = halves(address);
            driver.post([low, high, COMMAND | 500, 0]);
            driver.tell(&mut scene);
            scene.device.run();
            assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
            assert_eq!(driver.unsent(), 0);
            assert_eq!(scene.nic.incidents().count(Incident::UnreachableMemory), 1);
            // The first buffer for a frame is not the guest's either: that one is lost, the next is not.
            scene
                .memory
                .ram()
                .store(driver.receive_place(0), &address.to_le_bytes());
            let frames = [frame(GUEST, PEER, 300, 1), frame(GUEST, PEER, 300, 2)];
            let received = scene.receive(&mut driver, &frames);
            assert_eq!(received.len(), 2);
            assert_ne!(received[0].errors, 0);
            assert_eq!(received[1].bytes, frames[1]);
        }
    }
}

#[test]
fn rings_outside_of_the_guests_memory_move_nothing() {
    for flavour in FLAVOURS {
        for address in [BUFFERS, NOWHERE, u64::MAX] {
            let mut scene = Scene::new(flavour);
            let mut driver = scene.driver(Form::Legacy);
            let [low, high] = halves(address);
            for ring in [register::RDBAL, register::TDBAL] {
                scene.write(ring, low);
                scene.write(ring + 4, high);
            }
            driver.send(&mut scene, &frame(PEER, GUEST, 100, 1));
            scene.receive(&mut driver, &[frame(GUEST, PEER, 100, 1)]);
            assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
            assert_ne!(scene.nic.incidents().count(Incident::UnreachableMemory), 0);
        }
    }
}

#[test]
fn positions_outside_of_a_ring_are_no_descriptors() {
    for (length, head, tail) in [
        (0, 0, 5),
        (1024, 64, 3),
        (1024, 3, 64),
        (128, 60, 61),
        (0xf_ff80, 0xffff, 9),
    ] {
        let mut scene = Scene::new(Flavour::E82540);
        let mut driver = scene.driver(Form::Legacy);
        for ring in [register::RDBAL, register::TDBAL] {
            scene.write(ring + 0x08, length);
            scene.write(ring + 0x10, head);
            scene.write(ring + 0x18, tail);
        }
        let received = scene.receive(&mut driver, &[frame(GUEST, PEER, 100, 1)]);
        assert_eq!(contents(&received), [] as [Vec<u8>; 0]);
        assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
    }
}

#[test]
fn a_descriptor_that_changes_behind_the_first_look_is_the_one_that_was_looked_at() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        let whole = frame(PEER, GUEST, 400, 1);
        driver.post_pieces(&[&whole], Wanted::default());
        let [low, high] = halves(BUFFERS);
        let other = [low, high, COMMAND | 0xffff, 0].map(u32::to_le_bytes);
        let ram = scene.memory.ram();
        ram.edit_behind_the_next_read(driver.transmit_place(0), other.as_flattened());
        driver.tell(&mut scene);
        scene.device.run();
        assert_eq!(scene.device.sent(), [whole]);
    }
}

#[test]
fn frames_that_no_nic_sends_are_not_sent_and_are_done_with() {
    let mut scene = Scene::new(Flavour::E82574);
    let mut driver = scene.driver(Form::Legacy);
    let data = driver.transmit_data(0);
    let [low, high] = halves(data);
    // Too short, and without any byte.
    for length in [1, 13, 0] {
        driver.post([low, high, COMMAND | length, 0]);
    }
    // Longer than any frame: five times 16 KiB and more.
    for command in [0, 0, 0, 0, COMMAND] {
        driver.post([low, high, command | 0x0200_0000 | 0x4000, 0]);
    }
    // Neither context nor data.
    driver.post([low, high, 0x2b50_0040, 0]);
    driver.tell(&mut scene);
    scene.device.run();
    assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
    assert_eq!(scene.nic.incidents().count(Incident::MalformedDescriptor), 5);
    // More pieces than a frame has.
    driver.reap();
    for _ in 0..5 {
        for _ in 0..UNITS - 1 {
            driver.post([low, high, 0x0200_0001, 0]);
        }
        driver.tell(&mut scene);
    }
    driver.post([low, high, COMMAND | 60, 0]);
    driver.tell(&mut scene);
    scene.device.run();
    assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
    let good = frame(PEER, GUEST, 100, 1);
    driver.send(&mut scene, &good);
    scene.device.run();
    assert_eq!(scene.device.sent(), [good]);
}

#[test]
fn offloads_that_reach_out_of_their_frame_are_refused() {
    let (whole, sums, segment) = tcp(Carrier::Ipv4, 3000, Cut::Into(1000));
    let segment = segment.unwrap();
    let mut bad = Vec::new();
    for place in [3054, 3053] {
        let sums = sekisho_models::pro1000::Sums {
            transport: Some((34, 3060, place & 0xff)),
            ..sums
        };
        bad.push(Wanted {
            sums,
            ..Wanted::default()
        });
    }
    for (headers, payload, network) in [(255, 0, 14), (0, 100, 14), (54, 100, 60), (40, 100, 14)] {
        bad.push(Wanted {
            sums,
            segment: Some(sekisho_models::pro1000::Segment {
                headers,
                payload,
                network,
            }),
            tag: None,
        });
    }
    bad.push(Wanted {
        sums: sekisho_models::pro1000::Sums {
            transport: None,
            ..sums
        },
        segment: Some(segment),
        tag: None,
    });
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        for wanted in &bad {
            driver.send_pieces(&mut scene, &[&whole], *wanted);
            driver.reap();
        }
        scene.device.run();
        assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
        let refused = scene.nic.incidents().count(Incident::RefusedOffload);
        assert_eq!(refused, bad.len() as u64);
    }
}

#[test]
fn a_ring_in_its_own_buffers_does_no_harm() {
    for form in forms(Flavour::E82574) {
        let mut scene = Scene::new(Flavour::E82574);
        let mut driver = scene.driver(*form);
        for index in 0..UNITS / 2 {
            let place = driver.receive_place(index);
            scene.memory.ram().store(place, &place.to_le_bytes());
        }
        let frames: Vec<_> = (0..40).map(|seed| frame(GUEST, PEER, 1500, seed)).collect();
        scene.receive(&mut driver, &frames);
    }
}

/// One act of a guest that means harm.
fn mischief(scene: &mut Scene, chance: &mut Sequence) {
    let offsets = [
        0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x0100, 0x0400,
        0x5008, 0x2170, 0x0000, 0x00c8, 0x00d0, 0x0020, 0x0010,
    ];
    let value = u32::try_from(chance.next() & 0xffff_ffff).unwrap();
    let one = 1 << chance.below(32);
    match chance.below(12) {
        0..4 => {
            let choice = usize::try_from(chance.below(offsets.len() as u64)).unwrap();
            let value = if chance.below(2) == 0 { one } else { value };
            scene.write(offsets[choice], value);
        }
        4 => scene.write(u32::try_from(chance.below(0x8000)).unwrap() * 4, value),
        5 => {
            scene.read(u32::try_from(chance.below(0x8000)).unwrap() * 4);
        }
        6 => {
            let descriptor = chance.bytes(16);
            let place = super::BASE + 16 * chance.below(0x200);
            scene.memory.ram().store(place, &descriptor);
        }
        7 => {
            for (ring, place) in [(0x2800, super::BASE), (0x3800, super::BASE + 0x1000)] {
                scene.write(ring, u32::try_from(place).unwrap());
                scene.write(ring + 4, 0);
                scene.write(ring + 8, 1024);
                scene.write(ring + 0x10, 0);
                scene.write(ring + 0x18, 63);
            }
            scene.write(
                register::RCTL,
                control::EN | control::UPE | control::MPE | control::BAM,
            );
            scene.write(register::TCTL, control::EN);
        }
        8 | 9 => {
            let length = usize::try_from(14 + chance.below(2000)).unwrap();
            scene.device.inject(&frame(GUEST, PEER, length, chance.next()));
            scene.device.run();
        }
        _ => {
            scene.device.run();
            scene.read(register::ICR);
            scene.nic.poll(&mut scene.device, &mut scene.memory);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The scene itself asserts, when it ends, that the device was driven by the book and into buffers of ours alone.
    #[test]
    fn whatever_a_guest_does_the_device_is_driven_by_the_book(seed: u64, is_null: bool, is_new: bool) {
        let module = if is_null { Module::Null } else { Module::Pass };
        let flavour = if is_new { Flavour::E82574 } else { Flavour::E82540 };
        let mut scene = Scene::with(flavour, module, None);
        let mut chance = Sequence::new(seed);
        for _ in 0..400 {
            mischief(&mut scene, &mut chance);
        }
        if is_null {
            prop_assert!(scene.device.sent().is_empty());
        }
    }
}
