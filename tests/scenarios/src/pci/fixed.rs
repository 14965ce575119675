//! Registers of the chipset that place memory or ports, where QEMU's q35 machine and Intel's chipsets have them.

use super::*;

const HOST_BRIDGE: (u8, u8, u8) = (0, 0, 0);
const HOST_CLASS: u32 = 0x06_0000;
const LPC_BRIDGE: (u8, u8, u8) = (0, 0x1f, 0);
const LPC_CLASS: u32 = 0x06_0100;

/// Firmware's value of every register here.
const FIRMWARE: u32 = 0xfed1_c001;
/// What the guest would have instead: an address inside the hypervisor.
const GUEST: u32 = 0x7e80_0001;

/// A machine with this function, whose registers behind the header all hold [`FIRMWARE`].
fn chipset(at: (u8, u8, u8), vendor: u16, class: u32) -> Scene<Machine> {
    let mut function = Function::endpoint(vendor, 0x2918, class).with_vendor_registers();
    for offset in (0x40..0x100).step_by(4) {
        function = function.set_up(offset, FIRMWARE);
    }
    let mut machine = Machine::new();
    if at.2 != 0 {
        // Nobody looks for other functions where there is no function 0.
        let first = Function::endpoint(vendor, 0x7110, LPC_CLASS).multi_function();
        machine.plug(Place::Root(0), place((at.0, at.1, 0)).devfn(), first);
    }
    machine.plug(Place::Root(0), place(at).devfn(), function);
    Scene::take_over(machine, "")
}

/// Which bytes from 0x40 to 0xff the guest cannot change.
fn fixed_bytes(scene: &mut Scene<Machine>, address: Address) -> Vec<u16> {
    let mut fixed = Vec::new();
    for offset in 0x40..0x100 {
        let before = scene.read(Path::Window, address, offset, Width::Byte);
        scene.write(Path::Ports, address, offset, Width::Byte, !before & 0xff);
        if scene.read(Path::Window, address, offset, Width::Byte) == before {
            fixed.push(offset);
        }
    }
    fixed
}

#[test]
fn the_south_bridges_register_block_cannot_be_moved_over_memory() {
    let mut scene = chipset(LPC_BRIDGE, 0x8086, LPC_CLASS);
    for path in BOTH {
        scene.write(path, place(LPC_BRIDGE), 0xf0, Width::Dword, GUEST);
        scene.write(path, place(LPC_BRIDGE), 0xf2, Width::Word, GUEST >> 16);
        scene.write(path, place(LPC_BRIDGE), 0xf0, Width::Byte, 0);
        assert_eq!(scene.read(path, place(LPC_BRIDGE), 0xf0, Width::Dword), FIRMWARE);
    }
    assert_eq!(scene.count(Attempt::FixedRegister), 6);
}

#[test]
fn of_the_south_bridge_only_registers_that_place_memory_or_ports_are_fixed() {
    let mut scene = chipset(LPC_BRIDGE, 0x8086, LPC_CLASS);
    let expected: Vec<u16> = [0x40..=0x43, 0x48..=0x4b, 0x84..=0x93, 0x98..=0x9b, 0xf0..=0xf3]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(fixed_bytes(&mut scene, place(LPC_BRIDGE)), expected);
}

#[test]
fn power_management_of_an_older_south_bridge_keeps_its_ports() {
    let expected: Vec<u16> = (0x40..=0x43).chain(0x90..=0x93).collect();
    for at in [(0, 1, 3), (0, 7, 3)] {
        let mut scene = chipset(at, 0x8086, 0x06_8000);
        assert_eq!(fixed_bytes(&mut scene, place(at)), expected, "{at:?}");
    }
}

#[test]
fn the_host_bridge_cannot_move_memory_but_shadow_the_firmwares() {
    let mut scene = chipset(HOST_BRIDGE, 0x8086, HOST_CLASS);
    let fixed = fixed_bytes(&mut scene, place(HOST_BRIDGE));
    let expected: Vec<u16> = [0x40..=0x53, 0x60..=0x7f, 0x87..=0x87, 0x97..=0xbf]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(fixed, expected);
}

#[test]
fn top_of_memory_and_system_management_memory_are_fixed_in_any_width() {
    let mut scene = chipset(HOST_BRIDGE, 0x8086, HOST_CLASS);
    for path in BOTH {
        scene.write(path, place(HOST_BRIDGE), 0x9e, Width::Byte, 0x03);
        scene.write(path, place(HOST_BRIDGE), 0x9c, Width::Word, 0xffff);
        scene.write(path, place(HOST_BRIDGE), 0xb0, Width::Word, 0x7e00);
        scene.write(path, place(HOST_BRIDGE), 0xbc, Width::Dword, GUEST);
        for offset in [0x9c, 0xb0, 0xbc] {
            assert_eq!(
                scene.read(path, place(HOST_BRIDGE), offset, Width::Dword),
                FIRMWARE
            );
        }
    }
    assert_eq!(scene.count(Attempt::FixedRegister), 8);
}

#[test]
fn a_function_of_another_vendor_class_or_place_has_no_fixed_registers() {
    for (at, vendor, class) in [
        (LPC_BRIDGE, 0x1b36, LPC_CLASS),
        (LPC_BRIDGE, 0x8086, 0x06_0400),
        ((0, 0x1e, 0), 0x8086, LPC_CLASS),
        (HOST_BRIDGE, 0x8086, LPC_CLASS),
        (LPC_BRIDGE, 0x8086, HOST_CLASS),
        (HOST_BRIDGE, 0x1b36, HOST_CLASS),
    ] {
        let mut scene = chipset(at, vendor, class);
        assert_eq!(
            fixed_bytes(&mut scene, place(at)),
            [],
            "{at:?} {vendor:x} {class:x}"
        );
    }
}
