//! The PCI functions of a running Linux machine, from `/sys/bus/pci/devices`.
//!
//! The first 64 registers are readable by everyone. Where a tree has none (a copy made with `cp` may), the files beside
//! them serve, and the header type is inferred as for `lspci -nnvmm`.

use super::Machine;
use super::lspci::{infer_headers, of_registers};
use sekisho_abi::pci::{Address, Identity};
use std::path::Path;
use std::{fs, io};

/// The machine whose root folder is `root`, named by its `/etc/hostname`, its devices in ascending order of slots.
///
/// # Errors
/// The folder of devices, or a file of one, cannot be read or is not of its form.
pub fn this_machine(root: &Path) -> io::Result<Machine> {
    let folder = root.join("sys/bus/pci/devices");
    let mut devices = Vec::new();
    let mut inferred = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| at(&folder, &error))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Other segments are left out: the hypervisor does not know them.
        let Some(Ok(address)) = name.strip_prefix("0000:").map(str::parse) else {
            continue;
        };
        match fs::read(path.join("config")) {
            Ok(registers) if registers.len() >= 64 => devices.extend(of_registers(address, &registers)),
            _ => inferred.push(of_files(address, &path)?),
        }
    }
    infer_headers(&mut inferred);
    devices.append(&mut inferred);
    devices.sort_by_key(|device| device.address);
    Ok(Machine {
        name: text(root, "etc/hostname"),
        model: make(root),
        devices,
        disks: Vec::new(),
    })
}

fn of_files(address: Address, path: &Path) -> io::Result<Identity> {
    let number = |name: &str| -> io::Result<u32> {
        let path = path.join(name);
        let text = fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
        let digits = text.trim().trim_start_matches("0x");
        u32::from_str_radix(digits, 16).map_err(|error| at(&path, &io::Error::other(error)))
    };
    let word = |name: &str| -> io::Result<u16> {
        u16::try_from(number(name)?).map_err(|error| at(&path.join(name), &io::Error::other(error)))
    };
    Ok(Identity {
        address,
        vendor: word("vendor")?,
        device: word("device")?,
        revision: u8::try_from(number("revision")?).map_err(io::Error::other)?,
        class_code: number("class")? & 0x00ff_ffff,
        header_type: 0,
        subsystem_vendor: word("subsystem_vendor")?,
        subsystem: word("subsystem_device")?,
    })
}

/// What the firmware says who made the machine, and what it is.
fn make(root: &Path) -> Option<String> {
    let vendor = text(root, "sys/class/dmi/id/sys_vendor");
    let product = text(root, "sys/class/dmi/id/product_name");
    let words: Vec<String> = [vendor, product].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A file's text, if it is there and says something.
fn text(root: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(name)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
