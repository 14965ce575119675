//! The memory-mapped way in: where an address of the configuration window leads.
//!
//! Source: PCI Express Base Specification 3.0, section 7.2.2 (enhanced configuration access mechanism).

use sekisho_abi::pci::Address;

/// Bytes of the window that belong to one bus.
pub const BUS_SIZE: u64 = 1 << 20;

/// The function and the register at `offset` from the window's start (that of bus 0); `None` past bus 255.
///
/// An access of eight bytes is the machine's to split in two, low half first.
#[must_use]
pub fn locate(offset: u64) -> Option<(Address, u16)> {
    let bus = u8::try_from(offset / BUS_SIZE).ok()?;
    let devfn = u8::try_from(offset >> 12 & 0xff).ok()?;
    let register = u16::try_from(offset & 0xfff).ok()?;
    Some((Address::from_devfn(bus, devfn), register))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_packs_bus_device_function_and_register() {
        let address = Address::new(0x3a, 0x1f, 2).unwrap();
        assert_eq!(
            locate(0x3a << 20 | 0x1f << 15 | 2 << 12 | 0x104),
            Some((address, 0x104))
        );
        assert_eq!(locate(256 << 20), None);
        assert_eq!(locate(u64::MAX), None);
    }
}
