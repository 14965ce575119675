//! The guest's way to a NIC's non-volatile memory by hand: it may read, never write.
//!
//! Some NICs are read over four wires that software drives. The bits it clocks in are followed here, and at the first
//! opcode that is not a read the chip is deselected.

/// Wires, in the bits that Intel's NICs have them in (8254x SDM 13.4.3; 8255x Open Source Software Developer Manual 1.3,
/// 6.3.4).
pub(super) const CLOCK: u32 = 1 << 0;
pub(super) const SELECT: u32 = 1 << 1;
pub(super) const DATA_IN: u32 = 1 << 2;
pub(super) const DATA_OUT: u32 = 1 << 3;
const WIRES: u32 = CLOCK | SELECT | DATA_IN;

/// What is on the wires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chip {
    /// Start bit and two bits of opcode; selected by one.
    Microwire,
    /// Eight bits of opcode; selected by zero.
    Serial,
}

/// Opcodes that change nothing. Microwire: start bit and READ. Serial: RDSR, READ, and READ of the upper half.
pub(super) const MICROWIRE_BITS: u32 = 3;
pub(super) const MICROWIRE_READ: u32 = 0b110;
const SERIAL_BITS: u32 = 8;
const SERIAL_READS: [u32; 3] = [0x05, 0x03, 0x0b];

/// What has been clocked into the chip since it was selected.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Wires {
    before: u32,
    bits: u32,
    opcode: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Opcode,
    Reading,
    Refused,
}

/// An opcode that is not a read. The chip is to be deselected by writing [`Wires::deselected`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotARead(pub(super) u32);

impl Wires {
    /// What of a write to the wires the hardware gets.
    ///
    /// # Errors
    /// The refused opcode, once.
    pub(super) fn write(&mut self, value: u32, chip: Chip) -> Result<u32, NotARead> {
        let changed = value ^ self.before;
        self.before = value;
        if changed & SELECT != 0 {
            (self.bits, self.opcode, self.state) = (0, 0, State::Opcode);
        }
        if changed & value & CLOCK != 0 && self.state == State::Opcode {
            self.clock(value & DATA_IN, chip)?;
        }
        Ok(match self.state {
            State::Refused => Self::deselected(chip),
            State::Opcode | State::Reading => value & WIRES,
        })
    }

    /// No chip is selected.
    pub(super) const fn deselected(chip: Chip) -> u32 {
        match chip {
            Chip::Microwire => 0,
            Chip::Serial => SELECT,
        }
    }

    /// One bit is clocked in.
    fn clock(&mut self, data: u32, chip: Chip) -> Result<(), NotARead> {
        // Zeros before a Microwire command are none of it.
        if chip == Chip::Microwire && self.bits == 0 && data == 0 {
            return Ok(());
        }
        self.bits += 1;
        self.opcode = self.opcode << 1 | u32::from(data != 0);
        let (length, is_read) = match chip {
            Chip::Microwire => (MICROWIRE_BITS, self.opcode == MICROWIRE_READ),
            Chip::Serial => (SERIAL_BITS, SERIAL_READS.contains(&self.opcode)),
        };
        if self.bits < length {
            return Ok(());
        }
        if is_read {
            self.state = State::Reading;
            return Ok(());
        }
        self.state = State::Refused;
        Err(NotARead(self.opcode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Selects the chip and clocks bits in; what the chip saw selected of them.
    fn clock(chip: Chip, bits: &[u32]) -> (usize, Option<NotARead>) {
        let mut wires = Wires::default();
        let none = Wires::deselected(chip);
        let select = none ^ SELECT;
        let (mut refused, mut seen) = (None, 0);
        assert_eq!(wires.write(none, chip), Ok(none));
        assert_eq!(wires.write(select, chip), Ok(select));
        for bit in bits {
            let data = if *bit == 0 { 0 } else { DATA_IN };
            for clock in [0, CLOCK] {
                match wires.write(select | data | clock, chip) {
                    Ok(value) if value & CLOCK != 0 && value & SELECT == select => seen += 1,
                    Ok(_) => {}
                    Err(why) => refused = Some(why),
                }
            }
        }
        (seen, refused)
    }

    #[test]
    fn a_read_reaches_the_chip_whole() {
        assert_eq!(
            clock(Chip::Microwire, &[0, 1, 1, 0, 0, 0, 0, 0, 1, 1]),
            (10, None)
        );
        assert_eq!(clock(Chip::Serial, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 0]), (10, None));
    }

    #[test]
    fn any_other_opcode_never_gets_whole_to_the_chip() {
        for (opcode, bits) in [(0b101, [1, 0, 1]), (0b111, [1, 1, 1]), (0b100, [1, 0, 0])] {
            let [first, second, third] = bits;
            let command = [first, second, third, 1, 1, 1, 1, 1, 1];
            assert_eq!(clock(Chip::Microwire, &command), (2, Some(NotARead(opcode))));
        }
        let enable = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0];
        assert_eq!(clock(Chip::Serial, &enable), (7, Some(NotARead(0x06))));
    }
}
