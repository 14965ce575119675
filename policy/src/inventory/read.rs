//! Reads an inventory: its shape by `serde`, then each field and what fields say together.

use super::{Disk, InventoryError, Machine, MachineName, Partition};
use sekisho_abi::pci::{Address, Identity};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Reads the text of an inventory file: its machines in order, at least one.
///
/// # Errors
/// [`InventoryError`]: the first thing wrong with it.
pub fn read_inventory(text: &str) -> Result<Vec<Machine>, InventoryError> {
    let written: Vec<WrittenMachine> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(layout)?
    } else {
        let machines = serde_json::Deserializer::from_str(text).into_iter();
        machines.collect::<Result<_, _>>().map_err(layout)?
    };
    if written.is_empty() {
        return Err(InventoryError::Empty);
    }
    written
        .into_iter()
        .enumerate()
        .map(|(index, machine)| machine.check(index))
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn layout(error: serde_json::Error) -> InventoryError {
    InventoryError::Layout {
        problem: error.to_string(),
    }
}

/// A machine as written, nothing checked but its shape.
#[derive(Deserialize)]
struct WrittenMachine {
    machine: Option<String>,
    devices: Vec<WrittenDevice>,
    #[serde(default)]
    disks: Vec<WrittenDisk>,
}

#[derive(Deserialize)]
struct WrittenDevice {
    slot: String,
    vendor: String,
    device: String,
    sub_vendor: String,
    sub_device: String,
    revision: String,
    class_code: String,
    header_type: String,
}

#[derive(Deserialize)]
struct WrittenDisk {
    controller: String,
    port: u8,
    serial: Option<String>,
    logical_sector: u32,
    #[serde(default)]
    partitions: Vec<Partition>,
}

/// A field whose text has the wrong form, before machine and index are known.
struct BadField {
    field: &'static str,
    found: String,
    wanted: &'static str,
}

impl WrittenMachine {
    fn check(self, index: usize) -> Result<Machine, InventoryError> {
        let machine = match &self.machine {
            Some(name) => MachineName::Named(name.clone()),
            None => MachineName::Unnamed(index),
        };
        let mut slots = BTreeSet::new();
        let mut devices = Vec::new();
        for (index, written) in self.devices.iter().enumerate() {
            let device = written
                .check()
                .map_err(|bad| bad.of(&machine, "devices", index))?;
            let slot = device.address;
            if !slots.insert(slot) {
                return Err(InventoryError::DuplicateSlot { machine, index, slot });
            }
            devices.push(device);
        }
        let mut disks = Vec::new();
        for (index, written) in self.disks.into_iter().enumerate() {
            let backward = written
                .partitions
                .iter()
                .find(|partition| partition.last < partition.first);
            if let Some(Partition { number, .. }) = backward {
                return Err(InventoryError::BackwardPartition {
                    machine,
                    index,
                    number: *number,
                });
            }
            disks.push(written.check().map_err(|bad| bad.of(&machine, "disks", index))?);
        }
        Ok(Machine {
            name: self.machine,
            devices,
            disks,
        })
    }
}

impl WrittenDevice {
    fn check(&self) -> Result<Identity, BadField> {
        Ok(Identity {
            address: slot("slot", &self.slot)?,
            vendor: four_digits("vendor", &self.vendor)?,
            device: four_digits("device", &self.device)?,
            subsystem_vendor: four_digits("sub_vendor", &self.sub_vendor)?,
            subsystem: four_digits("sub_device", &self.sub_device)?,
            revision: two_digits("revision", &self.revision)?,
            class_code: hexadecimal(&self.class_code, 6)
                .ok_or_else(|| bad("class_code", &self.class_code, "six hexadecimal digits"))?,
            header_type: two_digits("header_type", &self.header_type)?,
        })
    }
}

impl WrittenDisk {
    fn check(self) -> Result<Disk, BadField> {
        Ok(Disk {
            controller: slot("controller", &self.controller)?,
            port: self.port,
            serial: self.serial,
            logical_sector: match self.logical_sector {
                512 | 4096 => self.logical_sector,
                other => return Err(bad("logical_sector", &other.to_string(), "512 or 4096")),
            },
            partitions: self.partitions,
        })
    }
}

impl BadField {
    fn of(self, machine: &MachineName, list: &'static str, index: usize) -> InventoryError {
        let Self { field, found, wanted } = self;
        InventoryError::Field {
            machine: machine.clone(),
            list,
            index,
            field,
            found,
            wanted,
        }
    }
}

fn bad(field: &'static str, found: &str, wanted: &'static str) -> BadField {
    BadField {
        field,
        found: found.to_owned(),
        wanted,
    }
}

fn slot(field: &'static str, text: &str) -> Result<Address, BadField> {
    let parts = || {
        let (bus, place) = text.split_once(':')?;
        let (device, function) = place.split_once('.')?;
        Address::new(
            hexadecimal(bus, 2)?,
            hexadecimal(device, 2)?,
            hexadecimal(function, 1)?,
        )
    };
    parts().ok_or_else(|| {
        bad(
            field,
            text,
            "a slot such as 00:1f.2 (bus, device up to 1f, function up to 7)",
        )
    })
}

fn four_digits(field: &'static str, text: &str) -> Result<u16, BadField> {
    hexadecimal(text, 4).ok_or_else(|| bad(field, text, "four hexadecimal digits"))
}

fn two_digits(field: &'static str, text: &str) -> Result<u8, BadField> {
    hexadecimal(text, 2).ok_or_else(|| bad(field, text, "two hexadecimal digits"))
}

/// The number that exactly `digits` hexadecimal digits spell.
fn hexadecimal<T: TryFrom<u32>>(text: &str, digits: usize) -> Option<T> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = r#"{"slot": "00:1f.2", "vendor": "8086", "device": "2922", "sub_vendor": "1af4",
        "sub_device": "1100", "revision": "02", "class_code": "010601", "header_type": "00"}"#;

    #[test]
    fn one_machine_a_list_and_one_a_line_are_read_alike() {
        let machine = format!(
            r#"{{"machine": "a", "devices": [{}]}}"#,
            DEVICE.replace('\n', " ")
        );
        let one = read_inventory(&machine).unwrap();
        assert_eq!(one[0].devices[0].address, Address::new(0, 0x1f, 2).unwrap());
        assert_eq!(one[0].devices[0].class_code, 0x01_0601);
        let list = read_inventory(&format!("[{machine}, {machine}]")).unwrap();
        let lines = read_inventory(&format!("{machine}\n{machine}\n")).unwrap();
        assert_eq!(list, lines);
        assert_eq!(list, [one.clone(), one].concat());
    }

    #[test]
    fn a_bad_field_is_named_with_its_machine_and_index() {
        let refused = |text: &str| read_inventory(text).unwrap_err().to_string();
        let with = |old: &str, new: &str| {
            format!(
                r#"{{"machine": "a", "devices": [{DEVICE}, {}]}}"#,
                DEVICE.replace(old, new)
            )
        };
        let cases = [
            (
                "00:1f.2",
                "00:20.0",
                "devices[1].slot is \"00:20.0\", but must be a slot such as 00:1f.2 (bus, device up to 1f, function up to 7)",
            ),
            (
                "8086",
                "0x8086",
                "devices[1].vendor is \"0x8086\", but must be four hexadecimal digits",
            ),
            (
                "\"02\"",
                "\"+2\"",
                "devices[1].revision is \"+2\", but must be two hexadecimal digits",
            ),
            (
                "010601",
                "0106",
                "devices[1].class_code is \"0106\", but must be six hexadecimal digits",
            ),
            (
                "2922",
                "2922",
                "devices[1].slot is 00:1f.2, as of a device before it",
            ),
        ];
        for (old, new, message) in cases {
            assert_eq!(refused(&with(old, new)), format!("machine `a`, {message}"));
        }
        let unnamed = format!(
            r#"[{{"devices": []}}, {{"devices": [{}]}}]"#,
            DEVICE.replace("1af4", "-")
        );
        assert_eq!(
            refused(&unnamed),
            "machine 1 (unnamed), devices[0].sub_vendor is \"-\", but must be four hexadecimal digits"
        );
        assert_eq!(refused(""), "the inventory holds no machine");
        assert_eq!(
            refused("{\"devices\": [\n{\"slot\": \"00:00.0\"}]}"),
            "not an inventory: missing field `vendor` at line 2 column 19"
        );
    }

    #[test]
    fn disks_and_partitions_are_read_and_checked() {
        let disk = |sector: u32, last: u64| {
            format!(
                r#"{{"devices": [], "disks": [{{"controller": "00:1f.2", "port": 1, "logical_sector": {sector},
                "partitions": [{{"number": 3, "label": "root", "first": 2048, "last": {last}}}]}}]}}"#
            )
        };
        let machines = read_inventory(&disk(512, 4095)).unwrap();
        assert_eq!(machines[0].disks[0].partitions[0].label.as_deref(), Some("root"));
        assert!(matches!(
            read_inventory(&disk(520, 4095)),
            Err(InventoryError::Field {
                field: "logical_sector",
                ..
            })
        ));
        assert!(matches!(
            read_inventory(&disk(512, 2047)),
            Err(InventoryError::BackwardPartition { number: 3, .. })
        ));
    }
}
