//! A NIC that a driver of ours takes: the guest's with its face, or the appliance's own.

use super::*;
use sekisho_mediator::pci::spec;

const INTERRUPT_DISABLE: u32 = 1 << 10;

/// A NIC at 00:04.0, taken by the driver with these options.
fn taken(options: &str) -> (Scene<Machine>, Slot) {
    let mut machine = Machine::new();
    let slot = machine.plug(Place::Root(0), 4 << 3, nic(0xfeb0_0000));
    let selection = format!("class=02*, driver=pro1000{options}");
    (Scene::take_over(machine, &selection), slot)
}

#[test]
fn the_appliances_own_does_not_exist_for_the_guest_and_works() {
    for options in ["", ", net=ip", ", net=pass, net=ip"] {
        let (mut scene, slot) = taken(options);
        assert_eq!(scene.scan(), [], "{options}");
        for path in BOTH {
            scene.write(path, at(0, 4, 0), spec::COMMAND, Width::Word, 0);
            assert_eq!(scene.read(path, at(0, 4, 0), spec::BAR_0, Width::Dword), u32::MAX);
        }
        assert_eq!(scene.hardware.command(slot), ALL_ON | INTERRUPT_DISABLE);
        assert_eq!(scene.mediator.mediated().count(), 1);
    }
}

#[test]
fn the_guests_keeps_its_face_and_transfers_for_us_whatever_the_guest_writes() {
    for module in ["pass", "null", "ippass", "vpn"] {
        let (mut scene, slot) = taken(&format!(", net={module}"));
        assert_eq!(scene.scan(), [at(0, 4, 0)], "{module}");
        scene.write(Path::Ports, at(0, 4, 0), spec::COMMAND, Width::Word, 0);
        assert_eq!(
            scene.read(Path::Ports, at(0, 4, 0), spec::COMMAND, Width::Word),
            0
        );
        assert_eq!(scene.hardware.command(slot), ALL_ON);
    }
}

#[test]
fn one_that_its_driver_cannot_have_after_all_is_concealed_and_stopped() {
    let (mut scene, slot) = taken(", net=pass");
    scene.mediator.conceal(&mut scene.hardware, at(0, 4, 0));
    assert_eq!(scene.scan(), []);
    assert_eq!(scene.hardware.command(slot), INTERRUPT_DISABLE);
    assert_eq!(scene.mediator.mediated().count(), 0);
}
