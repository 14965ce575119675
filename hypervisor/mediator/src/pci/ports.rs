//! The old way in: configuration mechanism #1, an address at port 0xCF8 and its data at 0xCFC to 0xCFF.
//!
//! Source: PCI Local Bus Specification 3.0, section 3.2.2.3.2. The guest's address is latched here and never in
//! the hardware, whose own latch belongs to the machine.

use super::access::{ConfigSpace, Width};
use super::mediator::Mediator;
use sekisho_abi::pci::Address;

/// The address port.
pub const CONFIG_ADDRESS: u16 = 0xcf8;
/// The first of four data ports.
pub const CONFIG_DATA: u16 = 0xcfc;
/// Last data port.
const DATA_END: u16 = 0xcff;

/// Bit of the address: the data ports mean configuration space.
const ENABLE: u32 = 1 << 31;

/// The address last written by the guest. One for the machine, as the register is one for all its CPUs.
#[derive(Clone, Debug, Default)]
pub struct ConfigPorts {
    address: u32,
}

/// What a port access came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortRead {
    /// The guest reads this.
    Value(u32),
    /// Not configuration space (the reset control at 0xCF9, say): the machine reads the real port.
    Hardware,
}

/// What a port access came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortWrite {
    /// Done.
    Done,
    /// Not configuration space (the reset control at 0xCF9, say): the machine writes the real port.
    Hardware,
}

/// What a port access is for.
enum Target {
    /// The address register, the only way it can be reached: four bytes at its port.
    Address,
    /// A configuration register, or an access that crosses it, which the mediator refuses.
    Register(Address, u16),
    /// The data ports while the address does not say that they mean configuration space: nobody answers.
    Nobody,
    /// Another port.
    Other,
}

impl ConfigPorts {
    /// The guest reads `width` bytes at `port`, one of 0xCF8 to 0xCFF or reaching into them.
    pub fn read<C: ConfigSpace>(
        &self,
        mediator: &mut Mediator<'_>,
        hardware: &mut C,
        port: u16,
        width: Width,
    ) -> PortRead {
        match self.target(port, width) {
            Target::Address => PortRead::Value(self.address),
            Target::Register(address, offset) => {
                PortRead::Value(mediator.read(hardware, address, offset, width))
            }
            Target::Nobody => PortRead::Value(width.ones()),
            Target::Other => PortRead::Hardware,
        }
    }

    /// The guest writes `width` bytes at `port`, one of 0xCF8 to 0xCFF or reaching into them.
    pub fn write<C: ConfigSpace>(
        &mut self,
        mediator: &mut Mediator<'_>,
        hardware: &mut C,
        port: u16,
        width: Width,
        value: u32,
    ) -> PortWrite {
        match self.target(port, width) {
            Target::Address => self.address = value & !RESERVED,
            Target::Register(address, offset) => mediator.write(hardware, address, offset, width, value),
            Target::Nobody => {}
            Target::Other => return PortWrite::Hardware,
        }
        PortWrite::Done
    }

    fn target(&self, port: u16, width: Width) -> Target {
        let last = port.saturating_add(width.bytes() - 1);
        match (port, width) {
            (CONFIG_ADDRESS, Width::Dword) => Target::Address,
            (CONFIG_DATA..=DATA_END, _) if self.address & ENABLE == 0 => Target::Nobody,
            (CONFIG_DATA..=DATA_END, _) => {
                let (address, register) = decode(self.address);
                Target::Register(address, register | port & 3)
            }
            // Reaching into the data ports, or over the address register, from below: the bus would split this
            // access, and its parts would mean the machine's latch. No software does it.
            _ if last >= CONFIG_DATA || port < CONFIG_ADDRESS && last >= CONFIG_ADDRESS => Target::Nobody,
            // Less than four bytes never reach the address register; the ports belong to the chipset then.
            _ => Target::Other,
        }
    }
}

/// Bits that read zero: 1 and 0 pick the data port, 30 to 28 are nobody's.
const RESERVED: u32 = 0x7000_0003;

/// The function and the double word that an address means.
///
/// Bits 27 to 24 are the upper register number, as AMD's bridges have it when the operating system asks
/// (EnableCf8ExtCfg; BKDG for AMD Family 10h Processors 31116, section 2.11). Others call them reserved and
/// ignore them; here they always count, so that the same address means the same register on every machine, and
/// what it means passes the same mediator. Without a configuration window the hardware answers ones to them.
fn decode(address: u32) -> (Address, u16) {
    let [low, devfn, bus, high] = address.to_le_bytes();
    let register = u16::from_le_bytes([low & 0xfc, high & 0x0f]);
    (Address::from_devfn(bus, devfn), register)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_packs_bus_device_function_and_register() {
        let address = Address::new(2, 5, 1).unwrap();
        assert_eq!(decode(0x8002_2940), (address, 0x40));
        assert_eq!(decode(0x8102_2940), (address, 0x140));
    }
}
