//! What a guest's driver sends and receives through `pass` is, bit by bit, what it would be without us.

use super::frames::{Carrier, Cut, GUEST, PEER, frame, padded, tcp};
use super::{FLAVOURS, Scene, contents, forms};
use sekisho_models::guest::{Form, Wanted};
use sekisho_models::pro1000::spec::{cause, control, received};
use sekisho_models::pro1000::{Flavour, crc, finish};

#[test]
fn frames_go_out_as_they_were_written_and_are_reported_done() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        for (seed, length) in [(1, 14), (2, 60), (3, 1514), (4, 333)] {
            let frame = frame(PEER, GUEST, length, seed);
            driver.send(&mut scene, &frame);
            assert_eq!(driver.unsent(), 0, "{length}");
            scene.device.run();
            assert_eq!(scene.device.take_sent(), [padded(&frame)]);
            assert_ne!(driver.interrupt(&mut scene).0 & cause::TXDW, 0);
        }
    }
}

#[test]
fn a_frame_in_pieces_goes_out_as_one() {
    let mut scene = Scene::new(Flavour::E82574);
    let mut driver = scene.driver(Form::Legacy);
    let whole = frame(PEER, GUEST, 1500, 1);
    let pieces: Vec<&[u8]> = whole.chunks(97).collect();
    driver.send_pieces(&mut scene, &pieces, Wanted::default());
    scene.device.run();
    assert_eq!(scene.device.sent(), [whole]);
}

#[test]
fn pieces_that_are_told_one_by_one_are_one_frame_too() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver(Form::Legacy);
    let whole = frame(PEER, GUEST, 900, 1);
    let (first, second) = whole.split_at(300);
    driver.post_pieces(&[first, second], Wanted::default());
    let next = driver.next_sent();
    sekisho_models::guest::Window::write(&mut scene, 0x3818, next - 1);
    scene.device.run();
    assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
    driver.tell(&mut scene);
    scene.device.run();
    assert_eq!(scene.device.sent(), [whole]);
}

#[test]
fn thousands_of_frames_go_round_both_rings_in_order() {
    for flavour in FLAVOURS {
        for form in forms(flavour) {
            let mut scene = Scene::new(flavour);
            let mut driver = scene.driver(*form);
            for round in 0..100 {
                let out: Vec<_> = (0..20)
                    .map(|n| frame(PEER, GUEST, 64 + n * 50, round * 20 + n as u64))
                    .collect();
                let back: Vec<_> = out
                    .iter()
                    .map(|out| frame(GUEST, PEER, out.len(), round))
                    .collect();
                out.iter()
                    .for_each(|frame| driver.post_pieces(&[frame], Wanted::default()));
                driver.tell(&mut scene);
                let received = scene.receive(&mut driver, &back);
                assert_eq!(scene.device.take_sent(), out);
                assert_eq!(contents(&received), back, "{form:?} {round}");
                assert_eq!(driver.unsent(), 0);
                driver.reap();
            }
        }
    }
}

#[test]
fn a_received_frame_has_its_check_sequence_where_the_guest_wants_it() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver_with(Form::Legacy, control::BAM);
    let frame = frame(GUEST, PEER, 100, 1);
    let received = scene.receive(&mut driver, std::slice::from_ref(&frame));
    let check = crc(&frame).to_le_bytes();
    assert_eq!(contents(&received), [[frame.as_slice(), &check].concat()]);
}

#[test]
fn what_the_device_says_of_a_frame_reaches_the_guest() {
    for form in forms(Flavour::E82574) {
        let mut scene = Scene::new(Flavour::E82574);
        let mut driver = scene.driver(*form);
        let (whole, sums, _) = tcp(Carrier::Ipv4, 100, Cut::No);
        let mut good = finish(&whole, sums, None, Some(0x0123)).remove(0);
        good[..6].copy_from_slice(&GUEST);
        let mut bad = finish(&whole, sums, None, None).remove(0);
        bad[..6].copy_from_slice(&GUEST);
        bad[20] ^= 1;
        let received = scene.receive(&mut driver, &[good.clone(), bad]);
        let [first, second] = received.as_slice() else {
            panic!("{received:?}");
        };
        // The tag was taken out.
        good.drain(12..16);
        assert_eq!(first.bytes, good);
        assert_eq!(first.tag, 0x0123);
        assert_ne!(first.status & received::VP, 0);
        assert_eq!(second.status & (received::IPCS | received::VP), received::IPCS);
        assert_eq!(second.errors, received::IPE);
    }
}

#[test]
fn checksums_segments_and_tags_are_made_by_the_device() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        for tag in [None, Some(0x2005)] {
            for carrier in [Carrier::Ipv4, Carrier::Ipv6] {
                for (payload, cut) in [
                    (1000, Cut::No),
                    (9_000, Cut::Into(1448)),
                    (60_000, Cut::Into(1460)),
                ] {
                    let (whole, sums, segment) = tcp(carrier, payload, cut);
                    let wanted = Wanted { sums, segment, tag };
                    let pieces: Vec<&[u8]> = whole.chunks(16_000).collect();
                    driver.send_pieces(&mut scene, &pieces, wanted);
                    scene.device.run();
                    assert_eq!(scene.device.take_sent(), finish(&whole, sums, segment, tag));
                }
            }
        }
    }
}

#[test]
fn jumbo_frames_go_both_ways() {
    for form in forms(Flavour::E82574) {
        let mut scene = Scene::new(Flavour::E82574);
        let settings = control::BAM | control::SECRC | control::LPE;
        let mut driver = scene.driver_with(*form, settings);
        let out = frame(PEER, GUEST, 9014, 1);
        driver.send(&mut scene, &out);
        let back = frame(GUEST, PEER, 9014, 2);
        let received = scene.receive(&mut driver, std::slice::from_ref(&back));
        assert_eq!(scene.device.sent(), [out]);
        assert_eq!(contents(&received), [back]);
    }
}

#[test]
fn frames_for_which_the_guest_has_no_buffers_wait_and_are_told_of_when_it_has() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        let frames: Vec<_> = (0..200).map(|seed| frame(GUEST, PEER, 100, seed)).collect();
        frames.iter().for_each(|frame| scene.device.inject(frame));
        scene.device.run();
        assert_eq!(contents(&scene.interrupt(&mut driver)), frames);
        assert!(!scene.device.interrupts());
    }
}

#[test]
fn a_device_that_was_reset_is_told_of_checksums_anew() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let (whole, sums, segment) = tcp(Carrier::Ipv4, 300, Cut::No);
        for _ in 0..2 {
            let mut driver = scene.driver(Form::Legacy);
            let wanted = Wanted {
                sums,
                segment,
                tag: None,
            };
            driver.send_pieces(&mut scene, &[&whole], wanted);
            scene.device.run();
            assert_eq!(scene.device.take_sent(), finish(&whole, sums, segment, None));
        }
    }
}

#[test]
fn a_guest_that_never_asks_for_reports_can_send_for_ever() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver(Form::Legacy);
    for seed in 0..1000 {
        let out = frame(PEER, GUEST, 100, seed);
        let data = driver.transmit_data(driver.next_sent());
        scene.memory.ram().store(data, &out);
        driver.post([u32::try_from(data).unwrap(), 0, 0x0300_0000 | 100, 0]);
        driver.tell(&mut scene);
        scene.device.run();
        assert_eq!(scene.device.take_sent(), [out], "{seed}");
    }
}
