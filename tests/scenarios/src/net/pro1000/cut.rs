//! `null`: whatever the guest does, the wire sees no frame of it, and it sees none of the wire's.

use super::frames::{GUEST, PEER, frame};
use super::{FLAVOURS, Scene, contents, forms};
use sekisho_mediator::net::module::Module;
use sekisho_models::guest::{Form, Window};
use sekisho_models::pro1000::spec::{cause, control, ctrl, register, status};

/// MDIC: a PHY register read, or written.
const PHY_READ: u32 = 2 << 26;
const PHY_WRITE: u32 = 1 << 26;
const PHY_STATUS: u32 = 1 << 16;
const PHY_LINK: u32 = 1 << 2;

#[test]
fn nothing_goes_out_and_nothing_comes_in() {
    for flavour in FLAVOURS {
        for form in forms(flavour) {
            let mut scene = Scene::with(flavour, Module::Null, None);
            let everything = control::BAM | control::UPE | control::MPE | control::SECRC | 3 << 6;
            let mut driver = scene.driver_with(*form, everything);
            for seed in 0..300 {
                driver.send(&mut scene, &frame(PEER, GUEST, 500, seed));
                driver.reap();
                let received = scene.receive(&mut driver, &[frame(GUEST, PEER, 500, seed)]);
                assert_eq!(contents(&received), [] as [Vec<u8>; 0]);
            }
            assert_eq!(scene.device.sent(), [] as [Vec<u8>; 0]);
        }
    }
}

#[test]
fn what_is_stopped_is_reported_done_with_its_cause() {
    for flavour in FLAVOURS {
        let mut scene = Scene::with(flavour, Module::Null, None);
        let mut driver = scene.driver(Form::Legacy);
        scene.read(register::ICR);
        driver.send(&mut scene, &frame(PEER, GUEST, 500, 1));
        assert_eq!(driver.unsent(), 0);
        assert!(scene.device.interrupts());
        assert_ne!(scene.read(register::ICR) & cause::TXDW, 0);
    }
}

#[test]
fn the_link_is_down_wherever_the_guest_looks() {
    for flavour in FLAVOURS {
        let mut scene = Scene::with(flavour, Module::Null, None);
        let _driver = scene.driver(Form::Legacy);
        assert_eq!(scene.read(register::STATUS) & status::LU, 0);
        scene.write(register::MDIC, PHY_READ | PHY_STATUS);
        assert_eq!(scene.read(register::MDIC) & PHY_LINK, 0);
    }
}

#[test]
fn the_phy_and_flow_control_are_not_the_guests_to_send_by() {
    for flavour in FLAVOURS {
        let mut scene = Scene::with(flavour, Module::Null, None);
        let _driver = scene.driver(Form::Legacy);
        scene.write(register::MDIC, PHY_WRITE | 16 << 16 | 0x1234);
        assert_eq!(
            scene.read(register::MDIC),
            PHY_WRITE | 16 << 16 | 0x1234 | 1 << 28
        );
        assert_eq!(scene.device.phy_writes(), 0);
        let device = scene.read(register::CTRL);
        scene.write(register::CTRL, device | 1 << 28);
        scene.write(register::TCTL, control::EN | 1 << 22);
        assert_eq!(scene.device.value(register::CTRL) & 1 << 28, 0);
        assert_eq!(scene.device.value(register::TCTL) & (control::EN | 1 << 22), 0);
        scene.write(register::CTRL, device | ctrl::RST);
        assert_eq!(scene.device.value(register::RCTL) & control::EN, 0);
    }
}
