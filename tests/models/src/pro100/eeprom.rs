//! The EEPROM: 64 words behind four wires (93C46, in its 16-bit form).

/// Bits of the control register.
const CLOCK: u8 = 1;
const SELECT: u8 = 2;
const DATA_IN: u8 = 4;
const DATA_OUT: u8 = 8;

/// Opcode with its start bit, and address.
const COMMAND_BITS: u32 = 9;
const READ: u32 = 0b110;

/// A chip that holds an address.
#[derive(Clone, Debug)]
pub(super) struct Eeprom {
    address: [u8; 6],
    wires: u8,
    /// Bits clocked in since it was selected, from the start bit on.
    command: u32,
    bits: u32,
    /// What comes out next, highest bit first.
    out: u32,
}

impl Eeprom {
    pub(super) const fn new(address: [u8; 6]) -> Self {
        Self {
            address,
            wires: 0,
            command: 0,
            bits: 0,
            out: u32::MAX,
        }
    }

    /// Software drives the wires.
    pub(super) fn write(&mut self, value: u8) {
        let rises = value & !self.wires & CLOCK != 0;
        if value & SELECT == 0 {
            (self.command, self.bits, self.out) = (0, 0, u32::MAX);
        } else if rises {
            self.clock(u32::from(value & DATA_IN != 0));
        }
        self.wires = value & (CLOCK | SELECT | DATA_IN);
    }

    /// The wires, with what the chip drives; it drives nothing, which reads as one, until it was given a whole command.
    pub(super) const fn read(&self) -> u8 {
        let out = if self.out >> 31 == 0 { 0 } else { DATA_OUT };
        self.wires | out
    }

    fn clock(&mut self, bit: u32) {
        if self.bits == COMMAND_BITS {
            self.out <<= 1;
            return;
        }
        if self.bits == 0 && bit == 0 {
            return;
        }
        self.command = self.command << 1 | bit;
        self.bits += 1;
        if self.bits == COMMAND_BITS && self.command >> 6 == READ {
            let place = 2 * (self.command & 0x3f);
            let word = |at: u32| u32::from(self.address.get(at as usize).copied().unwrap_or(0xff));
            // A zero, then the word.
            self.out = (word(place + 1) << 8 | word(place)) << 15 | 0x7fff;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_gives_a_zero_and_then_the_word() {
        let mut eeprom = Eeprom::new([0x52, 0x54, 0x12, 0x34, 0x56, 0x78]);
        eeprom.write(SELECT);
        let mut out = Vec::new();
        for bit in [1, 1, 0, 0, 0, 0, 0, 0, 1].into_iter().chain([0; 16]) {
            let wires = SELECT | (bit * DATA_IN);
            eeprom.write(wires);
            eeprom.write(wires | CLOCK);
            out.push(eeprom.read() & DATA_OUT != 0);
        }
        assert!(out.iter().take(8).all(|bit| *bit));
        let word = out
            .iter()
            .skip(8)
            .fold(0, |word, bit| word << 1 | u32::from(*bit));
        assert_eq!(word, 0x3412);
    }
}
