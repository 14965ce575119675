//! Base addresses: measured without harm, moved freely, but never over the hypervisor.

use super::*;
use sekisho_mediator::pci::{BarKind, spec};

const OVER: u32 = 0x7e80_0000;

#[test]
fn base_addresses_are_measured_as_they_are() {
    let machine = nvme(0xc000, 8);
    let scene = Scene::take_over(machine, "");
    let function = scene.mediator.functions().at(at(0, 4, 0)).unwrap();
    let bars: Vec<_> = function
        .bars()
        .iter()
        .map(|bar| (bar.offset(), bar.kind(), bar.size()))
        .collect();
    let expected = [
        (0x10, BarKind::Memory64, 0x4000),
        (0x18, BarKind::Io, 0x100),
        (0x1c, BarKind::Unsized, 0),
        (0x20, BarKind::Unsized, 0),
        (0x24, BarKind::Memory32, 0x1000),
        (0x30, BarKind::Rom, 0x800),
    ];
    assert_eq!(bars, expected);
    assert_eq!(function.bars().iter().next().unwrap().address(), 0x8_0000_c000);
    assert_eq!(scene.hardware.breaches(), []);
}

#[test]
fn a_bar_over_the_hypervisor_is_refused() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, "");
    for path in BOTH {
        scene.write(path, place(FIRST_NIC), 0x10, Width::Dword, OVER);
        assert_eq!(scene.hardware.dword(first_nic, 0x10), 0xfebc_0000);
    }
    // By halves: 0xfebc becomes 0x7ebc.
    scene.write(Path::Ports, place(FIRST_NIC), 0x13, Width::Byte, 0x7e);
    assert_eq!(scene.count(Attempt::ProtectedBar), 3);
    assert_hypervisor_is_not_decoded(&scene.hardware);
}

#[test]
fn a_bar_that_reaches_the_hypervisor_by_its_size_is_refused() {
    let Laptop { machine, .. } = laptop();
    let mut scene = Scene::take_over(machine, "");
    let display = at(0, 1, 0);
    // 16 MiB from just below the region: its last page would be the region's first.
    scene.write_dword(display, 0x10, 0x7e00_0000);
    assert_eq!(scene.count(Attempt::ProtectedBar), 1);
    scene.write_dword(display, 0x10, 0x7d00_0000);
    assert_eq!(
        scene.read_dword(display, 0x10),
        0x7d00_0000,
        "right below is free"
    );
    assert_hypervisor_is_not_decoded(&scene.hardware);
}

#[test]
fn a_bar_put_over_the_hypervisor_while_it_sleeps_cannot_be_woken() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, "");
    scene.write(Path::Window, place(FIRST_NIC), 0x04, Width::Word, 0);
    scene.write_dword(place(FIRST_NIC), 0x10, OVER);
    for (offset, width, value) in [(4, Width::Word, 2), (4, Width::Byte, 7), (4, Width::Dword, 6)] {
        scene.write(Path::Ports, place(FIRST_NIC), offset, width, value);
        assert_eq!(scene.hardware.command(first_nic), 0);
    }
    assert_eq!(scene.count(Attempt::ProtectedBar), 3);
    scene.write_dword(place(FIRST_NIC), 0x10, 0xfebc_0000);
    scene.write(Path::Ports, place(FIRST_NIC), 4, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(first_nic), ALL_ON, "elsewhere it may wake");
}

#[test]
fn a_guest_can_size_and_move_a_base_address() {
    let mut scene = Scene::take_over(laptop().machine, "");
    let display = at(0, 1, 0);
    scene.write(Path::Ports, display, 0x04, Width::Word, 0);
    scene.write(Path::Ports, display, 0x10, Width::Dword, u32::MAX);
    assert_eq!(scene.read(Path::Ports, display, 0x10, Width::Dword), 0xff00_0000);
    scene.write(Path::Ports, display, 0x10, Width::Dword, 0xe000_0000);
    scene.write(Path::Ports, display, 0x04, Width::Word, ALL_ON);
    assert!(scene.hardware.decoded().any(|range| range.first() == 0xe000_0000));
    let bar = *scene
        .mediator
        .functions()
        .at(display)
        .unwrap()
        .bars()
        .iter()
        .next()
        .unwrap();
    assert_eq!((bar.address(), bar.size()), (0xe000_0000, 0x100_0000));
    assert_eq!(scene.hardware.breaches(), []);
}

#[test]
fn a_64_bit_bar_moves_by_halves_and_is_judged_as_a_whole() {
    let mut scene = Scene::take_over(nvme(0xc000, 8), "");
    let device = at(0, 4, 0);
    // The low half alone would lie over the hypervisor, but the whole is 0x8_7e80_0000.
    scene.write_dword(device, 0x10, OVER);
    assert_eq!(scene.count(Attempt::ProtectedBar), 0);
    // Now the high half would complete it.
    scene.write_dword(device, 0x14, 0);
    assert_eq!(scene.count(Attempt::ProtectedBar), 1);
    scene.write_dword(device, 0x14, 9);
    let bar = *scene
        .mediator
        .functions()
        .at(device)
        .unwrap()
        .bars()
        .iter()
        .next()
        .unwrap();
    assert_eq!(bar.address(), 0x9_7e80_0000);
    assert_hypervisor_is_not_decoded(&scene.hardware);
}

#[test]
fn an_expansion_rom_over_the_hypervisor_is_refused_when_it_would_answer() {
    let mut scene = Scene::take_over(laptop().machine, "");
    scene.write_dword(place(FIRST_NIC), spec::ROM, OVER);
    assert_eq!(
        scene.count(Attempt::ProtectedBar),
        0,
        "without its enable bit it answers nothing"
    );
    scene.write_dword(place(FIRST_NIC), spec::ROM, OVER | 1);
    scene.write(Path::Ports, place(FIRST_NIC), spec::ROM, Width::Byte, 1);
    assert_eq!(scene.count(Attempt::ProtectedBar), 2);
    assert_hypervisor_is_not_decoded(&scene.hardware);
}

#[test]
fn the_configuration_window_cannot_be_moved() {
    let mut scene = Scene::take_over(laptop().machine, "");
    let host_bridge = at(0, 0, 0);
    for path in BOTH {
        scene.write(path, host_bridge, 0x60, Width::Dword, 0xe000_0001);
        scene.write(path, host_bridge, 0x67, Width::Byte, 1);
        scene.write(path, host_bridge, 0x60, Width::Byte, 0);
        assert_eq!(scene.read(path, host_bridge, 0x60, Width::Dword), 0xb000_0001);
    }
    assert_eq!(scene.count(Attempt::FixedRegister), 6);
}

#[test]
fn the_same_offset_of_another_function_is_free() {
    let mut scene = Scene::take_over(laptop().machine, "");
    scene.write_dword(place(FIRST_NIC), 0x60, 0xe000_0001);
    assert_eq!(scene.read_dword(place(FIRST_NIC), 0x60), 0xe000_0001);
    assert_eq!(scene.count(Attempt::FixedRegister), 0);
}

#[test]
fn refusals_are_told_at_powers_of_two_only() {
    let mut scene = Scene::take_over(laptop().machine, "");
    let mut told = 0;
    for _ in 0..1000 {
        scene.write_dword(place(FIRST_NIC), 0x10, OVER);
        while scene.mediator.take_notice().is_some() {
            told += 1;
        }
    }
    assert_eq!(scene.count(Attempt::ProtectedBar), 1000);
    assert_eq!(told, 10);
}

fn assert_hypervisor_is_not_decoded(machine: &Machine) {
    assert!(machine.decoded().all(|range| !range.overlaps(hypervisor())));
}

/// A machine with one NVMe controller whose first base address is 64 bits wide.
fn nvme(low: u32, high: u32) -> Machine {
    let mut machine = Machine::new();
    let function = Function::endpoint(0x1b36, 0x0010, 0x01_0802)
        .with_bar(0, BarModel::Memory64(0x4000))
        .with_bar(2, BarModel::Io(0x100))
        .with_bar(5, BarModel::Memory32(0x1000))
        .with_rom(0x800)
        .set_up(0x10, low)
        .set_up(0x14, high)
        .set_up(0x24, 0xfea1_0000)
        .set_up(0x04, ALL_ON);
    machine.plug(Place::Root(0), 4 << 3, function);
    machine
}
