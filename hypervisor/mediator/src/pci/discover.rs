//! Finding every function: each bus, device and function number is tried.
//!
//! Brute force rather than following bridges: a function behind a bridge that the firmware left half set up, or
//! on a second root bus that only ACPI knows, must be found as well. It costs 32 reads a bus.

use super::access::{ConfigSpace, Width};
use super::function::{Found, Function, quiet};
use super::spec::{self, VENDOR_ABSENT, VENDOR_NOT_READY};
use super::table::{Functions, TooMany};
use sekisho_abi::pci::{Address, Identity};

/// What a place in configuration space says when asked who is there.
pub(super) enum Answer {
    /// Nobody.
    Absent,
    /// Somebody who says something else each time: on its way out, or lying. It cannot be decided.
    Unsteady,
    /// Somebody who is not ready to say: the whole double word at [`spec::VENDOR`].
    NotReady(u32),
    /// A function.
    Present(Identity),
}

/// Every function on buses 0 to `last_bus`, in ascending order of address, each examined and left as it was. One that
/// cannot say what it is twice in a row is no function, and is stopped.
///
/// # Errors
/// [`TooMany`] if the machine has more than [`super::MAX_FUNCTIONS`].
pub fn discover<C: ConfigSpace>(hardware: &mut C, last_bus: u8) -> Result<Functions, TooMany> {
    let mut functions = Functions::new();
    for bus in 0..=last_bus {
        for device in 0..32_u8 {
            for function in 0..8_u8 {
                let address = Address::from_devfn(bus, device << 3 | function);
                match identify(hardware, address) {
                    Answer::Present(identity) => {
                        functions.put(Function::examine(hardware, identity, Found::AtBoot))?;
                    }
                    Answer::Unsteady => quiet(hardware, address),
                    Answer::Absent | Answer::NotReady(_) => {}
                }
                // Many devices ignore the function number and would answer eight times. Only function 0 says
                // whether others exist.
                let zero = functions.at(address.sibling(0));
                if !zero.is_some_and(Function::is_multi_function) {
                    break;
                }
            }
        }
    }
    Ok(functions)
}

/// Who is at `address`.
pub(super) fn identify<C: ConfigSpace>(hardware: &mut C, address: Address) -> Answer {
    let id = hardware.read(address, spec::VENDOR, Width::Dword);
    let (vendor, device) = halves(id);
    match vendor {
        // Zero is what some empty slots float to; no vendor has it.
        VENDOR_ABSENT | 0 => return Answer::Absent,
        VENDOR_NOT_READY => return Answer::NotReady(id),
        _ => {}
    }
    let class_and_revision = hardware.read(address, spec::REVISION, Width::Dword);
    let [revision, ..] = class_and_revision.to_le_bytes();
    let [header_type, ..] = hardware
        .read(address, spec::HEADER_TYPE, Width::Byte)
        .to_le_bytes();
    let (subsystem_vendor, subsystem) = if header_type & !spec::MULTI_FUNCTION == 0 {
        halves(hardware.read(address, spec::SUBSYSTEM_VENDOR, Width::Dword))
    } else {
        (0, 0)
    };
    // Half of one identity and half of another, or of nobody's, must not be decided.
    let again = hardware.read(address, spec::VENDOR, Width::Dword);
    if again != id || class_and_revision == u32::MAX {
        return Answer::Unsteady;
    }
    Answer::Present(Identity {
        address,
        vendor,
        device,
        revision,
        class_code: class_and_revision >> 8,
        header_type,
        subsystem_vendor,
        subsystem,
    })
}

/// The low and the high word.
pub(super) const fn halves(dword: u32) -> (u16, u16) {
    let [a, b, c, d] = dword.to_le_bytes();
    (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
}
