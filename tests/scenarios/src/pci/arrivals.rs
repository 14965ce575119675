//! Functions that come, change or go after boot are decided by the same list before the guest sees them.

use super::*;
use sekisho_mediator::pci::{Found, MAX_FUNCTIONS, Notice};

#[test]
fn a_function_that_arrives_is_concealed_before_the_guest_reads_a_byte() {
    let mut scene = Scene::take_over(laptop().machine, "class=02*, driver=conceal");
    let slot = scene.hardware.plug(Place::Root(0), 6 << 3, nic(0xfe90_0000));
    assert_eq!(scene.read(Path::Ports, at(0, 6, 0), 0x10, Width::Byte), 0xff);
    assert_eq!(scene.hardware.command(slot) & ALL_ON, 0);
    scene.write(Path::Window, at(0, 6, 0), 0x04, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(slot) & ALL_ON, 0);
}

#[test]
fn a_function_that_arrives_by_a_write_is_decided_first_too() {
    let mut scene = Scene::take_over(laptop().machine, "class=02*, driver=conceal");
    let slot = scene.hardware.plug(Place::Root(0), 6 << 3, nic(0xfe90_0000));
    scene.write(Path::Window, at(0, 6, 0), 0x04, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(slot) & ALL_ON, 0);
}

#[test]
fn a_function_that_arrives_and_no_rule_names_is_passed_and_told() {
    let mut scene = Scene::take_over(laptop().machine, "class=0280, driver=conceal");
    scene.hardware.plug(Place::Root(0), 6 << 3, nic(0));
    assert_eq!(scene.read_dword(at(0, 6, 0), 0), 0x100e_8086);
    assert_eq!(
        scene.mediator.functions().at(at(0, 6, 0)).unwrap().found(),
        Found::Later
    );
    let notice = scene.mediator.take_notice().unwrap();
    assert_eq!(notice.to_string(), "00:06.0: 020000 8086:100e arrived, passed");
    assert_eq!(scene.mediator.take_notice(), None);
}

#[test]
fn the_counters_of_number_go_on_for_arrivals() {
    let mut scene = Scene::take_over(laptop().machine, "class=0200, number=2, driver=conceal");
    scene.hardware.plug(Place::Root(0), 6 << 3, nic(0));
    scene.hardware.plug(Place::Root(0), 7 << 3, nic(0));
    assert_eq!(
        scene.read_dword(at(0, 6, 0), 0),
        u32::MAX,
        "the third NIC of this machine"
    );
    assert_eq!(scene.read_dword(at(0, 7, 0), 0), 0x100e_8086, "the fourth");
}

#[test]
fn an_arriving_sibling_makes_a_concealed_function_0_a_placeholder() {
    let mut machine = Machine::new();
    machine.plug(Place::Root(0), 4 << 3, nic(0xfeb0_0000).multi_function());
    let mut scene = Scene::take_over(machine, "class=02*, driver=conceal");
    assert_eq!(scene.fate(at(0, 4, 0)), Some(Fate::Concealed));
    scene.hardware.plug(
        Place::Root(0),
        4 << 3 | 1,
        Function::endpoint(0x8086, 0x2922, 0x01_0601),
    );
    assert_eq!(scene.read_dword(at(0, 4, 1), 0), 0x2922_8086);
    assert_eq!(scene.fate(at(0, 4, 0)), Some(Fate::Placeholder));
}

#[test]
fn a_function_swapped_for_another_is_decided_anew_when_its_identity_is_read() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, "id=10ec:8168, driver=conceal");
    scene.hardware.swap(first_nic, Some(realtek()));
    assert_eq!(scene.read(Path::Ports, place(FIRST_NIC), 0, Width::Word), 0xffff);
    assert_eq!(scene.hardware.command(first_nic) & ALL_ON, 0);
    assert_eq!(scene.count(Attempt::ChangedIdentity), 1);
}

#[test]
fn a_function_swapped_for_another_is_decided_anew_before_it_is_turned_on() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, "id=10ec:8168, driver=conceal");
    scene.hardware.swap(first_nic, Some(realtek()));
    scene.write(Path::Ports, place(FIRST_NIC), 0x04, Width::Byte, 7);
    assert_eq!(scene.hardware.command(first_nic) & ALL_ON, 0);
    assert_eq!(scene.fate(place(FIRST_NIC)), Some(Fate::Concealed));
}

#[test]
fn a_function_that_goes_and_comes_back_keeps_its_fate() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(
        machine,
        "class=0200, number=0, driver=none, and, class=0200, driver=conceal",
    );
    scene.hardware.swap(first_nic, None);
    assert_eq!(scene.read_dword(place(FIRST_NIC), 0), u32::MAX);
    scene.hardware.swap(first_nic, Some(nic(0)));
    assert_eq!(scene.read_dword(place(FIRST_NIC), 0), 0x100e_8086);
    assert_eq!(scene.count(Attempt::ChangedIdentity), 0);
}

#[test]
fn a_function_that_is_not_ready_shows_nothing_but_that() {
    let mut scene = Scene::take_over(laptop().machine, "");
    let slot = scene.hardware.plug(
        Place::Root(0),
        6 << 3,
        Function::endpoint(0x0001, 0xffff, NIC_CLASS),
    );
    assert_eq!(scene.read_dword(at(0, 6, 0), 0), 0xffff_0001);
    assert_eq!(scene.read_dword(at(0, 6, 0), 0x08), u32::MAX);
    scene.write_dword(at(0, 6, 0), 0x04, ALL_ON);
    assert_eq!(scene.hardware.command(slot), 0);
    assert_eq!(scene.fate(at(0, 6, 0)), None);
}

#[test]
fn a_function_beyond_the_table_is_absent() {
    let mut machine = Machine::new();
    let filler = || Function::endpoint(0x8086, 0x2934, 0x0c_0300).multi_function();
    for devfn in 0..=u8::MAX {
        machine.plug(Place::Root(0), devfn, filler());
    }
    let mut scene = Scene::take_over(machine, "");
    assert_eq!(scene.mediator.functions().len(), MAX_FUNCTIONS);
    let late = scene
        .hardware
        .plug(Place::Root(1), 0, nic(0xfe90_0000).set_up(0x04, 0));
    assert_eq!(scene.read_dword(at(1, 0, 0), 0), u32::MAX);
    scene.write_dword(at(1, 0, 0), 0x04, ALL_ON);
    assert_eq!(scene.hardware.command(late), 0);
    assert_eq!(scene.count(Attempt::TableFull), 2);
    let told = scene.mediator.take_notice();
    assert!(matches!(
        told,
        Some(Notice::Refused {
            attempt: Attempt::TableFull,
            count: 1,
            ..
        })
    ));
}

#[test]
fn a_machine_with_more_functions_than_can_be_held_is_refused() {
    let mut machine = Machine::new();
    for bus in 0..2 {
        for devfn in 0..=u8::MAX {
            let function = Function::endpoint(0x8086, 0x2934, 0x0c_0300).multi_function();
            machine.plug(Place::Root(bus), devfn, function);
        }
    }
    assert!(discover(&mut machine, LAST_BUS).is_err());
}

fn realtek() -> Function {
    Function::endpoint(0x10ec, 0x8168, NIC_CLASS).with_bar(0, BarModel::Memory32(0x1000))
}
