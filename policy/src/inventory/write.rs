//! Writes a machine as a line of an inventory.

use super::{Disk, Machine, Partition};
use sekisho_abi::pci::Identity;
use serde_json::{Map, Value, json};

/// The machine as one line of JSON, with the end of the line.
#[must_use]
pub fn write_machine(machine: &Machine) -> String {
    let devices = machine.devices.iter().map(device);
    let devices: Vec<String> = devices.map(|device| device.to_string()).collect();
    let mut text = String::from("{");
    for (key, value) in [("machine", &machine.name), ("model", &machine.model)] {
        if let Some(value) = value {
            text.push_str(&format!("\"{key}\":{},", json!(value)));
        }
    }
    text.push_str(&format!("\"devices\":[{}]", devices.join(",")));
    if !machine.disks.is_empty() {
        let disks: Value = machine.disks.iter().map(disk).collect();
        text.push_str(&format!(",\"disks\":{disks}"));
    }
    text + "}\n"
}

fn device(device: &Identity) -> Value {
    json!({
        "slot": device.address.to_string(),
        "vendor": format!("{:04x}", device.vendor),
        "device": format!("{:04x}", device.device),
        "sub_vendor": format!("{:04x}", device.subsystem_vendor),
        "sub_device": format!("{:04x}", device.subsystem),
        "revision": format!("{:02x}", device.revision),
        "class_code": format!("{:06x}", device.class_code),
        "header_type": format!("{:02x}", device.header_type),
    })
}

fn disk(disk: &Disk) -> Value {
    let partitions: Value = disk.partitions.iter().map(partition).collect();
    known([
        ("controller", disk.controller.to_string().into()),
        ("port", disk.port.into()),
        ("serial", disk.serial.clone().into()),
        ("uuid", disk.uuid.clone().into()),
        ("logical_sector", disk.logical_sector.bytes().into()),
        ("blocks", disk.blocks.into()),
        ("partitions", partitions),
    ])
}

fn partition(partition: &Partition) -> Value {
    known([
        ("number", partition.number.into()),
        ("type", partition.kind.clone().into()),
        ("label", partition.label.clone().into()),
        ("uuid", partition.uuid.clone().into()),
        ("first", partition.first.into()),
        ("last", partition.last.into()),
    ])
}

/// What is known; the rest is left out.
fn known<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields: Map<String, Value> = fields.map(|(key, value)| (key.to_owned(), value)).collect();
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::read_inventory;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let text = include_str!("../../tests/fleet/partition-closed.json");
        let machines = read_inventory(text).unwrap();
        let written: String = machines.iter().map(write_machine).collect();
        assert_eq!(read_inventory(&written).unwrap(), machines);
        assert_eq!(written.lines().count(), machines.len());
    }
}
