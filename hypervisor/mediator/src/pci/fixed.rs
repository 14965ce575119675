//! Registers of chipsets that say where memory and configuration space lie: not the guest's to write.
//!
//! They are outside the standard header and mean what they mean on these functions only, so each is listed with
//! its source. A function that is not listed keeps all its registers writable: SECURITY.md names those known.

use super::access::Width;
use super::spec::{CLASS_HOST_BRIDGE, CLASS_ISA_BRIDGE};
use core::ops::RangeInclusive;
use sekisho_abi::pci::{Address, Identity};

/// The registers of one function whose writes vanish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FixedRegisters(&'static [RangeInclusive<u16>]);

/// A function that has such registers.
struct Known {
    address: Address,
    vendor: u16,
    class: u16,
    registers: &'static [RangeInclusive<u16>],
}

const INTEL: u16 = 0x8086;
const AMD: u16 = 0x1022;

static KNOWN: [Known; 3] = [
    // Intel host bridges since the 915: PCIEXBAR 60-67h places the configuration window that the machine traps,
    // DMIBAR 68-6Fh the window of the link to the south bridge (Intel 4 Series Chipset Family datasheet 319970,
    // sections 5.1.16 and 5.1.17; still so in the 12th Generation Core datasheet 767626).
    Known {
        address: Address::from_devfn(0, 0x00),
        vendor: INTEL,
        class: CLASS_HOST_BRIDGE,
        registers: &[0x60..=0x6f],
    },
    // Intel south bridges: RCBA F0-F3h places 16 KiB of registers (ICH9 datasheet 316972, section 13.1). QEMU lays
    // them over memory; they are storage for the most part, so they would replace a page by what the guest wrote.
    // LGMR 98-9Bh leads 64 KiB to the LPC bus (6 Series Chipset datasheet 324645, section 13.1; reserved before).
    Known {
        address: Address::from_devfn(0, 0x1f << 3),
        vendor: INTEL,
        class: CLASS_ISA_BRIDGE,
        registers: &[0x98..=0x9b, 0xf0..=0xf3],
    },
    // AMD families 10h to 16h, function 1 "address map": DRAM and MMIO routing 40-BCh, configuration map E0-ECh,
    // DRAM hole F0h (BKDG for AMD Family 10h Processors 31116, section 3.5).
    Known {
        address: Address::from_devfn(0, 0x18 << 3 | 1),
        vendor: AMD,
        class: CLASS_HOST_BRIDGE,
        registers: &[0x40..=0xff],
    },
];

impl FixedRegisters {
    /// Those of the function with this identity.
    pub(super) fn of(identity: &Identity) -> Option<Self> {
        let found = KNOWN.iter().find(|known| {
            known.address == identity.address
                && known.vendor == identity.vendor
                && known.class == identity.class()
        })?;
        Some(Self(found.registers))
    }

    /// Whether an access touches one of them.
    pub(super) fn touched(self, offset: u16, width: Width) -> bool {
        let last = offset + (width.bytes() - 1);
        self.0
            .iter()
            .any(|registers| offset <= *registers.end() && last >= *registers.start())
    }
}
