//! The guest's way to the non-volatile memory by hand (EECD): it may read, never write.
//!
//! The 8254x are read over four wires that software drives. The bits it clocks in are followed here, and at the first
//! opcode that is not a read the chip is deselected. Newer members are read by EERD; there the wires are not the guest's.

use super::identity::Family;

/// Wires and their owner (SDM 13.4.3).
const CLOCK: u32 = 1 << 0;
const SELECT: u32 = 1 << 1;
const DATA_IN: u32 = 1 << 2;
/// The guest wants to drive the wires.
const REQUEST: u32 = 1 << 6;
/// The chip is one with eight-bit opcodes (82541, 82547).
const SERIAL: u32 = 1 << 13;
/// Flash writes are disabled (SDM 13.4.3, FWE).
const FLASH_OFF: u32 = 1 << 4;

/// Opcodes that change nothing. Microwire: start bit and READ. Serial: RDSR, READ, and READ of the upper half.
const MICROWIRE_BITS: u32 = 3;
const MICROWIRE_READ: u32 = 0b110;
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
    /// What of a write to EECD the hardware gets, where `hardware` is what it reads.
    ///
    /// # Errors
    /// The refused opcode, once.
    pub(super) fn write(&mut self, value: u32, hardware: u32, family: Family) -> Result<u32, NotARead> {
        if family != Family::Pci {
            return Ok(value & REQUEST | FLASH_OFF);
        }
        let changed = value ^ self.before;
        self.before = value;
        if changed & SELECT != 0 {
            (self.bits, self.opcode, self.state) = (0, 0, State::Opcode);
        }
        if changed & value & CLOCK != 0 && self.state == State::Opcode {
            self.clock(value & DATA_IN, hardware & SERIAL)?;
        }
        Ok(match self.state {
            State::Refused => Self::deselected(value, hardware),
            State::Opcode | State::Reading => value & (CLOCK | SELECT | DATA_IN | REQUEST) | FLASH_OFF,
        })
    }

    /// The guest's request for the wires, and no chip selected.
    pub(super) const fn deselected(value: u32, hardware: u32) -> u32 {
        // A serial chip is selected by zero.
        let select = if hardware & SERIAL == 0 { 0 } else { SELECT };
        value & REQUEST | FLASH_OFF | select
    }

    /// One bit is clocked in.
    fn clock(&mut self, data: u32, serial: u32) -> Result<(), NotARead> {
        // Zeros before a Microwire command are none of it.
        if serial == 0 && self.bits == 0 && data == 0 {
            return Ok(());
        }
        self.bits += 1;
        self.opcode = self.opcode << 1 | u32::from(data != 0);
        let (length, is_read) = if serial == 0 {
            (MICROWIRE_BITS, self.opcode == MICROWIRE_READ)
        } else {
            (SERIAL_BITS, SERIAL_READS.contains(&self.opcode))
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
    fn clock(serial: u32, bits: &[u32]) -> (usize, Option<NotARead>) {
        let mut wires = Wires::default();
        let select = if serial == 0 { SELECT } else { 0 };
        let mut refused = None;
        let mut seen = 0;
        assert!(
            wires
                .write(SELECT ^ select | REQUEST, serial, Family::Pci)
                .is_ok()
        );
        assert!(wires.write(select | REQUEST, serial, Family::Pci).is_ok());
        for bit in bits {
            let data = if *bit == 0 { 0 } else { DATA_IN };
            for clock in [0, CLOCK] {
                match wires.write(select | REQUEST | data | clock, serial, Family::Pci) {
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
        assert_eq!(clock(0, &[0, 1, 1, 0, 0, 0, 0, 0, 1, 1]), (10, None));
        assert_eq!(clock(SERIAL, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 0]), (10, None));
    }

    #[test]
    fn any_other_opcode_never_gets_whole_to_the_chip() {
        for (opcode, bits) in [(0b101, [1, 0, 1]), (0b111, [1, 1, 1]), (0b100, [1, 0, 0])] {
            let [first, second, third] = bits;
            let command = [first, second, third, 1, 1, 1, 1, 1, 1];
            assert_eq!(clock(0, &command), (2, Some(NotARead(opcode))));
        }
        let enable = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0];
        assert_eq!(clock(SERIAL, &enable), (7, Some(NotARead(0x06))));
    }

    #[test]
    fn newer_members_wires_are_not_the_guests() {
        let value = Wires::default().write(u32::MAX, 0, Family::Express);
        assert_eq!(value, Ok(REQUEST | FLASH_OFF));
    }
}
