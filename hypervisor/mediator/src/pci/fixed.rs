//! Registers of host bridges that say where memory and configuration space lie: not the guest's to write.
//!
//! They are outside the standard header and mean what they mean on these bridges only, so each is listed with
//! its source. A bridge that is not listed keeps all its registers writable: SECURITY.md names those known.

use super::access::Width;
use sekisho_abi::pci::{Address, Identity};

/// A run of registers, first and last byte inside, whose writes vanish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FixedRegisters {
    first: u16,
    last: u16,
}

/// A function that has such registers: place, vendor, which registers.
type Known = (Address, u16, FixedRegisters);

const INTEL: u16 = 0x8086;
const AMD: u16 = 0x1022;

const KNOWN: [Known; 2] = [
    // Intel host bridges since the 915: PCIEXBAR 60-67h places the configuration window that the machine traps,
    // DMIBAR 68-6Fh the window of the link to the south bridge (Intel 4 Series Chipset Family datasheet 319970,
    // sections 5.1.16 and 5.1.17; still so in the 12th Generation Core datasheet 767626).
    (
        Address::from_devfn(0, 0x00),
        INTEL,
        FixedRegisters {
            first: 0x60,
            last: 0x6f,
        },
    ),
    // AMD families 10h to 16h, function 1 "address map": DRAM and MMIO routing 40-BCh, configuration map E0-ECh,
    // DRAM hole F0h (BKDG for AMD Family 10h Processors 31116, section 3.5).
    (
        Address::from_devfn(0, 0x18 << 3 | 1),
        AMD,
        FixedRegisters {
            first: 0x40,
            last: 0xff,
        },
    ),
];

impl FixedRegisters {
    /// Those of the function with this identity.
    pub(super) fn of(identity: &Identity) -> Option<Self> {
        if identity.class() != super::spec::CLASS_HOST_BRIDGE {
            return None;
        }
        let (_, _, registers) = KNOWN
            .into_iter()
            .find(|(address, vendor, _)| *address == identity.address && *vendor == identity.vendor)?;
        Some(registers)
    }

    /// Whether an access touches one of them.
    pub(super) const fn touched(self, offset: u16, width: Width) -> bool {
        offset <= self.last && offset + (width.bytes() - 1) >= self.first
    }
}
