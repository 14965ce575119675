//! What `lspci` prints, read as a machine's devices: `lspci -xxx` (registers) or `lspci -nnvmm` (records).
//!
//! Registers tell everything. Records leave out the header type, which is inferred: bridges have type 1, CardBus bridges
//! type 2, and a device of which several functions are listed has the multi-function bit. Functions outside of PCI
//! segment 0 are left out, since the hypervisor does not know them.

use super::InventoryError;
use sekisho_abi::pci::{Address, Identity};
use std::collections::{BTreeMap, BTreeSet};

/// Registers of the standard header, which has everything that is asked: PCI Local Bus Specification 3.0, section 6.1.
const HEADER: usize = 64;

/// Whether a text looks as if `lspci` had printed it.
pub(super) fn is_lspci(text: &str) -> bool {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    first.starts_with("Slot:") || place(first).is_some()
}

/// The devices of a machine, in the order printed.
///
/// # Errors
/// [`InventoryError::Lspci`]: the first line that cannot be read.
pub(super) fn read_lspci(text: &str) -> Result<Vec<Identity>, InventoryError> {
    let records = text.lines().any(|line| line.starts_with("Slot:"));
    let devices = if records {
        by_records(text)?
    } else {
        by_registers(text)?
    };
    let mut slots = BTreeSet::new();
    match devices.iter().find(|device| !slots.insert(device.address)) {
        Some(twice) => Err(InventoryError::Lspci {
            line: 1,
            wanted: format!("each slot once, but {} is there twice", twice.address),
        }),
        None => Ok(devices),
    }
}

/// A function's place at the start of a line: `00:1f.2` or `0000:00:1f.2`; the segment with the address.
fn place(line: &str) -> Option<(u32, Address)> {
    let word = line.split_whitespace().next()?;
    let (segment, slot) = match word.split_once(':') {
        Some((segment, rest)) if rest.contains(':') => (u32::from_str_radix(segment, 16).ok()?, rest),
        _ => (0, word),
    };
    Some((segment, slot.parse().ok()?))
}

fn by_registers(text: &str) -> Result<Vec<Identity>, InventoryError> {
    let mut devices = Vec::new();
    let mut open: Option<(usize, u32, Address, Vec<u8>)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((segment, address)) = place(line) {
            devices.extend(closed(open.replace((number, segment, address, Vec::new())))?);
        } else if let (Some((_, _, _, bytes)), Some((offset, row))) = (&mut open, registers(line))
            && offset == bytes.len()
        {
            bytes.extend(row);
        }
    }
    devices.extend(closed(open)?);
    Ok(devices)
}

/// `10: 00 01 …`: an offset and sixteen registers; any other line is prose.
fn registers(line: &str) -> Option<(usize, Vec<u8>)> {
    let (offset, row) = line.trim().split_once(": ")?;
    let bytes = row.split_whitespace().map(|byte| u8::from_str_radix(byte, 16));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().ok()?;
    let offset = usize::from_str_radix(offset, 16).ok()?;
    (bytes.len() == 16).then_some((offset, bytes))
}

fn closed(open: Option<(usize, u32, Address, Vec<u8>)>) -> Result<Option<Identity>, InventoryError> {
    match open {
        Some((line, 0, address, bytes)) => match of_registers(address, &bytes) {
            Some(device) => Ok(Some(device)),
            None => Err(InventoryError::Lspci {
                line,
                wanted: "64 registers below this device, as `lspci -xxx` prints them".to_owned(),
            }),
        },
        _ => Ok(None),
    }
}

/// The identity that the first registers of a function tell; `None` if there are too few.
pub(super) fn of_registers(address: Address, registers: &[u8]) -> Option<Identity> {
    let header = registers.first_chunk::<HEADER>()?;
    let byte = |at: usize| header.get(at).copied().unwrap_or_default();
    let word = |at: usize| u16::from_le_bytes([byte(at), byte(at + 1)]);
    // Only ordinary functions have a subsystem there; bridges have other registers.
    let ordinary = byte(0x0e) & 0x7f == 0;
    Some(Identity {
        address,
        vendor: word(0x00),
        device: word(0x02),
        revision: byte(0x08),
        class_code: u32::from_le_bytes([byte(0x09), byte(0x0a), byte(0x0b), 0]),
        header_type: byte(0x0e),
        subsystem_vendor: if ordinary { word(0x2c) } else { 0 },
        subsystem: if ordinary { word(0x2e) } else { 0 },
    })
}

fn by_records(text: &str) -> Result<Vec<Identity>, InventoryError> {
    let mut devices = Vec::new();
    let mut record = BTreeMap::new();
    let mut begin = 1;
    for (number, line) in (1..).zip(text.lines().chain([""])) {
        if let Some((key, value)) = line.split_once(':') {
            if record.is_empty() {
                begin = number;
            }
            record.insert(key.trim(), value.trim());
        } else if line.trim().is_empty() && !record.is_empty() {
            devices.extend(of_record(&record, begin)?);
            record.clear();
        }
    }
    infer_headers(&mut devices);
    Ok(devices)
}

fn of_record(record: &BTreeMap<&str, &str>, line: usize) -> Result<Option<Identity>, InventoryError> {
    let wrong = |wanted: &str| InventoryError::Lspci {
        line,
        wanted: wanted.to_owned(),
    };
    let slot = record.get("Slot").copied().unwrap_or_default();
    let (segment, address) = place(slot).ok_or_else(|| wrong("`Slot:` with bus:device.function"))?;
    if segment != 0 {
        return Ok(None);
    }
    // `SATA controller [0106]` with -nn, `0106` with -n.
    let number = |key: &str| {
        let text = record.get(key)?;
        let inner = text
            .rsplit_once('[')
            .map_or(*text, |(_, inner)| inner.trim_end_matches(']'));
        u16::from_str_radix(inner, 16).ok()
    };
    let byte = |key: &str| match record.get(key) {
        None => Some(0),
        Some(text) => u8::from_str_radix(text, 16).ok(),
    };
    let need = |key: &str| {
        number(key).ok_or_else(|| wrong(&format!("`{key}:` with its number, as `-nnvmm` prints it")))
    };
    let interface = byte("ProgIf").ok_or_else(|| wrong("`ProgIf:` of two hexadecimal digits"))?;
    Ok(Some(Identity {
        address,
        vendor: need("Vendor")?,
        device: need("Device")?,
        revision: byte("Rev").ok_or_else(|| wrong("`Rev:` of two hexadecimal digits"))?,
        class_code: u32::from(need("Class")?) << 8 | u32::from(interface),
        header_type: 0,
        subsystem_vendor: number("SVendor").unwrap_or_default(),
        subsystem: number("SDevice").unwrap_or_default(),
    }))
}

/// Header types as functions of these classes have them.
pub(super) fn infer_headers(devices: &mut [Identity]) {
    let first = |device: &Identity| device.address.sibling(0);
    let mut functions = BTreeMap::new();
    for device in devices.iter() {
        *functions.entry(first(device)).or_insert(0) += 1;
    }
    for device in devices {
        let kind = match device.class() {
            0x0604 => 1,
            0x0607 => 2,
            _ => 0,
        };
        let several = functions.get(&first(device)).is_some_and(|count| *count > 1);
        device.header_type = if several { kind | 0x80 } else { kind };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERS: &str = "\
00:1f.2 SATA controller: Intel Corporation 82801IR/IO/IH (rev 02)
00: 86 80 22 29 07 05 10 00 02 01 06 01 00 00 80 00
10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
20: 41 c0 00 00 00 10 a0 fe 00 00 00 00 f4 1a 00 11
30: 00 00 00 00 80 00 00 00 00 00 00 00 0a 01 00 00
40: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff

0001:00:00.0 Bridge in another segment
00: 86 80 22 29 07 05 10 00 02 01 06 01 00 00 80 00
";
    const RECORDS: &str = "\
Slot:\t00:1f.2
Class:\tSATA controller [0106]
Vendor:\tIntel Corporation [8086]
Device:\t82801IR/IO/IH [AHCI mode] [2922]
SVendor:\tRed Hat, Inc. [1af4]
SDevice:\tQEMU Virtual Machine [1100]
Rev:\t02
ProgIf:\t01

Slot:\t00:1f.3
Class:\tSMBus [0c05]
Vendor:\tIntel Corporation [8086]
Device:\t82801I [2930]
";

    #[test]
    fn registers_and_records_tell_the_same_device() {
        let by_registers = read_lspci(REGISTERS).unwrap();
        let by_records = read_lspci(RECORDS).unwrap();
        assert_eq!(by_registers.len(), 1, "the other segment is left out");
        assert_eq!(by_registers[0], by_records[0]);
        assert_eq!(by_records[0].class_code, 0x01_0601);
        assert_eq!(by_records[0].header_type, 0x80, "00:1f.3 is its sibling");
        assert_eq!(by_records[1].subsystem_vendor, 0);
    }

    #[test]
    fn a_device_without_its_registers_is_told_with_its_line() {
        let short: String = REGISTERS
            .lines()
            .take(3)
            .map(|line| format!("{line}\n"))
            .collect();
        let error = read_lspci(&format!("\n{short}")).unwrap_err().to_string();
        assert_eq!(
            error,
            "line 2: expected 64 registers below this device, as `lspci -xxx` prints them"
        );
    }

    #[test]
    fn records_without_numbers_are_told_how_to_get_them() {
        let error = read_lspci(&RECORDS.replace(" [8086]", ""))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "line 1: expected `Vendor:` with its number, as `-nnvmm` prints it"
        );
    }
}
