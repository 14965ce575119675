//! The boot log's line for one function: `[00:1F.2] 010601: 8086:2922 (ahci) ahci`.

use super::function::Function;
use core::fmt;
use sekisho_abi::selection::Driver;

/// Place, class code, vendor and device, the drivers whose default pattern fits, and the driver that took it.
pub struct Listing<'f>(&'f Function);

impl<'f> Listing<'f> {
    /// The line of `function`.
    #[must_use]
    pub const fn new(function: &'f Function) -> Self {
        Self(function)
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = self.0.identity();
        let address = identity.address;
        write!(
            f,
            "[{:02X}:{:02X}.{}] {:06X}: {:04X}:{:04X} (",
            address.bus(),
            address.device(),
            address.function(),
            identity.class_code,
            identity.vendor,
            identity.device
        )?;
        for (index, driver) in Driver::fitting(identity).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", driver.name())?;
        }
        f.write_str(")")?;
        match self.0.taken() {
            Some(taken) => write!(f, " {}", taken.driver.name()),
            None => Ok(()),
        }
    }
}
