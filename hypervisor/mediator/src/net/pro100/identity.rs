//! Which members of the family are mediated, and the address that one came with.

use super::spec::EEPROM;
use super::{Ports, units};
use crate::cpu::registers::Width;
use crate::net::eeprom::{CLOCK, DATA_IN, DATA_OUT, MICROWIRE_BITS, MICROWIRE_READ, SELECT};
use crate::net::frame::{ADDRESS_LENGTH, MacAddress};
use crate::net::port::Guest;
use crate::seam::Host;

/// Which NIC, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Intel's device number, of configuration space.
    pub device: u16,
    /// Whether the guest has it too.
    pub guest: Guest,
}

/// 82557 to 82559 and 82550, 82551; 82559ER, 82551IT; and the 82562 of ICH to ICH7. All have the registers of `spec.rs`.
const DEVICES: [u16; 42] = [
    0x1029, 0x1030, 0x1031, 0x1032, 0x1033, 0x1034, 0x1038, 0x1039, 0x103a, 0x103b, 0x103c, 0x103d, 0x103e,
    0x1050, 0x1051, 0x1052, 0x1053, 0x1054, 0x1055, 0x1056, 0x1057, 0x1059, 0x1064, 0x1065, 0x1066, 0x1067,
    0x1068, 0x1069, 0x106a, 0x106b, 0x1091, 0x1092, 0x1093, 0x1094, 0x1095, 0x10fe, 0x1209, 0x1229, 0x2449,
    0x2459, 0x245d, 0x27dc,
];

/// Half a period of the EEPROM's clock, in nanoseconds: 250 kHz at 5 V is the slowest of them (93C46).
const HALF: u64 = 2_000;
/// Address bits of the largest that there is: 256 words.
const LARGEST: u32 = 8;
const WORD_BITS: u32 = 16;

/// Whether a device of Intel's is one of the family.
pub(super) fn is_mediated(device: u16) -> bool {
    DEVICES.contains(&device)
}

/// The address in the first three words of the EEPROM (7.1). `None`: there is none that a NIC could have.
pub(super) fn address<P: Ports, H: Host>(ports: &mut P, host: &H) -> Option<MacAddress> {
    let mut chip = Microwire { ports, host };
    let width = chip.width()?;
    let mut address = [0; ADDRESS_LENGTH];
    let (words, _) = address.as_chunks_mut::<2>();
    for (index, word) in (0..).zip(words) {
        *word = chip.word(index, width).to_le_bytes();
    }
    let address = MacAddress(address);
    (!address.is_group() && address.0 != [0; ADDRESS_LENGTH]).then_some(address)
}

/// The EEPROM on its four wires: a start bit and opcode, an address, then a word out.
struct Microwire<'a, P, H> {
    ports: &'a mut P,
    host: &'a H,
}

impl<P: Ports, H: Host> Microwire<'_, P, H> {
    /// How many bits an address has: behind the last of them the chip answers with a zero.
    fn width(&mut self) -> Option<u32> {
        self.begin();
        let width = (1..=LARGEST).find(|_| self.clock(0) == 0);
        self.drive(0);
        width
    }

    fn word(&mut self, index: u32, width: u32) -> u16 {
        self.begin();
        self.shift(index, width);
        let word = (0..WORD_BITS).fold(0, |word, _| word << 1 | self.clock(0));
        self.drive(0);
        word
    }

    /// Selects the chip and gives it the opcode.
    fn begin(&mut self) {
        self.drive(SELECT);
        self.shift(MICROWIRE_READ, MICROWIRE_BITS);
    }

    /// Clocks in so many bits of `value`, the highest first.
    fn shift(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.clock(value >> bit & 1);
        }
    }

    /// Clocks a bit in; the bit that comes out.
    fn clock(&mut self, bit: u32) -> u16 {
        let wires = SELECT | if bit == 0 { 0 } else { DATA_IN };
        self.drive(wires);
        self.drive(wires | CLOCK);
        u16::from(u32::from(units::byte(self.ports, EEPROM)) & DATA_OUT != 0)
    }

    /// Sets the wires and lets them settle.
    fn drive(&mut self, wires: u32) {
        self.ports.write(EEPROM, Width::One, wires);
        let start = self.host.now();
        while self.host.now().0.saturating_sub(start.0) < HALF {
            core::hint::spin_loop();
        }
    }
}
