//! A function whose registers a mediator has keeps its face and its addresses; the guest writes what an allow-list has.

use super::*;
use sekisho_mediator::pci::spec;

const AHCI: &str = "device=ahci, driver=ahci";
const ABAR: u16 = 0x24;
const INDEX_PORTS: u16 = 0x20;
/// Offsets of the capabilities, as QEMU's ICH9 has them, and of MSI-X, which it has not.
const MESSAGES: u16 = 0x80;
const SERIAL_ATA: u16 = 0xa8;
const TABLE_MESSAGES: u16 = 0xb0;
const POWER: u16 = 0x70;

/// An AHCI controller at 00:1f.0 and a NIC at 00:04.0.
fn machine() -> (Machine, Slot, Slot) {
    let mut machine = Machine::new();
    let controller = Function::endpoint(0x8086, 0x2922, 0x01_0601)
        .with_bar(4, BarModel::Io(32))
        .with_bar(5, BarModel::Memory32(0x1000))
        .with_vendor_registers()
        .with_capabilities(0x80)
        .set_up(INDEX_PORTS, 0xc041)
        .set_up(ABAR, 0xfeb5_1000)
        .set_up(MESSAGES, 0x0080_a805)
        .set_up(SERIAL_ATA, 0x0010_b012)
        .set_up(SERIAL_ATA + 4, 0x0000_0048)
        .set_up(TABLE_MESSAGES, 0x0003_7011)
        .set_up(POWER, 0x0003_0001)
        .set_up(spec::COMMAND, 0x0003);
    let controller = machine.plug(Place::Root(0), 0x1f << 3, controller);
    let nic = machine.plug(Place::Root(0), 4 << 3, nic(0xfeb0_0000));
    (machine, controller, nic)
}

fn scene() -> (Scene<Machine>, Address, Slot) {
    let (machine, slot, _) = machine();
    (
        Scene::take_over(machine, AHCI),
        Address::new(0, 0x1f, 0).unwrap(),
        slot,
    )
}

#[test]
fn it_is_found_with_its_identity_and_addresses() {
    let (mut scene, place, slot) = scene();
    assert!(scene.scan().contains(&place));
    assert_eq!(scene.fate(place), Some(Fate::Mediated));
    assert_eq!(scene.read_dword(place, ABAR), 0xfeb5_1000);
    assert_eq!(
        scene.hardware.command(slot),
        7,
        "it answers and transfers, for its mediator"
    );
    let pair = scene.mediator.mediated().next().unwrap().0.index_data().unwrap();
    assert_eq!((pair.base, pair.offset), (INDEX_PORTS, 0x10));
}

#[test]
fn its_base_addresses_are_sized_and_written_without_moving_it() {
    for path in BOTH {
        let (mut scene, place, slot) = scene();
        scene.write(path, place, ABAR, Width::Dword, u32::MAX);
        assert_eq!(scene.read(path, place, ABAR, Width::Dword), 0xffff_f000);
        scene.write(path, place, INDEX_PORTS, Width::Dword, u32::MAX);
        assert_eq!(scene.read(path, place, INDEX_PORTS, Width::Dword), 0xffff_ffe1);
        scene.write(path, place, ABAR, Width::Dword, 0x1000_0000);
        assert_eq!(scene.read(path, place, ABAR, Width::Dword), 0x1000_0000);
        scene.write(path, place, spec::ROM, Width::Dword, u32::MAX);
        assert_eq!(scene.read(path, place, spec::ROM, Width::Dword), 0);
        assert_eq!(scene.hardware.dword(slot, ABAR), 0xfeb5_1000);
        assert_eq!(scene.hardware.dword(slot, INDEX_PORTS), 0xc041);
    }
}

#[test]
fn decoding_stays_on_whatever_the_guest_writes() {
    let (mut scene, place, slot) = scene();
    scene.write(Path::Ports, place, spec::COMMAND, Width::Word, 0x0400);
    assert_eq!(scene.read(Path::Ports, place, spec::COMMAND, Width::Word), 0x0400);
    assert_eq!(
        scene.hardware.command(slot),
        0x0403,
        "bus mastering is the guest's to turn off"
    );
    scene.write(Path::Window, place, spec::COMMAND, Width::Byte, 0x07);
    assert_eq!(
        scene.read(Path::Window, place, spec::COMMAND, Width::Word),
        0x0407
    );
    assert_eq!(scene.hardware.command(slot), 0x0407);
}

#[test]
fn message_interrupts_go_to_interrupt_addresses_and_interrupt() {
    let (mut scene, place, slot) = scene();
    let set = |scene: &mut Scene<Machine>, offset: u16, value: u32| {
        scene.write_dword(place, MESSAGES + offset, value);
        scene.hardware.dword(slot, MESSAGES + offset)
    };
    assert_eq!(set(&mut scene, 4, 0xfee0_1004), 0xfee0_1004);
    assert_eq!(set(&mut scene, 12, 0x4031), 0x4031);
    assert_eq!(set(&mut scene, 4, 0x7e00_0000), 0xfee0_1004, "memory");
    assert_eq!(set(&mut scene, 8, 1), 0, "beyond 4 GiB");
    assert_eq!(set(&mut scene, 12, 0x4531), 0x4031, "INIT");
    assert_eq!(set(&mut scene, 12, 0x0431), 0x4031, "NMI");
    assert_eq!(scene.count(Attempt::MediatedRegister), 4);
}

#[test]
fn message_interrupts_by_a_table_look_like_something_else() {
    let (mut scene, place, slot) = scene();
    assert_eq!(scene.read(Path::Ports, place, TABLE_MESSAGES, Width::Byte), 0x09);
    assert_eq!(scene.read_dword(place, TABLE_MESSAGES) >> 8, 0x0370);
    scene.write(Path::Ports, place, TABLE_MESSAGES + 2, Width::Word, 0x8003);
    assert_eq!(scene.hardware.dword(slot, TABLE_MESSAGES), 0x0003_7011);
}

#[test]
fn it_stays_awake() {
    let (mut scene, place, slot) = scene();
    scene.write(Path::Ports, place, POWER + 4, Width::Word, 0x8103);
    assert_eq!(scene.hardware.dword(slot, POWER + 4), 0x8100);
}

#[test]
fn every_other_register_is_refused_and_counted() {
    let (mut scene, place, slot) = scene();
    let before: Vec<u32> = (0..0x100)
        .step_by(4)
        .map(|at| scene.hardware.dword(slot, at))
        .collect();
    let refused = [
        0x00, 0x08, 0x0f, 0x2c, 0x34, 0x40, 0x90, 0x92, 0xa0, 0xa4, 0xac, 0xf0, 0x104,
    ];
    for offset in refused {
        scene.write(Path::Window, place, offset, Width::Byte, 0x5a);
    }
    let after: Vec<u32> = (0..0x100)
        .step_by(4)
        .map(|at| scene.hardware.dword(slot, at))
        .collect();
    assert_eq!(before, after);
    assert_eq!(scene.count(Attempt::MediatedRegister), refused.len() as u64);
}

#[test]
fn no_other_function_comes_to_answer_where_it_does() {
    let (machine, _, nic) = machine();
    let mut scene = Scene::take_over(machine, AHCI);
    let place = Address::new(0, 4, 0).unwrap();
    scene.write_dword(place, spec::BAR_0, 0xfeb4_0000);
    assert_ne!(
        scene.hardware.dword(nic, spec::BAR_0),
        0xfeb4_0000,
        "over the controller's registers"
    );
    assert_eq!(scene.count(Attempt::ProtectedBar), 1);
}

#[test]
fn a_controller_that_comes_later_is_hidden() {
    let (machine, ..) = machine();
    let mut scene = Scene::take_over(machine, AHCI);
    let late = Function::endpoint(0x8086, 0x2922, 0x01_0601).with_bar(5, BarModel::Memory32(0x1000));
    scene.hardware.plug(Place::Root(0), 5 << 3, late);
    let place = Address::new(0, 5, 0).unwrap();
    assert_eq!(scene.read_dword(place, 0), u32::MAX);
    assert_eq!(scene.fate(place), Some(Fate::Concealed));
}

/// A serial port with I/O decoding on, beside a controller; the ports it asks for.
fn with_serial(controller: Function, driver: &str) -> (Scene<Machine>, Address, Slot) {
    let mut machine = Machine::new();
    machine.plug(Place::Root(0), 0x1f << 3, controller);
    let serial = Function::endpoint(0x1b36, 0x0002, 0x07_0002)
        .with_bar(0, BarModel::Io(8))
        .set_up(spec::BAR_0, 0xd001)
        .set_up(spec::COMMAND, 1);
    let slot = machine.plug(Place::Root(0), 3 << 3, serial);
    (
        Scene::take_over(machine, driver),
        Address::new(0, 3, 0).unwrap(),
        slot,
    )
}

#[test]
fn no_other_function_comes_to_answer_its_ports() {
    let ide = Function::endpoint(0x8086, 0x7010, 0x01_0180)
        .with_bar(4, BarModel::Io(16))
        .set_up(0x20, 0xc041)
        .set_up(spec::COMMAND, 1);
    let (mut scene, serial, slot) = with_serial(ide, "device=ata, driver=ata");
    let taken = [0xc040, 0xc048, 0x1f0, 0x3f0, 0x170, 0x370, 0xffff_01f0];
    for ports in taken {
        scene.write_dword(serial, spec::BAR_0, ports);
        assert_eq!(scene.hardware.dword(slot, spec::BAR_0), 0xd001, "{ports:#x}");
    }
    scene.write_dword(serial, spec::BAR_0, 0xc050);
    assert_eq!(
        scene.hardware.dword(slot, spec::BAR_0),
        0xc051,
        "right behind is free"
    );
    // What is not decoded may lie anywhere, and is not decoded there.
    scene.write_dword(serial, spec::COMMAND, 0);
    scene.write_dword(serial, spec::BAR_0, 0x1f0);
    scene.write_dword(serial, spec::COMMAND, 1);
    assert_eq!(scene.hardware.command(slot), 0);
    assert_eq!(scene.count(Attempt::ProtectedBar), taken.len() as u64 + 1);
}
