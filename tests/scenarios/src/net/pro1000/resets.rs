//! Resets, at any moment and by any way, and a cable that comes and goes.

use super::frames::{GUEST, PEER, frame};
use super::{FLAVOURS, Scene, contents, forms};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::module::Module;
use sekisho_models::guest::{Form, Pro1000Driver, Wanted, Window};
use sekisho_models::pro1000::spec::{control, ctrl, register, status};
use sekisho_models::pro1000::{Flavour, Link};

/// CTRL has a second address.
const CTRL_DUP: u32 = 0x0004;

/// A frame each way.
fn works(scene: &mut Scene, driver: &mut Pro1000Driver) {
    let out = frame(PEER, GUEST, 700, 1);
    scene.device.take_sent();
    driver.send(scene, &out);
    let back = frame(GUEST, PEER, 900, 2);
    let received = scene.receive(driver, std::slice::from_ref(&back));
    assert_eq!(scene.device.take_sent(), [out]);
    assert_eq!(contents(&received), [back]);
}

/// Frames under way in both directions.
fn load(scene: &mut Scene, driver: &mut Pro1000Driver) {
    for seed in 0..30 {
        scene.device.inject(&frame(GUEST, PEER, 100, seed));
        driver.post_pieces(&[&frame(PEER, GUEST, 100, seed)], Wanted::default());
    }
    driver.tell(scene);
    for _ in 0..20 {
        scene.device.step();
    }
}

#[test]
fn after_a_reset_under_load_everything_works_again() {
    for flavour in FLAVOURS {
        for form in forms(flavour) {
            for offset in [register::CTRL, CTRL_DUP] {
                let mut scene = Scene::new(flavour);
                let mut driver = scene.driver(*form);
                load(&mut scene, &mut driver);
                let device = scene.read(register::CTRL);
                scene.write(offset, device | ctrl::RST);
                assert_eq!(scene.read(register::CTRL) & ctrl::RST, 0);
                assert_eq!(scene.read(register::TDLEN), 0);
                driver.set_up(&mut scene);
                works(&mut scene, &mut driver);
            }
        }
    }
}

#[test]
fn a_reset_by_the_window_of_ports_is_one_too() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver(Form::Legacy);
    load(&mut scene, &mut driver);
    for (offset, value) in [(0, register::CTRL), (4, ctrl::RST)] {
        scene.nic.port_write(
            offset,
            Width::Four,
            value.into(),
            &mut scene.device,
            &mut scene.memory,
        );
    }
    driver.set_up(&mut scene);
    works(&mut scene, &mut driver);
}

#[test]
fn a_function_that_was_reset_is_set_up_anew() {
    let mut scene = Scene::new(Flavour::E82574);
    let mut driver = scene.driver(Form::Extended);
    load(&mut scene, &mut driver);
    // Through configuration space: the device is reset, and the mediator told.
    sekisho_mediator::seam::Registers::write(&mut scene.device, register::CTRL, ctrl::RST);
    scene.nic.reset(&mut scene.device, &mut scene.memory);
    driver.set_up(&mut scene);
    works(&mut scene, &mut driver);
}

#[test]
fn what_was_under_way_at_a_reset_never_reaches_the_guest() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver(Form::Legacy);
    load(&mut scene, &mut driver);
    scene.write(register::CTRL, ctrl::RST);
    driver.set_up(&mut scene);
    scene.device.run();
    assert_eq!(contents(&scene.interrupt(&mut driver)), [] as [Vec<u8>; 0]);
}

#[test]
fn a_driver_that_waits_for_the_master_to_rest_sees_it_rest() {
    let mut scene = Scene::new(Flavour::E82574);
    let mut driver = scene.driver(Form::Extended);
    let device = scene.read(register::CTRL);
    assert_ne!(scene.read(register::STATUS) & status::GIO_MASTER, 0);
    scene.write(register::CTRL, device | ctrl::GIO_MASTER_DISABLE);
    assert_eq!(scene.read(register::STATUS) & status::GIO_MASTER, 0);
    assert_ne!(scene.read(register::CTRL) & ctrl::GIO_MASTER_DISABLE, 0);
    scene.write(register::CTRL, device);
    works(&mut scene, &mut driver);
}

#[test]
fn a_cable_pulled_out_and_in_loses_only_what_was_sent_meanwhile() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        works(&mut scene, &mut driver);
        scene.device.plug(Link::Down);
        assert_eq!(scene.read(register::STATUS) & status::LU, 0);
        scene.device.inject(&frame(GUEST, PEER, 100, 9));
        scene.device.run();
        scene.device.plug(Link::Up);
        assert_ne!(scene.read(register::STATUS) & status::LU, 0);
        works(&mut scene, &mut driver);
    }
}

#[test]
fn a_closed_nic_moves_nothing() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let mut driver = scene.driver(Form::Legacy);
        scene.nic.close(&mut scene.device, &mut scene.memory);
        driver.send(&mut scene, &frame(PEER, GUEST, 100, 1));
        let received = scene.receive(&mut driver, &[frame(GUEST, PEER, 100, 2)]);
        assert_eq!(contents(&received), [] as [Vec<u8>; 0]);
        assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
    }
}

#[test]
fn a_nic_whose_module_listens_receives_with_no_driver_and_after_resets() {
    let own = Some(sekisho_mediator::net::frame::MacAddress([2, 0, 0, 0, 0, 9]));
    for flavour in FLAVOURS {
        let mut scene = Scene::with(flavour, Module::Pass, own);
        let receives = |scene: &Scene| scene.device.value(register::RCTL) & control::EN != 0;
        assert!(receives(&scene));
        let mut driver = scene.driver(Form::Legacy);
        works(&mut scene, &mut driver);
        scene.write(register::RCTL, 0);
        scene.write(register::TCTL, 0);
        assert!(receives(&scene));
        assert_ne!(scene.device.value(register::TCTL) & control::EN, 0);
        scene.write(register::CTRL, ctrl::RST);
        assert!(receives(&scene));
        assert_ne!(scene.device.value(register::CTRL) & ctrl::SLU, 0);
        // What comes for a guest whose driver is not there is no harm.
        scene.device.inject(&frame(GUEST, PEER, 100, 1));
        scene.device.run();
        scene.nic.poll(&mut scene.device, &mut scene.memory);
        driver.set_up(&mut scene);
        works(&mut scene, &mut driver);
    }
}

#[test]
fn with_an_address_of_the_modules_the_guest_gets_what_its_own_filter_lets_in() {
    let own = [2, 0, 0, 0, 0, 9];
    let group = [0x33, 0x33, 0, 0, 0, 1];
    for flavour in FLAVOURS {
        let module = Some(sekisho_mediator::net::frame::MacAddress(own));
        let mut scene = Scene::with(flavour, Module::Pass, module);
        let mut driver = scene.driver(Form::Legacy);
        let all = [GUEST, own, group, [0xff; 6]].map(|to| frame(to, PEER, 100, 1));
        let [for_guest, _, for_group, for_all] = all.clone();
        assert_eq!(
            contents(&scene.receive(&mut driver, &all)),
            [for_guest.clone(), for_all.clone()]
        );
        // The group's bit: address bits 47 to 36 are 010h.
        scene.write(register::MTA, 1 << 16);
        assert_eq!(
            contents(&scene.receive(&mut driver, &all)),
            [for_guest, for_group, for_all]
        );
        let promiscuous = control::EN | control::SECRC | control::UPE | control::MPE;
        scene.write(register::RCTL, promiscuous);
        assert_eq!(contents(&scene.receive(&mut driver, &all)), all);
    }
}
