//! INS and OUTS at a port of ours: which guest memory, how many bytes, and where the registers stand afterwards.
//!
//! Whole pieces of a repeated instruction are carried out at once, up to a bound; the instruction pointer moves when
//! the last round is done, so that an interrupt may come between pieces as it may between rounds. Segment limits are
//! not checked. Source: AMD APM volume 3, INS and OUTS; section 1.2.6 (repeat prefixes).

use super::decode::Mode;
use super::emulate::{Direction, Refusal, Surroundings, advance};
use super::fetch::InstructionBytes;
use super::general::{decode, length, value_of};
use super::registers::{RCX, RDI, RSI, Register, Registers, Width};
use super::string::{FLAG_DIRECTION, address_width};
use iced_x86::{Instruction, Mnemonic};

/// Bytes carried out by one call at most: a sector.
pub const PIECE: usize = 512;

/// A piece of an INS or OUTS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortString {
    /// [`Direction::Write`] for OUTS.
    direction: Direction,
    width: Width,
    address_width: Width,
    /// The linear address of the first round's operand.
    linear: u64,
    rounds: u64,
    /// Rounds left when these are done, where the instruction is repeated.
    left: Option<u64>,
    length: u8,
}

impl PortString {
    /// What the instruction in `bytes`, INS or OUTS, does next: no bytes where a repeated one has no round left.
    ///
    /// # Errors
    /// [`Refusal::Undecodable`] if it is neither.
    pub fn next<S: Surroundings>(
        registers: &Registers,
        mode: Mode,
        bytes: &InstructionBytes,
        surroundings: &S,
    ) -> Result<Self, Refusal> {
        let instruction = decode(mode, bytes, registers.rip)?;
        let (direction, width) = operation(&instruction).ok_or(Refusal::Undecodable)?;
        let address_width = (0..2)
            .find_map(|operand| address_width(instruction.op_kind(operand)))
            .ok_or(Refusal::Undecodable)?;
        let repeated = instruction.has_rep_prefix() || instruction.has_repne_prefix();
        let wanted = if repeated {
            registers.read(RCX, address_width)
        } else {
            1
        };
        let backwards = registers.rflags & FLAG_DIRECTION != 0;
        let most = if backwards {
            1
        } else {
            PIECE as u64 / u64::from(width.bytes())
        };
        let segment = match direction {
            Direction::Read => iced_x86::Register::ES,
            Direction::Write => instruction.memory_segment(),
        };
        let base = value_of(segment, registers, surroundings).ok_or(Refusal::Undecodable)?;
        let first = registers.read(pointer(direction), address_width);
        // The address wraps in its width: the piece ends where it would.
        let until_wrap = (address_width.mask() - first) / u64::from(width.bytes());
        let rounds = wanted.min(most).min(until_wrap.saturating_add(1));
        Ok(Self {
            direction,
            width,
            address_width,
            linear: base.wrapping_add(first),
            rounds,
            left: repeated.then(|| wanted - rounds),
            length: length(&instruction)?,
        })
    }

    /// Which way: [`Direction::Read`] from the port.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The linear address of the bytes, ascending.
    #[must_use]
    pub const fn linear(&self) -> u64 {
        self.linear
    }

    /// Bytes a round, as the port sees them: one, two or four.
    #[must_use]
    pub const fn width(&self) -> Width {
        self.width
    }

    /// Bytes, at most [`PIECE`]; none where no round is left.
    #[must_use]
    pub fn bytes(&self) -> usize {
        usize::try_from(self.rounds).unwrap_or(0) * usize::from(self.width.bytes())
    }

    /// The registers after this piece.
    pub fn finish(&self, registers: &mut Registers, mode: Mode) {
        let pointer = pointer(self.direction);
        let size = self.rounds.wrapping_mul(u64::from(self.width.bytes()));
        let before = registers.read(pointer, self.address_width);
        let after = if registers.rflags & FLAG_DIRECTION == 0 {
            before.wrapping_add(size)
        } else {
            before.wrapping_sub(size)
        };
        if self.rounds != 0 {
            registers.write(pointer, self.address_width, after);
        }
        if let Some(left) = self.left.filter(|_| self.rounds != 0) {
            registers.write(RCX, self.address_width, left);
        }
        if self.left.unwrap_or(0) == 0 {
            advance(registers, mode, self.length);
        }
    }
}

fn operation(instruction: &Instruction) -> Option<(Direction, Width)> {
    Some(match instruction.mnemonic() {
        Mnemonic::Insb => (Direction::Read, Width::One),
        Mnemonic::Insw => (Direction::Read, Width::Two),
        Mnemonic::Insd => (Direction::Read, Width::Four),
        Mnemonic::Outsb => (Direction::Write, Width::One),
        Mnemonic::Outsw => (Direction::Write, Width::Two),
        Mnemonic::Outsd => (Direction::Write, Width::Four),
        _ => return None,
    })
}

const fn pointer(direction: Direction) -> Register {
    match direction {
        Direction::Read => RDI,
        Direction::Write => RSI,
    }
}

#[cfg(test)]
mod tests {
    use super::super::emulate::Segment;
    use super::*;

    struct Bases;

    impl Surroundings for Bases {
        fn segment_base(&self, segment: Segment) -> u64 {
            match segment {
                Segment::Es => 0x1_0000,
                Segment::Fs => 0x5_0000,
                _ => 0x2_0000,
            }
        }

        fn read(&self, _: u64, _: &mut [u8]) -> Result<(), Refusal> {
            Err(Refusal::Undecodable)
        }

        fn write(&self, _: u64, _: &[u8]) -> Result<(), Refusal> {
            Err(Refusal::Undecodable)
        }
    }

    fn registers(count: u64, pointer: u64) -> Registers {
        let mut registers = Registers::default();
        registers.general[1] = count;
        registers.general[6] = pointer;
        registers.general[7] = pointer;
        registers
    }

    #[test]
    fn a_repeated_input_fills_a_sector_and_moves_on() {
        let mut state = registers(0x1_0000_0100, 0xffff_8000_0000_1000);
        let insw = InstructionBytes::new(&[0xf3, 0x66, 0x6d]);
        let piece = PortString::next(&state, Mode::Bits64, &insw, &Bases).unwrap();
        assert_eq!(
            (piece.bytes(), piece.linear()),
            (512, 0xffff_8000_0000_1000 + 0x1_0000)
        );
        piece.finish(&mut state, Mode::Bits64);
        assert_eq!(state.general[1], 0x1_0000_0000);
        assert_eq!(state.general[7], 0xffff_8000_0000_1200);
        assert_eq!(state.rip, 0, "rounds are left");
        state.general[1] = 1;
        let last = PortString::next(&state, Mode::Bits64, &insw, &Bases).unwrap();
        last.finish(&mut state, Mode::Bits64);
        assert_eq!((last.bytes(), state.general[1], state.rip), (2, 0, 3));
    }

    #[test]
    fn no_round_moves_behind_and_touches_nothing() {
        let mut state = registers(0, 0x1000);
        let insd = InstructionBytes::new(&[0xf3, 0x6d]);
        let none = PortString::next(&state, Mode::Bits64, &insd, &Bases).unwrap();
        none.finish(&mut state, Mode::Bits64);
        assert_eq!((none.bytes(), state.general[7], state.rip), (0, 0x1000, 2));
    }

    #[test]
    fn output_takes_its_segment_override_and_goes_backwards_a_round_at_a_time() {
        let mut state = registers(5, 0x1000);
        state.rflags = FLAG_DIRECTION;
        let outsd = InstructionBytes::new(&[0xf3, 0x64, 0x6f]);
        let piece = PortString::next(&state, Mode::Bits64, &outsd, &Bases).unwrap();
        assert_eq!(piece.direction(), Direction::Write);
        assert_eq!((piece.bytes(), piece.linear()), (4, 0x5_1000));
        piece.finish(&mut state, Mode::Bits64);
        assert_eq!((state.general[1], state.general[6]), (4, 0xffc));
    }

    #[test]
    fn a_pointer_wraps_in_its_width() {
        let mut state = registers(0x9_0004, 0xfffe);
        let insw = InstructionBytes::new(&[0xf3, 0x6d]);
        let piece = PortString::next(&state, Mode::Bits16, &insw, &Bases).unwrap();
        assert_eq!((piece.bytes(), piece.linear()), (2, 0x1_fffe));
        piece.finish(&mut state, Mode::Bits16);
        assert_eq!((state.general[1], state.general[7]), (0x9_0003, 0));
    }

    #[test]
    fn bytes_may_begin_at_address_zero() {
        let insb = InstructionBytes::new(&[0xf3, 0x6c]);
        let piece = PortString::next(&registers(3, 0), Mode::Bits64, &insb, &Bases).unwrap();
        assert_eq!((piece.bytes(), piece.linear()), (3, 0x1_0000));
    }

    #[test]
    fn another_instruction_is_refused() {
        let movs = InstructionBytes::new(&[0xf3, 0xa5]);
        let refused = PortString::next(&registers(1, 0), Mode::Bits64, &movs, &Bases);
        assert_eq!(refused, Err(Refusal::Undecodable));
    }
}
