//! One round of MOVS, STOS, LODS, CMPS or SCAS with a device register as one operand.
//!
//! A repeated instruction keeps the instruction pointer until its last round, as it does when an interrupt comes
//! between rounds; so each round is an exit of its own and no guest value bounds a loop here. Segment limits are
//! not checked. Source: AMD APM volume 3, section 1.2.6 (repeat prefixes) and the instructions' pages.

use super::arithmetic::{Operation, ZERO, combine};
use super::decode::Mode;
use super::emulate::{Device, Direction, Fault, Refusal, Surroundings, advance};
use super::general::{length, value_of};
use super::registers::{RAX, RCX, RDI, RSI, Register, Registers, Width};
use iced_x86::{Instruction, Mnemonic, OpKind};

pub(super) const FLAG_DIRECTION: u64 = 1 << 10;
const PAGE: u64 = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Move,
    Store,
    Load,
    Compare,
    Scan,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Once,
    /// REP, and REPE where flags are compared.
    WhileEqual,
    WhileUnequal,
}

/// A decoded string instruction.
pub(super) struct StringInstruction<'a> {
    instruction: &'a Instruction,
    kind: Kind,
    repeat: Repeat,
    width: Width,
    address_width: Width,
}

impl<'a> StringInstruction<'a> {
    /// `None` if `instruction` is not one of them.
    pub(super) fn new(instruction: &'a Instruction) -> Option<Self> {
        let kind = match instruction.mnemonic() {
            Mnemonic::Movsb | Mnemonic::Movsw | Mnemonic::Movsd | Mnemonic::Movsq => Kind::Move,
            Mnemonic::Stosb | Mnemonic::Stosw | Mnemonic::Stosd | Mnemonic::Stosq => Kind::Store,
            Mnemonic::Lodsb | Mnemonic::Lodsw | Mnemonic::Lodsd | Mnemonic::Lodsq => Kind::Load,
            Mnemonic::Cmpsb | Mnemonic::Cmpsw | Mnemonic::Cmpsd | Mnemonic::Cmpsq => Kind::Compare,
            Mnemonic::Scasb | Mnemonic::Scasw | Mnemonic::Scasd | Mnemonic::Scasq => Kind::Scan,
            _ => return None,
        };
        // MOVSD and CMPSD are SSE instructions too; those have no such operands.
        let address_width = (0..2).find_map(|operand| address_width(instruction.op_kind(operand)))?;
        let repeat = match (instruction.has_repne_prefix(), instruction.has_rep_prefix()) {
            (true, _) => Repeat::WhileUnequal,
            (false, true) => Repeat::WhileEqual,
            (false, false) => Repeat::Once,
        };
        Some(Self {
            instruction,
            kind,
            repeat,
            width: Width::from_bytes(instruction.memory_size().size())?,
            address_width,
        })
    }

    /// Carries out one round.
    pub(super) fn emulate<D: Device, S: Surroundings>(
        &self,
        registers: &mut Registers,
        mode: Mode,
        fault: Fault,
        device: &mut D,
        surroundings: &S,
    ) -> Result<(), Refusal> {
        let length = length(self.instruction)?;
        let left = registers.read(RCX, self.address_width);
        if self.repeat != Repeat::Once && left == 0 {
            advance(registers, mode, length);
            return Ok(());
        }
        self.round(registers, fault, device, surroundings)?;
        if matches!(self.kind, Kind::Move | Kind::Load | Kind::Compare) {
            self.step(registers, RSI);
        }
        if self.kind != Kind::Load {
            self.step(registers, RDI);
        }
        if self.repeat == Repeat::Once {
            advance(registers, mode, length);
            return Ok(());
        }
        registers.write(RCX, self.address_width, left.wrapping_sub(1));
        if left == 1 || self.flags_end_it(registers) {
            advance(registers, mode, length);
            return Ok(());
        }
        // The instruction pointer stays for the rounds left, and so does RF.
        Ok(())
    }

    fn round<D: Device, S: Surroundings>(
        &self,
        registers: &mut Registers,
        fault: Fault,
        device: &mut D,
        surroundings: &S,
    ) -> Result<(), Refusal> {
        let width = self.width;
        match (self.kind, fault.direction) {
            (Kind::Move, Direction::Write) => {
                self.check(self.destination(registers, surroundings)?, fault)?;
                let value = load(self.source(registers, surroundings)?, width, surroundings)?;
                device.write(width, value);
            }
            (Kind::Move, Direction::Read) => {
                self.check(self.source(registers, surroundings)?, fault)?;
                let target = self.destination(registers, surroundings)?;
                let bytes = device.read(width).to_le_bytes();
                surroundings.write(target, bytes.get(..usize::from(width.bytes())).unwrap_or(&[]))?;
            }
            (Kind::Store, _) => {
                self.check(self.destination(registers, surroundings)?, fault)?;
                device.write(width, registers.read(RAX, width));
            }
            (Kind::Load, _) => {
                self.check(self.source(registers, surroundings)?, fault)?;
                let value = device.read(width);
                registers.write(RAX, width, value);
            }
            (Kind::Scan, _) => {
                self.check(self.destination(registers, surroundings)?, fault)?;
                let accumulator = registers.read(RAX, width);
                self.compare(registers, accumulator, device.read(width));
            }
            (Kind::Compare, _) => self.compare_both(registers, fault, device, surroundings)?,
        }
        Ok(())
    }

    /// The operand that ordinary memory does not answer is the device's.
    fn compare_both<D: Device, S: Surroundings>(
        &self,
        registers: &mut Registers,
        fault: Fault,
        device: &mut D,
        surroundings: &S,
    ) -> Result<(), Refusal> {
        let source = self.source(registers, surroundings)?;
        let destination = self.destination(registers, surroundings)?;
        if self.check(destination, fault).is_ok()
            && let Ok(first) = load(source, self.width, surroundings)
        {
            self.compare(registers, first, device.read(self.width));
            return Ok(());
        }
        self.check(source, fault)?;
        let second = load(destination, self.width, surroundings)?;
        self.compare(registers, device.read(self.width), second);
        Ok(())
    }

    fn compare(&self, registers: &mut Registers, first: u64, second: u64) {
        registers.rflags = combine(Operation::Subtract, self.width, first, second, registers.rflags).1;
    }

    fn flags_end_it(&self, registers: &Registers) -> bool {
        let equal = registers.rflags & ZERO != 0;
        matches!(self.kind, Kind::Compare | Kind::Scan)
            && match self.repeat {
                Repeat::Once => true,
                Repeat::WhileEqual => !equal,
                Repeat::WhileUnequal => equal,
            }
    }

    fn step(&self, registers: &mut Registers, pointer: Register) {
        let size = u64::from(self.width.bytes());
        let before = registers.read(pointer, self.address_width);
        let after = if registers.rflags & FLAG_DIRECTION == 0 {
            before.wrapping_add(size)
        } else {
            before.wrapping_sub(size)
        };
        registers.write(pointer, self.address_width, after);
    }

    /// Refuses an operand that is not wholly where the fault was.
    fn check(&self, linear: u64, fault: Fault) -> Result<(), Refusal> {
        let offset = fault.address % PAGE;
        if linear % PAGE == offset && offset + u64::from(self.width.bytes()) <= PAGE {
            Ok(())
        } else {
            Err(Refusal::Undecodable)
        }
    }

    fn source<S: Surroundings>(&self, registers: &Registers, surroundings: &S) -> Result<u64, Refusal> {
        let segment = self.instruction.memory_segment();
        self.operand(segment, RSI, registers, surroundings)
    }

    fn destination<S: Surroundings>(&self, registers: &Registers, surroundings: &S) -> Result<u64, Refusal> {
        self.operand(iced_x86::Register::ES, RDI, registers, surroundings)
    }

    fn operand<S: Surroundings>(
        &self,
        segment: iced_x86::Register,
        pointer: Register,
        registers: &Registers,
        surroundings: &S,
    ) -> Result<u64, Refusal> {
        let base = value_of(segment, registers, surroundings).ok_or(Refusal::Undecodable)?;
        Ok(base.wrapping_add(registers.read(pointer, self.address_width)))
    }
}

fn load<S: Surroundings>(linear: u64, width: Width, surroundings: &S) -> Result<u64, Refusal> {
    let mut bytes = [0; 8];
    let part = bytes
        .get_mut(..usize::from(width.bytes()))
        .ok_or(Refusal::Undecodable)?;
    surroundings.read(linear, part)?;
    Ok(u64::from_le_bytes(bytes))
}

pub(super) fn address_width(operand: OpKind) -> Option<Width> {
    Some(match operand {
        OpKind::MemorySegSI | OpKind::MemoryESDI => Width::Two,
        OpKind::MemorySegESI | OpKind::MemoryESEDI => Width::Four,
        OpKind::MemorySegRSI | OpKind::MemoryESRDI => Width::Eight,
        _ => return None,
    })
}
