//! A concealed function does not exist for the guest, and cannot be brought back.

use super::*;

const CONCEAL_SECOND: &str = "slot=02:00.0, driver=conceal";
const WIDTHS: [Width; 3] = [Width::Byte, Width::Word, Width::Dword];

#[test]
fn a_concealed_function_reads_all_ones_by_both_paths() {
    let mut scene = Scene::take_over(laptop().machine, CONCEAL_SECOND);
    for path in BOTH {
        for width in WIDTHS {
            for offset in (0..0x1000).step_by(usize::from(width.bytes())) {
                let value = scene.read(path, place(SECOND_NIC), offset, width);
                assert_eq!(value, width.ones(), "{path:?} {offset:#x} {width:?}");
            }
        }
    }
}

#[test]
fn a_concealed_function_is_stopped_when_the_machine_is_taken_over() {
    let Laptop {
        machine, second_nic, ..
    } = laptop();
    assert_eq!(
        machine.command(second_nic) & ALL_ON,
        ALL_ON,
        "firmware left it on"
    );
    let scene = Scene::take_over(machine, CONCEAL_SECOND);
    assert_eq!(
        scene.hardware.command(second_nic),
        0x400,
        "off, its interrupt line disabled"
    );
}

#[test]
fn writes_to_a_concealed_function_vanish_and_are_counted() {
    let Laptop {
        machine, second_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, CONCEAL_SECOND);
    let before: Vec<u32> = (0..0x200)
        .step_by(4)
        .map(|at| scene.hardware.dword(second_nic, at))
        .collect();
    for path in BOTH {
        for offset in (0..0x200).step_by(4) {
            scene.write(path, place(SECOND_NIC), offset, Width::Dword, 0x0000_0007);
        }
    }
    let after: Vec<u32> = (0..0x200)
        .step_by(4)
        .map(|at| scene.hardware.dword(second_nic, at))
        .collect();
    assert_eq!(before, after);
    assert_eq!(scene.count(Attempt::ConcealedWrite), 2 * 0x80);
}

#[test]
fn a_scan_misses_the_concealed_function_and_nothing_else() {
    let mut bare = Scene::take_over(laptop().machine, "");
    let mut expected = bare.scan();
    expected.retain(|address| *address != place(SECOND_NIC));
    let mut scene = Scene::take_over(laptop().machine, CONCEAL_SECOND);
    assert_eq!(scene.scan(), expected);
    assert_eq!(expected.len(), 4);
}

#[test]
fn a_reset_of_the_bus_above_does_not_reveal_a_concealed_function() {
    let Laptop {
        machine, second_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, CONCEAL_SECOND);
    scene.write(Path::Window, place(BRIDGE), 0x3e, Width::Word, 0x40);
    scene.write(Path::Window, place(BRIDGE), 0x3e, Width::Word, 0);
    scene.write(Path::Window, place(SECOND_NIC), 0x04, Width::Word, ALL_ON);
    assert_eq!(scene.hardware.command(second_nic) & ALL_ON, 0);
    assert_eq!(scene.read_dword(place(SECOND_NIC), 0), u32::MAX);
}

#[test]
fn function_0_with_siblings_is_a_placeholder() {
    let (mut scene, _) = two_functions("slot=00:04.0, driver=conceal");
    assert_eq!(scene.fate(at(0, 4, 0)), Some(Fate::Placeholder));
    assert_eq!(scene.read_dword(at(0, 4, 0), 0x08) >> 8, 0xff_0000);
    assert_eq!(scene.read(Path::Ports, at(0, 4, 0), 0x0e, Width::Byte), 0x80);
    assert_eq!(scene.scan(), [at(0, 4, 0), at(0, 4, 1)]);
}

#[test]
fn a_placeholder_tells_nothing_and_takes_nothing() {
    let (mut scene, zero) = two_functions("slot=00:04.0, driver=conceal");
    for offset in (0..0x1000).step_by(4) {
        scene.write_dword(at(0, 4, 0), offset, u32::MAX);
    }
    for offset in (0x10..0x1000).step_by(4) {
        assert_eq!(scene.read_dword(at(0, 4, 0), offset), 0);
    }
    assert_ne!(scene.read_dword(at(0, 4, 0), 0), scene.hardware.dword(zero, 0));
    assert_eq!(scene.hardware.command(zero) & ALL_ON, 0);
}

#[test]
fn function_0_is_no_placeholder_when_its_siblings_are_concealed_too() {
    let (mut scene, _) = two_functions("class=02*, driver=conceal");
    assert_eq!(scene.fate(at(0, 4, 0)), Some(Fate::Concealed));
    assert_eq!(scene.scan(), []);
}

#[test]
fn a_concealed_device_that_ignores_the_function_number_has_no_other_names() {
    let mut machine = Machine::new();
    let slot = machine.plug_careless(Place::Root(0), 5, nic(0xfeb0_0000));
    let mut scene = Scene::take_over(machine, "class=0200, number=0, driver=conceal");
    for function in 0..8 {
        assert_eq!(scene.read_dword(at(0, 5, function), 0), u32::MAX);
        scene.write_dword(at(0, 5, function), 0x04, ALL_ON);
    }
    assert_eq!(scene.hardware.command(slot) & ALL_ON, 0);
    assert_eq!(scene.mediator.functions().len(), 1);
}

#[test]
fn a_policy_with_a_driver_this_build_lacks_is_refused_by_name() {
    let functions = discover(&mut laptop().machine, LAST_BUS).unwrap();
    let selection = parse("slot=1f:1f.7, driver=none, and, device=nvme, driver=nvme").unwrap();
    let refused = Mediator::new(functions, &selection, &[]).err().unwrap();
    assert_eq!((refused.driver.name(), refused.entry), ("nvme", 1));
}

/// Two NIC functions of one device at 00:04, and the slot of the first.
fn two_functions(selection: &str) -> (Scene<Machine>, Slot) {
    let mut machine = Machine::new();
    let zero = machine.plug(Place::Root(0), 4 << 3, nic(0xfeb0_0000).multi_function());
    machine.plug(Place::Root(0), 4 << 3 | 1, nic(0xfeb4_0000).multi_function());
    (Scene::take_over(machine, selection), zero)
}
