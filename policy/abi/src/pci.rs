//! What a PCI function is: its place and the identity that selection strings match on.
//!
//! Source: PCI Local Bus Specification 3.0, section 6.2 (configuration space organisation).

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Bus, device and function of one PCI function in segment 0.
///
/// Displayed as the selection strings spell it: `02x:02x.%u`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Address {
    bus: u8,
    /// Device in bits 7..3, function in bits 2..0, as in a configuration address.
    devfn: u8,
}

impl Address {
    /// The function at `bus:device.function`; `None` if device exceeds 31 or function exceeds 7.
    #[must_use]
    pub const fn new(bus: u8, device: u8, function: u8) -> Option<Self> {
        if device > 31 || function > 7 {
            return None;
        }
        Some(Self {
            bus,
            devfn: device << 3 | function,
        })
    }

    /// The function whose device and function numbers are packed in `devfn` (device in bits 7..3).
    #[must_use]
    pub const fn from_devfn(bus: u8, devfn: u8) -> Self {
        Self { bus, devfn }
    }

    /// Bus number.
    #[must_use]
    pub const fn bus(self) -> u8 {
        self.bus
    }

    /// Device number, 0 to 31.
    #[must_use]
    pub const fn device(self) -> u8 {
        self.devfn >> 3
    }

    /// Function number, 0 to 7.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.devfn & 7
    }

    /// Device and function packed as in a configuration address.
    #[must_use]
    pub const fn devfn(self) -> u8 {
        self.devfn
    }

    /// The same device's function `function` (only its low three bits count).
    #[must_use]
    pub const fn sibling(self, function: u8) -> Self {
        Self {
            bus: self.bus,
            devfn: self.devfn & !7 | function & 7,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}:{:02x}.{}", self.bus, self.device(), self.function())
    }
}

/// A text is no `02x:02x.%u` of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a slot such as 00:1f.2 (bus, device up to 1f, function up to 7)")
    }
}

impl core::error::Error for NoAddress {}

impl FromStr for Address {
    type Err = NoAddress;

    /// Reads what `Display` writes; digits may be in upper case.
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let number = |digits: &str, length: usize| {
            let plain = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        };
        let parts = || {
            let (bus, place) = text.split_once(':')?;
            let (device, function) = place.split_once('.')?;
            Self::new(number(bus, 2)?, number(device, 2)?, number(function, 1)?)
        };
        parts().ok_or(NoAddress)
    }
}

/// The identity registers of one function, as they read when it was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Where it was found.
    pub address: Address,
    /// Vendor ID, offset 0x00.
    pub vendor: u16,
    /// Device ID, offset 0x02.
    pub device: u16,
    /// Revision ID, offset 0x08.
    pub revision: u8,
    /// The 24-bit class code at offset 0x09: base class, sub-class, programming interface.
    pub class_code: u32,
    /// Header type, offset 0x0e, with the multi-function bit (0x80).
    pub header_type: u8,
    /// Subsystem vendor ID, offset 0x2c (type 0 headers; zero otherwise).
    pub subsystem_vendor: u16,
    /// Subsystem ID, offset 0x2e (type 0 headers; zero otherwise).
    pub subsystem: u16,
}

impl Identity {
    /// Vendor and device ID as they read together at offset 0x00.
    #[inline]
    #[must_use]
    pub const fn id(&self) -> u32 {
        (self.device as u32) << 16 | self.vendor as u32
    }

    /// Base class and sub-class: what `class=%04x` matches.
    #[must_use]
    pub const fn class(&self) -> u16 {
        (self.class_code >> 8 & 0xffff) as u16
    }

    /// Programming interface: what `if=%02x` matches.
    #[must_use]
    pub const fn programming_interface(&self) -> u8 {
        (self.class_code & 0xff) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_address_is_spelt_as_in_selection_strings() {
        assert_eq!(Address::new(0xa5, 0x1f, 7).unwrap().to_string(), "a5:1f.7");
        assert_eq!("a5:1F.7".parse(), Ok(Address::new(0xa5, 0x1f, 7).unwrap()));
        for wrong in ["a5:20.0", "a5:1f.8", "0000:a5:1f.7", "a5:1f", "+5:1f.7", ""] {
            assert_eq!(wrong.parse::<Address>(), Err(NoAddress), "{wrong}");
        }
        assert_eq!(Address::new(0, 32, 0), None);
        assert_eq!(Address::new(0, 0, 8), None);
        assert_eq!(Address::from_devfn(3, 0xfa).sibling(0).to_string(), "03:1f.0");
    }
}
