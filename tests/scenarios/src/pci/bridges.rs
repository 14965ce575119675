//! Bridges: renumbering, windows and resets bring nothing concealed into reach.

use super::*;

const CONCEAL_SECOND: &str = "slot=02:00.0, driver=conceal";

#[test]
fn a_bridge_renumbered_by_the_guest_does_not_reveal_a_concealed_function() {
    let Laptop {
        machine,
        bridge,
        second_nic,
        ..
    } = laptop();
    let mut scene = Scene::take_over(machine, CONCEAL_SECOND);
    for path in BOTH {
        scene.write(path, place(BRIDGE), 0x18, Width::Dword, 0x0009_0900);
        scene.write(path, place(BRIDGE), 0x19, Width::Byte, 9);
        scene.write(path, place(BRIDGE), 0x1a, Width::Byte, 9);
        scene.write(path, place(BRIDGE), 0x18, Width::Word, 0x0900);
    }
    assert_eq!(scene.hardware.dword(bridge, 0x18) & 0xff_ffff, 0x04_0200);
    assert_eq!(scene.count(Attempt::BusNumber), 8);
    assert_eq!(scene.read_dword(at(9, 0, 0), 0), u32::MAX);
    assert_eq!(scene.hardware.command(second_nic) & ALL_ON, 0);
}

#[test]
fn a_bridge_that_was_reset_gets_its_own_numbers_back_and_no_others() {
    let mut machine = Machine::new();
    let upper = machine.plug(Place::Root(0), 0x1c << 3, bridge(0, 2, 4));
    let lower = machine.plug(Place::Behind(upper), 0, bridge(2, 3, 3));
    let nic = machine.plug(Place::Behind(lower), 0, nic(0xfea0_0000));
    let mut scene = Scene::take_over(machine, "slot=03:00.0, driver=conceal");
    scene.write(Path::Window, at(0, 0x1c, 0), 0x3e, Width::Word, 0x40);
    scene.write(Path::Window, at(0, 0x1c, 0), 0x3e, Width::Word, 0);
    assert_eq!(scene.hardware.dword(lower, 0x18), 0, "the reset took its numbers");
    scene.write_dword(at(2, 0, 0), 0x18, 0x04_0402);
    assert_eq!(scene.read_dword(at(4, 0, 0), 0), u32::MAX);
    scene.write_dword(at(2, 0, 0), 0x18, 0x03_0302);
    assert_eq!(scene.hardware.dword(lower, 0x18), 0x03_0302);
    assert_eq!(scene.read_dword(at(3, 0, 0), 0), u32::MAX);
    scene.write(Path::Ports, at(3, 0, 0), 0x04, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(nic) & ALL_ON, 0);
}

#[test]
fn a_bridge_without_numbers_may_be_given_some() {
    let mut scene = unnumbered("class=0280, driver=conceal");
    scene.write_dword(at(0, 5, 0), 0x18, 0xff_0700);
    assert_eq!(scene.read_dword(at(7, 0, 0), 0), 0x100e_8086);
    scene.write(Path::Ports, at(0, 5, 0), 0x1a, Width::Byte, 7);
    scene.write_dword(at(0, 5, 0), 0x18, 0x08_0800);
    assert_eq!(
        scene.read_dword(at(8, 0, 0), 0),
        0x100e_8086,
        "nothing behind it is hidden: it may move"
    );
    assert_eq!(scene.count(Attempt::BusNumber), 0);
}

#[test]
fn a_bridge_numbered_by_the_guest_is_held_once_it_hides_something() {
    let mut scene = unnumbered("class=0200, number=0, driver=conceal");
    scene.write_dword(at(0, 5, 0), 0x18, 0xff_0700);
    assert_eq!(scene.read_dword(at(7, 0, 0), 0), u32::MAX);
    // Moved, the NIC would be number 1, which the policy passes.
    scene.write_dword(at(0, 5, 0), 0x18, 0x08_0800);
    scene.write(Path::Ports, at(0, 5, 0), 0x19, Width::Byte, 0);
    assert_eq!(scene.count(Attempt::BusNumber), 2);
    assert_eq!(scene.read_dword(at(8, 0, 0), 0), u32::MAX);
    scene.write(Path::Ports, at(0, 5, 0), 0x1a, Width::Byte, 7);
    assert_eq!(scene.count(Attempt::BusNumber), 2, "its extent may shrink");
}

#[test]
fn a_bridge_cannot_be_put_over_a_bus_that_exists() {
    let mut machine = laptop().machine;
    machine.plug(Place::Root(0), 5 << 3, bridge(0, 0, 0));
    machine.plug(Place::Root(9), 0, nic(0xfe90_0000));
    let mut scene = Scene::take_over(machine, "");
    for (bus, refusals) in [(2_u32, 1), (9, 2), (7, 2)] {
        scene.write_dword(at(0, 5, 0), 0x18, bus << 16 | bus << 8);
        assert_eq!(scene.count(Attempt::BusNumber), refusals, "bus {bus}");
    }
}

#[test]
fn a_window_over_the_hypervisor_is_refused() {
    let Laptop { machine, bridge, .. } = laptop();
    let mut scene = Scene::take_over(machine, "");
    // 0x7e00_0000 to 0x7eff_ffff, by one write and by halves.
    scene.write_dword(place(BRIDGE), 0x20, 0x7ef0_7e00);
    scene.write(Path::Ports, place(BRIDGE), 0x20, Width::Word, 0x7000);
    scene.write_dword(place(BRIDGE), 0x24, 0x7ef1_7e01);
    assert_eq!(scene.count(Attempt::ProtectedWindow), 3);
    assert_eq!(scene.hardware.dword(bridge, 0x20), 0xfea0_fea0);
    scene.write_dword(place(BRIDGE), 0x20, 0xe0f0_e000);
    assert_eq!(
        scene.hardware.dword(bridge, 0x20),
        0xe0f0_e000,
        "elsewhere is free"
    );
    assert!(
        scene
            .hardware
            .windows()
            .all(|range| !range.overlaps(hypervisor()))
    );
}

#[test]
fn a_window_put_over_the_hypervisor_while_closed_cannot_be_opened() {
    let Laptop { machine, bridge, .. } = laptop();
    let mut scene = Scene::take_over(machine, "");
    scene.write(Path::Ports, place(BRIDGE), 0x04, Width::Word, 0);
    scene.write_dword(place(BRIDGE), 0x20, 0x7ef0_7e00);
    scene.write(Path::Ports, place(BRIDGE), 0x04, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(bridge), 0);
    assert_eq!(scene.count(Attempt::ProtectedWindow), 1);
}

#[test]
fn a_64_bit_window_moves_in_the_order_that_linux_writes_it() {
    let Laptop { machine, bridge, .. } = laptop();
    let mut scene = Scene::take_over(machine, "");
    // To 0x8_7000_0000..0x8_7fff_ffff, whose lower halves alone are over the hypervisor.
    for (offset, value) in [(0x2c, 0), (0x24, 0x7ff0_7000), (0x28, 8), (0x2c, 8)] {
        scene.write_dword(place(BRIDGE), offset, value);
        assert!(
            scene
                .hardware
                .windows()
                .all(|range| !range.overlaps(hypervisor())),
            "{offset:#x}"
        );
    }
    assert_eq!(scene.hardware.dword(bridge, 0x24), 0x7ff1_7001);
    assert!(
        scene
            .hardware
            .windows()
            .any(|range| range.first() == 0x8_7000_0000)
    );
    // The way back below 4 GiB stays shut.
    scene.write_dword(place(BRIDGE), 0x2c, 0);
    scene.write_dword(place(BRIDGE), 0x28, 0);
    assert!(
        scene
            .hardware
            .windows()
            .all(|range| !range.overlaps(hypervisor()))
    );
}

#[test]
fn a_window_wide_open_leads_to_no_concealed_function() {
    let Laptop {
        machine, second_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, CONCEAL_SECOND);
    scene.write_dword(place(BRIDGE), 0x20, 0xfff0_8000);
    let base = scene.hardware.dword(second_nic, 0x10);
    assert!(
        scene
            .hardware
            .decoded()
            .all(|range| range.first() != u64::from(base))
    );
}

/// A bridge without numbers at 00:05.0 and a NIC behind it.
fn unnumbered(selection: &str) -> Scene<Machine> {
    let mut machine = Machine::new();
    let bridge = machine.plug(Place::Root(0), 5 << 3, bridge(0, 0, 0));
    machine.plug(Place::Behind(bridge), 0, nic(0));
    Scene::take_over(machine, selection)
}
