//! A passed function is the hardware: nothing between it and the guest is seen or felt.

use super::*;

#[test]
fn a_passed_function_reads_and_writes_as_the_hardware_does() {
    let Laptop {
        machine, first_nic, ..
    } = laptop();
    let mut scene = Scene::take_over(machine, "");
    for path in BOTH {
        for offset in (0..0x1000).step_by(4) {
            let value = scene.read(path, place(FIRST_NIC), offset, Width::Dword);
            assert_eq!(
                value,
                scene.hardware.dword(first_nic, offset),
                "{path:?} {offset:#x}"
            );
        }
        scene.write(path, place(FIRST_NIC), 0x66, Width::Word, 0xabcd);
        assert_eq!(scene.hardware.dword(first_nic, 0x64), 0xabcd_0000);
        scene.write(path, place(FIRST_NIC), 0x104, Width::Dword, 0x1234_5678);
        assert_eq!(scene.read(path, place(FIRST_NIC), 0x106, Width::Word), 0x1234);
    }
}

#[test]
fn an_access_to_a_passed_function_is_one_access_to_the_hardware() {
    let mut scene = Scene::take_over(laptop().machine, "class=0280, driver=conceal");
    let before = scene.hardware.accesses();
    scene.read(Path::Ports, place(FIRST_NIC), 0x00, Width::Dword);
    scene.read(Path::Window, place(FIRST_NIC), 0x06, Width::Word);
    scene.write(Path::Ports, place(FIRST_NIC), 0x60, Width::Byte, 1);
    scene.write(Path::Window, place(FIRST_NIC), 0x104, Width::Dword, 1);
    assert_eq!(scene.hardware.accesses() - before, 4);
}

#[test]
fn taking_over_leaves_every_register_of_passed_functions_as_it_was() {
    let bare = laptop();
    let scene = Scene::take_over(laptop().machine, "slot=02:00.0, driver=conceal");
    for slot in [bare.first_nic, bare.bridge] {
        for offset in (0..0x1000).step_by(4) {
            assert_eq!(
                scene.hardware.dword(slot, offset),
                bare.machine.dword(slot, offset),
                "{offset:#x}"
            );
        }
    }
    assert_eq!(scene.hardware.breaches(), []);
}

#[test]
fn driver_none_leaves_a_function_alone() {
    let Laptop {
        machine, second_nic, ..
    } = laptop();
    let scene = Scene::take_over(
        machine,
        "slot=02:00.0, driver=none, and, class=02*, driver=conceal",
    );
    assert_eq!(scene.fate(place(SECOND_NIC)), Some(Fate::NoDriver));
    assert_eq!(scene.hardware.command(second_nic) & ALL_ON, ALL_ON);
    assert_eq!(scene.fate(place(FIRST_NIC)), Some(Fate::Concealed));
}

#[test]
fn an_empty_slot_reads_all_ones_and_takes_no_write() {
    let mut scene = Scene::take_over(laptop().machine, "");
    for path in BOTH {
        assert_eq!(scene.read(path, at(0, 9, 0), 0, Width::Dword), u32::MAX);
        assert_eq!(scene.read(path, at(0, 9, 0), 0x3d, Width::Byte), 0xff);
        scene.write(path, at(0, 9, 0), 0x04, Width::Word, ALL_ON);
    }
    assert_eq!(scene.mediator.functions().len(), 5);
}

#[test]
fn an_access_that_crosses_double_words_reads_ones_and_is_counted() {
    let mut scene = Scene::take_over(laptop().machine, "");
    assert_eq!(
        scene.read(Path::Window, place(FIRST_NIC), 0x02, Width::Dword),
        u32::MAX
    );
    assert_eq!(
        scene.read(Path::Window, place(FIRST_NIC), 0x03, Width::Word),
        0xffff
    );
    scene.write(Path::Window, place(FIRST_NIC), 0x61, Width::Word, 0);
    assert_eq!(scene.count(Attempt::Malformed), 3);
    assert_eq!(scene.hardware.breaches(), []);
}

#[test]
fn the_boot_log_names_every_function_with_the_drivers_that_fit_and_the_one_that_took_it() {
    let mut machine = laptop().machine;
    machine.plug(
        Place::Root(0),
        0x1f << 3 | 2,
        Function::endpoint(0x8086, 0x2922, 0x01_0601),
    );
    machine.plug(
        Place::Root(0),
        0x1f << 3,
        Function::endpoint(0x8086, 0x2918, 0x06_0100).multi_function(),
    );
    let scene = Scene::take_over(
        machine,
        "slot=02:00.0, driver=conceal, and, device=ahci, driver=none",
    );
    let origin = |rule: &str, file, line| Origin {
        rule: rule.to_owned(),
        file,
        line,
    };
    let origins = Origins {
        files: vec!["kiosk.toml".to_owned(), "../company.toml".to_owned()],
        entries: vec![origin("second-nic", 1, 23), origin("disk", 0, 7)],
    };
    let lines = scene.mediator.listing(&origins);
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    let expected = [
        "[00:00.0] 060000: 8086:29C0 ()",
        "[00:01.0] 030000: 1234:1111 ()",
        "[00:03.0] 020000: 8086:100E (pro1000)",
        "[00:1C.0] 060400: 8086:2940 ()",
        "[00:1F.0] 060100: 8086:2918 ()",
        "[00:1F.2] 010601: 8086:2922 (ahci)",
        "[02:00.0] 020000: 8086:100E (pro1000) conceal by ../company.toml:23 second-nic",
    ];
    assert_eq!(lines, expected);
}
