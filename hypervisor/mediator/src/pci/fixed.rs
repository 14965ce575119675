//! Registers of chipsets that say where memory, configuration space and I/O ports lie: not the guest's to write. Ports that
//! are moved over those of a mediated controller would answer in its place.
//!
//! They are outside the standard header and mean what they mean on these functions only, so each is listed with
//! its source. A function that is not listed keeps all its registers writable: SECURITY.md names those known.

use super::access::Width;
use super::spec::{CLASS_HOST_BRIDGE, CLASS_ISA_BRIDGE, CLASS_OTHER_BRIDGE};
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

/// Power management of PIIX4: PMBA 40-43h, 64 ports; SMBBA 90-93h, 16 ports (datasheet 290562, section 7.1).
const PIIX4_PORTS: &[RangeInclusive<u16>] = &[0x40..=0x43, 0x90..=0x93];

static KNOWN: [Known; 5] = [
    // Intel host bridges, the 4 Series (datasheet 319970, section 5.1) and QEMU's q35 after it / the Core since the
    // 2nd generation (datasheet 324642, section 2.5; still so for the 12th, 767626):
    //   40-4Fh EPBAR, MCHBAR; 50-53h GGC (q35: size of TSEG): memory taken for graphics
    //   60-6Fh PCIEXBAR, the window that the machine traps, and DMIBAR; 70-7Fh - / MESEG
    //   87h - / LAC; 97h LAC / -: the hole below 16 MiB
    //   98-9Fh REMAPBASE, REMAPLIMIT, SMRAM, ESMRAMC (on, TSEG hides memory) / REMAPLIMIT
    //   A0-BFh TOM, TOUUD, graphics' memory, TSEGMB, TOLUD
    // Left are PAM, 80-86h or 90-96h: they shadow firmware below 1 MiB, where nothing of ours is, and legacy firmware
    // sets them. Where REMAPBASE has the latter place, firmware locks it. OVMF is done with the fixed ones before it
    // starts a boot entry; Linux would turn graphics' VGA decoding off in GGC and MCHBAR on, and meets locked ones
    // elsewhere.
    Known {
        address: Address::from_devfn(0, 0x00),
        vendor: INTEL,
        class: CLASS_HOST_BRIDGE,
        registers: &[0x40..=0x53, 0x60..=0x7f, 0x87..=0x87, 0x97..=0xbf],
    },
    // Intel south bridges: RCBA F0-F3h places 16 KiB of registers (ICH9 datasheet 316972, section 13.1). QEMU lays
    // them over memory; they are storage for the most part, so they would replace a page by what the guest wrote.
    // LGMR 98-9Bh leads 64 KiB to the LPC bus (6 Series Chipset datasheet 324645, section 13.1; reserved before).
    // Ports: 40-43h PMBASE, 48-4Bh GPIOBASE, 84-93h generic decoding to the LPC bus.
    Known {
        address: Address::from_devfn(0, 0x1f << 3),
        vendor: INTEL,
        class: CLASS_ISA_BRIDGE,
        registers: &[0x40..=0x43, 0x48..=0x4b, 0x84..=0x93, 0x98..=0x9b, 0xf0..=0xf3],
    },
    // PIIX4, where QEMU's pc machine has it, and where boards had it.
    Known {
        address: Address::from_devfn(0, 0x01 << 3 | 3),
        vendor: INTEL,
        class: CLASS_OTHER_BRIDGE,
        registers: PIIX4_PORTS,
    },
    Known {
        address: Address::from_devfn(0, 0x07 << 3 | 3),
        vendor: INTEL,
        class: CLASS_OTHER_BRIDGE,
        registers: PIIX4_PORTS,
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
