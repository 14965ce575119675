//! Every instruction form beyond the plain moves, decoded by `iced-x86`.
//!
//! Carries out what can sensibly be done to a device register and refuses the rest: vector and x87 operands,
//! shifts and multiplications, the stack, control transfers, operands that lie in two pages.

use super::arithmetic::{self, BitChange, Operation, combine};
use super::decode::Mode;
use super::emulate::{Device, Fault, Refusal, Segment, Surroundings, advance};
use super::fetch::InstructionBytes;
use super::registers::{RAX, Register, Registers, Width};
use super::string;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};

/// Builds the decoder's tables, which it keeps on the heap: 82 KB, at most 103 KB meanwhile. The machine calls this
/// once, before any guest runs, so that no exit allocates or waits for another CPU that does.
pub fn prepare() {
    let _ = decode(Mode::Bits64, &InstructionBytes::new(&[0x90]), 0);
}

/// Carries out the instruction; see [`super::emulate::emulate`].
#[cold]
#[inline(never)]
pub(super) fn emulate<D: Device, S: Surroundings>(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    fault: Fault,
    device: &mut D,
    surroundings: &S,
) -> Result<(), Refusal> {
    let instruction = decode(mode, bytes, registers.rip)?;
    if let Some(repeated) = string::StringInstruction::new(&instruction) {
        return repeated.emulate(registers, mode, fault, device, surroundings);
    }
    let access = Access::new(&instruction, registers, surroundings)?;
    if !access.starts_at(fault) {
        return Err(Refusal::Undecodable);
    }
    let changed = access.perform(registers, device)?;
    registers.rflags = changed;
    advance(registers, mode, length(&instruction)?);
    Ok(())
}

/// Moves behind any complete instruction with a memory operand that neither transfers control nor uses the stack.
/// Vector and x87 registers keep their values.
#[cold]
pub(super) fn step_over(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
) -> Result<(), Refusal> {
    let instruction = decode(mode, bytes, registers.rip)?;
    let elsewhere = matches!(
        instruction.mnemonic(),
        Mnemonic::Call | Mnemonic::Jmp | Mnemonic::Push | Mnemonic::Pop
    );
    if elsewhere || memory_operand(&instruction).is_none() {
        return Err(Refusal::Undecodable);
    }
    advance(registers, mode, length(&instruction)?);
    Ok(())
}

/// The linear address of the instruction's operand, so that a test can let the fault be there.
#[cfg(test)]
pub(super) fn operand_address<S: Surroundings>(
    registers: &Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    surroundings: &S,
) -> Result<u64, Refusal> {
    let instruction = decode(mode, bytes, registers.rip)?;
    Ok(Access::new(&instruction, registers, surroundings)?.linear)
}

pub(super) fn decode(mode: Mode, bytes: &InstructionBytes, pointer: u64) -> Result<Instruction, Refusal> {
    let bitness = match mode {
        Mode::Bits16 => 16,
        Mode::Bits32 => 32,
        Mode::Bits64 => 64,
    };
    let instruction = Decoder::try_with_ip(bitness, bytes.as_slice(), pointer, DecoderOptions::AMD)
        .map_err(|_| Refusal::Undecodable)?
        .decode();
    if instruction.is_invalid() {
        return Err(Refusal::Undecodable);
    }
    Ok(instruction)
}

pub(super) fn length(instruction: &Instruction) -> Result<u8, Refusal> {
    u8::try_from(instruction.len()).map_err(|_| Refusal::Undecodable)
}

fn memory_operand(instruction: &Instruction) -> Option<u32> {
    (0..instruction.op_count()).find(|operand| instruction.op_kind(*operand) == OpKind::Memory)
}

/// The operand that is not in memory.
#[derive(Clone, Copy)]
enum Other {
    None,
    Register(Register, Width),
    Immediate(u64),
}

/// Which operand of two is the memory one, and so who receives the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Second,
}

/// An instruction with one memory operand that a register holds.
struct Access {
    mnemonic: Mnemonic,
    place: Place,
    width: Width,
    other: Other,
    linear: u64,
}

const PAGE: u64 = 4096;

impl Access {
    fn new<S: Surroundings>(
        instruction: &Instruction,
        registers: &Registers,
        surroundings: &S,
    ) -> Result<Self, Refusal> {
        let operand = memory_operand(instruction).ok_or(Refusal::Undecodable)?;
        let width = Width::from_bytes(instruction.memory_size().size()).ok_or(Refusal::Undecodable)?;
        let (place, other) = match (operand, instruction.op_count()) {
            (0, 1) => (Place::First, Other::None),
            (0, 2) => (Place::First, other_operand(instruction, 1)?),
            (1, 2) => (Place::Second, other_operand(instruction, 0)?),
            _ => return Err(Refusal::Undecodable),
        };
        let linear = instruction
            .virtual_address(operand, 0, |register, _, _| {
                value_of(register, registers, surroundings)
            })
            .ok_or(Refusal::Undecodable)?;
        let mut access = Self {
            mnemonic: instruction.mnemonic(),
            place,
            width,
            other,
            linear,
        };
        access.linear = access.linear.wrapping_add(access.bit_displacement(registers));
        Ok(access)
    }

    /// BT and its kin with a register reach beyond their operand: the bit number is a signed offset.
    fn bit_displacement(&self, registers: &Registers) -> u64 {
        let Other::Register(register, width) = self.other else {
            return 0;
        };
        if bit_change(self.mnemonic).is_none() {
            return 0;
        }
        let offset = width.sign_extend(registers.read(register, width)).cast_signed();
        let unit = offset >> self.width.bits().trailing_zeros();
        unit.wrapping_mul(i64::from(self.width.bytes())).cast_unsigned()
    }

    /// True if the whole operand is what faulted. A second half in the next page would look like another register.
    const fn starts_at(&self, fault: Fault) -> bool {
        let offset = fault.address % PAGE;
        self.linear % PAGE == offset && offset + self.width.bytes() as u64 <= PAGE
    }

    /// Does it, all checks being made before the device is touched, and returns the new flags.
    fn perform<D: Device>(&self, registers: &mut Registers, device: &mut D) -> Result<u64, Refusal> {
        if let Some(flags) = self.moves(registers, device) {
            return Ok(flags);
        }
        if let Some(flags) = self.combines(registers, device) {
            return Ok(flags);
        }
        if let Some(flags) = self.changes_alone(registers, device) {
            return Ok(flags);
        }
        self.exchanges(registers, device).ok_or(Refusal::Undecodable)
    }

    /// MOV, MOVNTI, MOVBE, MOVZX, MOVSX, MOVSXD.
    fn moves<D: Device>(&self, registers: &mut Registers, device: &mut D) -> Option<u64> {
        let width = self.width;
        match (self.mnemonic, self.place) {
            (Mnemonic::Mov | Mnemonic::Movnti, Place::First) => {
                let value = self.value(registers)?;
                device.write(width, value & width.mask());
            }
            (Mnemonic::Movbe, Place::First) => {
                let value = self.value(registers)?;
                device.write(width, swapped(width, value));
            }
            (
                Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsx | Mnemonic::Movsxd | Mnemonic::Movbe,
                Place::Second,
            ) => {
                let (register, result) = self.register()?;
                let value = device.read(width) & width.mask();
                let value = match self.mnemonic {
                    Mnemonic::Movsx | Mnemonic::Movsxd => width.sign_extend(value),
                    Mnemonic::Movbe => swapped(width, value),
                    _ => value,
                };
                registers.write(register, result, value);
            }
            _ => return None,
        }
        Some(registers.rflags)
    }

    /// ADD, ADC, SUB, SBB, AND, OR, XOR, CMP, TEST, either way round.
    fn combines<D: Device>(&self, registers: &mut Registers, device: &mut D) -> Option<u64> {
        let (operation, stores) = binary(self.mnemonic)?;
        let value = self.value(registers)?;
        let present = device.read(self.width);
        let (left, right) = match self.place {
            Place::First => (present, value),
            Place::Second => (value, present),
        };
        let (result, flags) = combine(operation, self.width, left, right, registers.rflags);
        match (stores, self.place, self.register()) {
            (Stores::No, _, _) => {}
            (Stores::Yes, Place::Second, Some((register, width))) => registers.write(register, width, result),
            (Stores::Yes, _, _) => device.write(self.width, result),
        }
        Some(flags)
    }

    /// NOT, NEG, INC, DEC.
    fn changes_alone<D: Device>(&self, registers: &Registers, device: &mut D) -> Option<u64> {
        let (width, flags) = (self.width, registers.rflags);
        let change = match self.mnemonic {
            Mnemonic::Not => |width: Width, value: u64, flags| (!value & width.mask(), flags),
            Mnemonic::Neg => |width, value, flags| combine(Operation::Subtract, width, 0, value, flags),
            Mnemonic::Inc => arithmetic::increment,
            Mnemonic::Dec => arithmetic::decrement,
            _ => return None,
        };
        let (result, flags) = change(width, device.read(width) & width.mask(), flags);
        device.write(width, result);
        Some(flags)
    }

    /// XCHG, XADD, CMPXCHG, BT, BTS, BTR, BTC. The device sees a read and a write; nothing makes them atomic.
    fn exchanges<D: Device>(&self, registers: &mut Registers, device: &mut D) -> Option<u64> {
        let (width, flags) = (self.width, registers.rflags);
        let value = self.value(registers)?;
        if let Some(change) = bit_change(self.mnemonic) {
            let (result, flags) = arithmetic::test_bit(change, width, device.read(width), value, flags);
            if change != BitChange::Keep {
                device.write(width, result);
            }
            return Some(flags);
        }
        if !matches!(self.mnemonic, Mnemonic::Xchg | Mnemonic::Xadd | Mnemonic::Cmpxchg) {
            return None;
        }
        let (register, _) = self.register()?;
        let present = device.read(width) & width.mask();
        match self.mnemonic {
            Mnemonic::Xchg => {
                device.write(width, value);
                registers.write(register, width, present);
                Some(flags)
            }
            Mnemonic::Xadd => {
                let (sum, flags) = combine(Operation::Add, width, present, value, flags);
                device.write(width, sum);
                registers.write(register, width, present);
                Some(flags)
            }
            _ => {
                let expected = registers.read(RAX, width);
                let (difference, flags) = combine(Operation::Subtract, width, expected, present, flags);
                if difference == 0 {
                    device.write(width, value);
                } else {
                    // The CPU writes in both cases (AMD APM volume 3, CMPXCHG).
                    device.write(width, present);
                    registers.write(RAX, width, present);
                }
                Some(flags)
            }
        }
    }

    fn register(&self) -> Option<(Register, Width)> {
        match self.other {
            Other::Register(register, width) => Some((register, width)),
            Other::None | Other::Immediate(_) => None,
        }
    }

    fn value(&self, registers: &Registers) -> Option<u64> {
        match self.other {
            Other::Register(register, width) => Some(registers.read(register, width)),
            Other::Immediate(value) => Some(value),
            Other::None => None,
        }
    }
}

/// Whether an operation's result goes anywhere but into the flags.
#[derive(Clone, Copy)]
enum Stores {
    Yes,
    No,
}

fn binary(mnemonic: Mnemonic) -> Option<(Operation, Stores)> {
    Some(match mnemonic {
        Mnemonic::Add => (Operation::Add, Stores::Yes),
        Mnemonic::Adc => (Operation::AddWithCarry, Stores::Yes),
        Mnemonic::Sub => (Operation::Subtract, Stores::Yes),
        Mnemonic::Sbb => (Operation::SubtractWithBorrow, Stores::Yes),
        Mnemonic::And => (Operation::And, Stores::Yes),
        Mnemonic::Or => (Operation::Or, Stores::Yes),
        Mnemonic::Xor => (Operation::Xor, Stores::Yes),
        Mnemonic::Cmp => (Operation::Subtract, Stores::No),
        Mnemonic::Test => (Operation::And, Stores::No),
        _ => return None,
    })
}

const fn bit_change(mnemonic: Mnemonic) -> Option<BitChange> {
    Some(match mnemonic {
        Mnemonic::Bt => BitChange::Keep,
        Mnemonic::Bts => BitChange::Set,
        Mnemonic::Btr => BitChange::Reset,
        Mnemonic::Btc => BitChange::Complement,
        _ => return None,
    })
}

const fn swapped(width: Width, value: u64) -> u64 {
    value.swap_bytes() >> (64 - width.bits())
}

fn other_operand(instruction: &Instruction, operand: u32) -> Result<Other, Refusal> {
    if instruction.op_kind(operand) == OpKind::Register {
        let (register, width) = general(instruction.op_register(operand)).ok_or(Refusal::Undecodable)?;
        return Ok(Other::Register(register, width));
    }
    instruction
        .try_immediate(operand)
        .map(Other::Immediate)
        .map_err(|_| Refusal::Undecodable)
}

/// What a register that an address is made of holds: segments give their base.
pub(super) fn value_of<S: Surroundings>(
    register: iced_x86::Register,
    registers: &Registers,
    surroundings: &S,
) -> Option<u64> {
    let segment = match register {
        iced_x86::Register::ES => Segment::Es,
        iced_x86::Register::CS => Segment::Cs,
        iced_x86::Register::SS => Segment::Ss,
        iced_x86::Register::DS => Segment::Ds,
        iced_x86::Register::FS => Segment::Fs,
        iced_x86::Register::GS => Segment::Gs,
        _ => {
            let (register, width) = general(register)?;
            return Some(registers.read(register, width));
        }
    };
    Some(surroundings.segment_base(segment))
}

/// The general register that the decoder names.
fn general(named: iced_x86::Register) -> Option<(Register, Width)> {
    use iced_x86::Register as Named;
    let after = |first: Named| u8::try_from(named as usize - first as usize).ok();
    Some(match named {
        _ if (Named::AL..=Named::BL).contains(&named) => (Register::low(after(Named::AL)?), Width::One),
        _ if (Named::AH..=Named::BH).contains(&named) => (Register::high_byte(after(Named::AH)?), Width::One),
        _ if (Named::SPL..=Named::R15L).contains(&named) => {
            (Register::low(4 + after(Named::SPL)?), Width::One)
        }
        _ if (Named::AX..=Named::R15W).contains(&named) => (Register::low(after(Named::AX)?), Width::Two),
        _ if (Named::EAX..=Named::R15D).contains(&named) => (Register::low(after(Named::EAX)?), Width::Four),
        _ if (Named::RAX..=Named::R15).contains(&named) => (Register::low(after(Named::RAX)?), Width::Eight),
        _ => return None,
    })
}
