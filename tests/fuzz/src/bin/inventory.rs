//! Inventories of other hands: JSON of one machine or many, one a line, what `lspci` prints. What is read has each slot once and
//! partitions that do not end before they start; written again it is read the same; a fleet is read as its machines are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_policy::inventory::{File, Machine, read_described, read_inventory, survey, write_machine};
use std::collections::HashSet;
use std::io::Cursor;
use std::ops::ControlFlow;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(machines) = read_described(&text) {
        judge(&machines);
        let written: String = machines.iter().map(write_machine).collect();
        assert_eq!(read_inventory(&written).as_ref(), Ok(&machines));
    }
    if let Ok(machines) = read_inventory(&text) {
        judge(&machines);
        assert_eq!(surveyed(&text), machines);
    }
});

fn judge(machines: &[Machine]) {
    assert!(!machines.is_empty());
    for machine in machines {
        let mut slots = HashSet::new();
        assert!(machine.devices.iter().all(|device| slots.insert(device.address)));
        let mut partitions = machine.disks.iter().flat_map(|disk| &disk.partitions);
        assert!(partitions.all(|partition| partition.first <= partition.last));
    }
}

/// The machines as a fleet's reader sees them.
fn surveyed(text: &str) -> Vec<Machine> {
    let file = File {
        name: "fleet.json".to_owned(),
        input: Box::new(Cursor::new(text.as_bytes().to_vec())),
    };
    let mut machines = Vec::new();
    let read = survey([Ok(file)].into_iter(), &|_| (), &mut |seen| {
        machines.push(Machine {
            name: seen.name,
            model: seen.make,
            devices: seen.model.devices.clone(),
            disks: seen.disks,
        });
        ControlFlow::Continue(())
    });
    read.expect("what is an inventory by itself is one in a fleet");
    machines
}
