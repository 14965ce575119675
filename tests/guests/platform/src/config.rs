//! PCI configuration space by both ways: the ports 0xCF8 and 0xCFC, and the memory window.

use crate::port;

/// The configuration address port.
pub const ADDRESS: u16 = 0xcf8;
/// The configuration data port, four bytes wide.
pub const DATA: u16 = 0xcfc;
/// PCIEXBAR of the Q35 host bridge (00:00.0).
pub const WINDOW_REGISTER: u8 = 0x60;
const ENABLE: u32 = 1 << 31;
/// Vendor and device.
const IDENTITY: u8 = 0;
/// Class code, and revision in the lowest byte.
const CLASS: u8 = 8;

/// One function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Bus number.
    pub bus: u8,
    /// Device in bits 7..3, function in bits 2..0.
    pub devfn: u8,
}

/// The host bridge.
pub const HOST_BRIDGE: Function = Function { bus: 0, devfn: 0 };

impl Function {
    /// Points the address port at a register.
    pub fn select(self, register: u8) {
        let place = u32::from(self.bus) << 16 | u32::from(self.devfn) << 8 | u32::from(register & 0xfc);
        port::write32(ADDRESS, ENABLE | place);
    }

    /// Reads four bytes by the ports.
    #[must_use]
    pub fn read(self, register: u8) -> u32 {
        self.select(register);
        port::read32(DATA)
    }

    /// Writes four bytes by the ports.
    pub fn write(self, register: u8, value: u32) {
        self.select(register);
        port::write32(DATA, value);
    }

    /// Its address in a window that starts at `base`.
    #[must_use]
    pub fn in_window(self, base: u64, register: u16) -> u64 {
        base + (u64::from(self.bus) << 20 | u64::from(self.devfn) << 12 | u64::from(register & 0xfff))
    }

    /// Parses `00:01.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (bus, rest) = text.split_once(':')?;
        let (device, function) = rest.split_once('.')?;
        let device = u8::from_str_radix(device, 16).ok()?;
        Some(Self {
            bus: u8::from_str_radix(bus, 16).ok()?,
            devfn: device << 3 | function.parse::<u8>().ok()? & 7,
        })
    }
}

/// The first function of bus 0 with this class and subclass.
#[must_use]
pub fn find(class: u16) -> Option<Function> {
    (0..=u8::MAX)
        .map(|devfn| Function { bus: 0, devfn })
        .find(|function| {
            function.read(IDENTITY) != u32::MAX && function.read(CLASS) >> 16 == u32::from(class)
        })
}

/// Where the Q35 host bridge puts its configuration window.
#[must_use]
pub fn window() -> u64 {
    let low = HOST_BRIDGE.read(WINDOW_REGISTER);
    let high = HOST_BRIDGE.read(WINDOW_REGISTER + 4);
    u64::from(high) << 32 | u64::from(low & 0xf000_0000)
}
