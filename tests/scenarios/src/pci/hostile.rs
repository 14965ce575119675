//! Devices that lie do not get the guest anything.

use super::*;
use sekisho_models::pci::{Hostile, Lie};

const OVER: u32 = 0x7e80_0000;

#[test]
fn a_device_that_hides_its_size_is_bounded_by_its_alignment() {
    let mut scene = lying(Lie::ZeroBars, "");
    scene.write_dword(place(FIRST_NIC), 0x10, OVER);
    let function = scene.mediator.functions().at(place(FIRST_NIC)).unwrap();
    assert_eq!(function.bars().iter().next().unwrap().size(), 0);
    // It reads zero, so it looks like a register that does not exist; the real one must not move.
    assert!(
        scene
            .hardware
            .inner()
            .decoded()
            .all(|range| !range.overlaps(hypervisor()))
    );
}

#[test]
fn a_header_type_that_does_not_exist_keeps_the_function_off() {
    let Laptop {
        mut machine,
        first_nic,
        ..
    } = laptop();
    machine.swap(first_nic, Some(nic(0xfebc_0000).set_up(0x04, 0)));
    let mut scene = Scene::take_over(Hostile::new(machine, place(FIRST_NIC), Lie::HeaderType(0x7f)), "");
    scene.write_dword(place(FIRST_NIC), 0x10, OVER);
    scene.write_dword(place(FIRST_NIC), 0x04, ALL_ON);
    assert_eq!(scene.hardware.inner().command(first_nic), 0);
    assert_eq!(scene.hardware.inner().dword(first_nic, 0x10), 0xfebc_0000);
    assert_eq!(scene.count(Attempt::UnknownHeader), 2);
}

#[test]
fn a_device_that_comes_and_goes_stays_concealed() {
    let mut scene = lying(Lie::AbsentEveryOtherRead, "class=02*, driver=conceal");
    for _ in 0..8 {
        assert_eq!(scene.read_dword(place(FIRST_NIC), 0), u32::MAX);
        assert_eq!(scene.read_dword(place(FIRST_NIC), 0x08), u32::MAX);
        scene.write_dword(place(FIRST_NIC), 0x04, ALL_ON);
    }
    let function = scene.hardware.inner().function(laptop().first_nic).unwrap();
    assert_eq!(function.command() & ALL_ON, 0);
}

#[test]
fn a_device_that_changes_its_identity_never_shows_one_that_a_rule_hides() {
    let mut scene = lying(Lie::ChangingIdentity(0x8168_10ec), "id=10ec:8168, driver=conceal");
    for _ in 0..8 {
        assert_ne!(scene.read_dword(place(FIRST_NIC), 0), 0x8168_10ec);
        assert_ne!(scene.read(Path::Ports, place(FIRST_NIC), 0, Width::Word), 0x10ec);
    }
}

#[test]
fn a_bridge_that_calls_its_bus_numbers_a_base_address_keeps_them() {
    let mut machine = Machine::new();
    let bridge = bridge(0, 2, 4).with_bar(1, BarModel::Memory32(0x1000));
    let slot = machine.plug(Place::Root(0), 0x1c << 3, bridge);
    // Its second and last base address, at 0x14, says it is 64 bits wide: the other half would be at 0x18.
    let mut scene = Scene::take_over(Hostile::new(machine, place(BRIDGE), Lie::Bits(0x14, 0b100)), "");
    scene.write_dword(place(BRIDGE), 0x18, 0x09_0900);
    assert_eq!(scene.hardware.inner().dword(slot, 0x18), 0x04_0200);
    assert_eq!(scene.count(Attempt::BusNumber), 1);
}

fn lying(lie: Lie, selection: &str) -> Scene<Hostile<Machine>> {
    Scene::take_over(Hostile::new(laptop().machine, place(FIRST_NIC), lie), selection)
}
