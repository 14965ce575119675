//! Reads one machine of an inventory: its shape by `serde`, then each field and what fields say together.

use super::lspci::{is_lspci, read_lspci};
use super::split::{Piece, Splitter};
use super::{Disk, InventoryError, Machine, MachineName, Partition};
use sekisho_abi::disk::BlockSize;
use sekisho_abi::pci::{Address, Identity};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Reads the text of an inventory: its machines in order, at least one.
///
/// # Errors
/// [`InventoryError`]: the first thing wrong with it.
pub fn read_inventory(text: &str) -> Result<Vec<Machine>, InventoryError> {
    let mut splitter = Splitter::default();
    let mut pieces = splitter.split(text.as_bytes())?;
    splitter.end()?;
    let machines = pieces.drain(..).enumerate().map(|(index, piece)| {
        let written = Written::read(text.as_bytes(), &piece)?;
        let devices = written.devices(text.as_bytes(), &piece, index)?;
        written.into_machine(devices, index)
    });
    let machines: Vec<Machine> = machines.collect::<Result<_, _>>()?;
    if machines.is_empty() {
        return Err(InventoryError::Empty);
    }
    Ok(machines)
}

/// Reads an inventory, or one machine's devices as `lspci -xxx` or `lspci -nnvmm` printed them.
///
/// # Errors
/// As [`read_inventory`].
pub fn read_described(text: &str) -> Result<Vec<Machine>, InventoryError> {
    if !is_lspci(text) {
        return read_inventory(text);
    }
    Ok(vec![Machine {
        name: None,
        model: None,
        devices: read_lspci(text)?,
        disks: Vec::new(),
    }])
}

/// A machine as written: its devices are still text, so that equal ones need not be read again.
#[derive(Deserialize)]
pub(super) struct Written<'a> {
    machine: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    devices: &'a RawValue,
    #[serde(default)]
    disks: Vec<WrittenDisk>,
}

/// The same with its devices read, to learn where a shape is wrong.
#[derive(Deserialize)]
struct WholeShape<'a> {
    #[serde(borrow, rename = "devices")]
    _devices: Vec<WrittenDevice<'a>>,
}

#[derive(Deserialize)]
struct WrittenDevice<'a> {
    #[serde(borrow)]
    slot: Cow<'a, str>,
    #[serde(borrow)]
    vendor: Cow<'a, str>,
    #[serde(borrow)]
    device: Cow<'a, str>,
    #[serde(borrow)]
    sub_vendor: Cow<'a, str>,
    #[serde(borrow)]
    sub_device: Cow<'a, str>,
    #[serde(borrow)]
    revision: Cow<'a, str>,
    #[serde(borrow)]
    class_code: Cow<'a, str>,
    #[serde(borrow)]
    header_type: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WrittenDisk {
    controller: String,
    port: u8,
    serial: Option<String>,
    uuid: Option<String>,
    logical_sector: u32,
    blocks: Option<u64>,
    #[serde(default)]
    partitions: Vec<Partition>,
}

/// A field whose text has the wrong form, before machine and index are known.
struct BadField {
    field: &'static str,
    found: String,
    wanted: &'static str,
}

impl<'a> Written<'a> {
    /// The machine that is `piece` of `text`.
    pub(super) fn read(text: &'a [u8], piece: &Piece) -> Result<Self, InventoryError> {
        let text = text.get(piece.range.clone()).unwrap_or_default();
        serde_json::from_slice(text).map_err(|error| piece.layout(&error))
    }

    /// The text of its devices.
    pub(super) fn device_text(&self) -> &'a str {
        self.devices.get()
    }

    /// Its devices; `index` is its place in the inventory.
    pub(super) fn devices(
        &self,
        text: &[u8],
        piece: &Piece,
        index: usize,
    ) -> Result<Vec<Identity>, InventoryError> {
        let written: Vec<WrittenDevice<'_>> =
            serde_json::from_str(self.device_text()).map_err(|error| shape_error(text, piece, &error))?;
        let mut slots = BTreeSet::new();
        let mut devices = Vec::with_capacity(written.len());
        for (place, written) in written.iter().enumerate() {
            let device = written
                .check()
                .map_err(|bad| bad.of(self.title(index), "devices", place))?;
            let slot = device.address;
            if !slots.insert(slot) {
                return Err(InventoryError::DuplicateSlot {
                    machine: self.title(index),
                    index: place,
                    slot,
                });
            }
            devices.push(device);
        }
        Ok(devices)
    }

    /// Everything but its devices, checked.
    pub(super) fn into_machine(
        self,
        devices: Vec<Identity>,
        index: usize,
    ) -> Result<Machine, InventoryError> {
        let title = self.title(index);
        let mut disks = Vec::with_capacity(self.disks.len());
        for (place, written) in self.disks.into_iter().enumerate() {
            let mut partitions = written.partitions.iter();
            if let Some(backward) = partitions.find(|it| it.last < it.first) {
                return Err(InventoryError::BackwardPartition {
                    machine: title,
                    index: place,
                    number: backward.number,
                });
            }
            disks.push(
                written
                    .check()
                    .map_err(|bad| bad.of(title.clone(), "disks", place))?,
            );
        }
        Ok(Machine {
            name: self.machine,
            model: self.model,
            devices,
            disks,
        })
    }

    fn title(&self, index: usize) -> MachineName {
        match &self.machine {
            Some(name) => MachineName::Named(name.clone()),
            None => MachineName::Unnamed(index),
        }
    }
}

/// `error` is counted from where the devices begin; reading the whole machine again tells its place in the file.
fn shape_error(text: &[u8], piece: &Piece, error: &serde_json::Error) -> InventoryError {
    let text = text.get(piece.range.clone()).unwrap_or_default();
    match serde_json::from_slice::<WholeShape<'_>>(text) {
        Err(same) => piece.layout(&same),
        Ok(_) => piece.layout(error),
    }
}

impl WrittenDevice<'_> {
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
            uuid: self.uuid,
            logical_sector: BlockSize::from_bytes(self.logical_sector)
                .ok_or_else(|| bad("logical_sector", &self.logical_sector.to_string(), "512 or 4096"))?,
            blocks: self.blocks,
            partitions: self.partitions,
        })
    }
}

impl BadField {
    fn of(self, machine: MachineName, list: &'static str, index: usize) -> InventoryError {
        let Self { field, found, wanted } = self;
        InventoryError::Field {
            machine,
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
    let wanted = "a slot such as 00:1f.2 (bus, device up to 1f, function up to 7)";
    text.parse().map_err(|_| bad(field, text, wanted))
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
