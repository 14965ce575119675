//! The boot log's line for one function: `[00:1F.2] 010601: 8086:2922 (ahci) ahci by laptop.toml:11 system-disk`.

use super::function::Function;
use core::fmt;
use sekisho_abi::origin::Origins;
use sekisho_abi::selection::Driver;

/// Place, class code, vendor and device, the drivers whose default pattern fits, the driver that took it, and the
/// policy's line that said so.
pub struct Listing<'f> {
    function: &'f Function,
    origins: &'f Origins,
}

impl<'f> Listing<'f> {
    /// The line of `function`, which was decided by the selection with these origins.
    #[must_use]
    pub const fn new(function: &'f Function, origins: &'f Origins) -> Self {
        Self { function, origins }
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = self.function.identity();
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
        let Some(taken) = self.function.taken() else {
            return Ok(());
        };
        write!(f, " {}", taken.driver.name())?;
        match self.origins.of(taken.entry) {
            Some(place) => write!(f, " by {place}"),
            None => Ok(()),
        }
    }
}
