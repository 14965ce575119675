//! The short decoder for the moves that guests use on device registers.
//!
//! The nested fault has already told the address, so a move needs only its register, widths and length. Whatever
//! is not one of these forms is left to the full decoder in [`super::general`]: `None` here is never an error.
//! The bytes are hostile; they are taken from a shifting window, so no index can leave it.
//!
//! Source: AMD APM volume 3, sections 1.2 (prefixes), 1.4 (ModRM, SIB), 1.5 to 1.6 (displacement and immediate).

use super::fetch::{InstructionBytes, LONGEST_INSTRUCTION};
use super::registers::{RAX, Register, Width};

/// The size of addresses and operands that the code segment implies (CS.L, CS.D).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Real mode, virtual-8086 mode and 16-bit segments.
    Bits16,
    /// 32-bit segments.
    Bits32,
    /// Long mode with CS.L.
    Bits64,
}

impl Mode {
    /// The instruction pointer's bits that count.
    #[inline]
    #[must_use]
    pub const fn pointer_mask(self) -> u64 {
        match self {
            Self::Bits16 => 0xffff,
            Self::Bits32 => 0xffff_ffff,
            Self::Bits64 => u64::MAX,
        }
    }
}

/// A move between a register or an immediate and memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Move {
    pub(super) action: Action,
    /// Width of the access to memory.
    pub(super) width: Width,
    /// Length of the instruction in bytes.
    pub(super) length: u8,
}

/// Which way, and with what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// A register into memory.
    Store(Register),
    /// A constant, sign-extended already, into memory.
    StoreImmediate(u64),
    /// Memory into a register of the same width.
    Load(Register),
    /// Memory, zero-extended, into a wider register.
    LoadZero(Register, Width),
    /// Memory, sign-extended, into a wider register.
    LoadSign(Register, Width),
}

/// What prefixes and mode make of the sizes.
struct Sizes {
    mode: Mode,
    operand_override: bool,
    address_override: bool,
    rex: u8,
}

const REX_W: u8 = 8;

impl Sizes {
    #[inline]
    fn operand(&self) -> Width {
        if self.rex & REX_W != 0 {
            return Width::Eight;
        }
        match (self.mode, self.operand_override) {
            (Mode::Bits16, false) | (Mode::Bits32 | Mode::Bits64, true) => Width::Two,
            _ => Width::Four,
        }
    }

    #[inline]
    fn address(&self) -> Width {
        match (self.mode, self.address_override) {
            (Mode::Bits64, false) => Width::Eight,
            (Mode::Bits64, true) | (Mode::Bits32, false) | (Mode::Bits16, true) => Width::Four,
            (Mode::Bits32, true) | (Mode::Bits16, false) => Width::Two,
        }
    }

    #[inline]
    fn register(&self, modrm: u8, width: Width) -> Register {
        register_operand(modrm, width, self.rex)
    }

    /// Bytes of ModRM, SIB and displacement; `None` where ModRM names a register instead of memory.
    #[inline]
    fn memory_operand(&self, modrm: u8, sib: u8) -> Option<u8> {
        let mode = modrm >> 6;
        let base = modrm & 7;
        if mode == 3 {
            return None;
        }
        if self.address() == Width::Two {
            return Some(match mode {
                0 if base != 6 => 1,
                1 => 2,
                _ => 3,
            });
        }
        let (head, base) = if base == 4 { (2, sib & 7) } else { (1, base) };
        Some(match mode {
            0 if base != 5 => head,
            1 => head + 1,
            _ => head + 4,
        })
    }
}

/// The ModRM register operand.
#[inline(always)]
const fn register_operand(modrm: u8, width: Width, rex: u8) -> Register {
    let number = modrm >> 3 & 7;
    if matches!(width, Width::One) && rex == 0 && number >= 4 {
        return Register::high_byte(number);
    }
    Register::low(number | (rex & 4) << 1)
}

/// The longest that [`quick_move`] takes: REX, opcode, ModRM, SIB, displacement, immediate.
const LONGEST_QUICK: u8 = 12;

/// The move that `bytes` start with, if it is 89, 8B or C7 in 64-bit code with at most a REX prefix: what operating
/// systems use on the local APIC. In the path of every end of interrupt, so it is short before it is general.
#[inline(always)]
pub(super) fn quick_move(bytes: &InstructionBytes) -> Option<Move> {
    if bytes.length() < LONGEST_QUICK {
        return None;
    }
    let mut rest = bytes.head();
    let [first, ..] = rest.to_le_bytes();
    let (mut rex, mut head) = (0, 1);
    if first & 0xf0 == 0x40 {
        (rex, head) = (first, 2);
        rest >>= 8;
    }
    let [opcode, modrm, sib, ..] = rest.to_le_bytes();
    let mut length = head
        + match OPERAND_LENGTHS.get(usize::from(modrm)).copied()? {
            0 => return None,
            SIB_DECIDES if sib & 7 == 5 => 6,
            SIB_DECIDES => 2,
            length => length,
        };
    let width = if rex & REX_W == 0 {
        Width::Four
    } else {
        Width::Eight
    };
    let action = match opcode {
        0x89 => Action::Store(register_operand(modrm, width, rex)),
        0x8b => Action::Load(register_operand(modrm, width, rex)),
        0xc7 if modrm & 0x38 == 0 => {
            let raw = low_half(bytes.window() >> (8 * u32::from(length)));
            length += 4;
            Action::StoreImmediate(Width::Four.sign_extend(raw))
        }
        _ => return None,
    };
    Some(Move {
        action,
        width,
        length,
    })
}

/// In [`OPERAND_LENGTHS`]: two bytes, and four more if the SIB byte's base is 5.
const SIB_DECIDES: u8 = 0xff;

/// Bytes of ModRM, SIB and displacement by ModRM, for 32-bit and 64-bit addresses; zero where it names a register.
static OPERAND_LENGTHS: [u8; 256] = operand_lengths();

const fn operand_lengths() -> [u8; 256] {
    let mut lengths = [0; 256];
    let mut rest: &mut [u8] = &mut lengths;
    let mut modrm = 0_u8;
    while let Some((length, tail)) = rest.split_first_mut() {
        let head = if modrm & 7 == 4 { 2 } else { 1 };
        *length = match (modrm >> 6, modrm & 7) {
            (0, 4) => SIB_DECIDES,
            (0, 5) => 5,
            (0, _) => head,
            (1, _) => head + 1,
            (2, _) => head + 4,
            _ => 0,
        };
        rest = tail;
        modrm = modrm.wrapping_add(1);
    }
    lengths
}

/// The move that `bytes` start with, if it is one of the common forms and complete.
#[inline(never)]
pub(super) fn common_move(mode: Mode, bytes: &InstructionBytes) -> Option<Move> {
    let mut rest = bytes.window();
    let mut sizes = Sizes {
        mode,
        operand_override: false,
        address_override: false,
        rex: 0,
    };
    let mut length: u8 = 0;
    let opcode = loop {
        let byte = low_byte(rest);
        rest >>= 8;
        length += 1;
        match byte {
            0x66 => sizes.operand_override = true,
            0x67 => sizes.address_override = true,
            0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 => {}
            0x40..=0x4f if mode == Mode::Bits64 => {
                // REX counts only right before the opcode; followed by another prefix it is the slow path's.
                sizes.rex = byte;
                let opcode = low_byte(rest);
                rest >>= 8;
                length += 1;
                break opcode;
            }
            opcode => break opcode,
        }
        if usize::from(length) >= LONGEST_INSTRUCTION {
            return None;
        }
    };
    let (action, width, operand_length) = match opcode {
        0x88..=0x8b | 0xc6 | 0xc7 => one_byte_form(opcode, &sizes, rest)?,
        0xa0..=0xa3 => offset_form(opcode, &sizes),
        0x0f => {
            length += 1;
            extending_form(low_byte(rest), &sizes, rest >> 8)?
        }
        _ => return None,
    };
    let length = length + operand_length;
    (length <= bytes.length()).then_some(Move {
        action,
        width,
        length,
    })
}

/// 88, 89, 8A, 8B, C6 /0, C7 /0; `rest` starts at ModRM.
#[inline]
fn one_byte_form(opcode: u8, sizes: &Sizes, rest: u128) -> Option<(Action, Width, u8)> {
    let modrm = low_byte(rest);
    let operand_length = sizes.memory_operand(modrm, low_byte(rest >> 8))?;
    let width = if opcode & 1 == 0 {
        Width::One
    } else {
        sizes.operand()
    };
    let action = match opcode {
        0x88 | 0x89 => Action::Store(sizes.register(modrm, width)),
        0x8a | 0x8b => Action::Load(sizes.register(modrm, width)),
        _ if modrm & 0x38 == 0 => {
            let bytes = width.bytes().min(4);
            let raw = low_half(rest >> (8 * u32::from(operand_length)));
            let value = Width::from_bytes(usize::from(bytes))?.sign_extend(raw);
            return Some((Action::StoreImmediate(value), width, operand_length + bytes));
        }
        _ => return None,
    };
    Some((action, width, operand_length))
}

/// A0 to A3: the accumulator and an address in the instruction.
#[inline]
fn offset_form(opcode: u8, sizes: &Sizes) -> (Action, Width, u8) {
    let width = if opcode & 1 == 0 {
        Width::One
    } else {
        sizes.operand()
    };
    let action = if opcode & 2 == 0 {
        Action::Load(RAX)
    } else {
        Action::Store(RAX)
    };
    (action, width, sizes.address().bytes())
}

/// 0F B6, B7, BE, BF; `rest` starts at ModRM.
#[inline]
fn extending_form(opcode: u8, sizes: &Sizes, rest: u128) -> Option<(Action, Width, u8)> {
    let modrm = low_byte(rest);
    let operand_length = sizes.memory_operand(modrm, low_byte(rest >> 8))?;
    let result = sizes.operand();
    let register = sizes.register(modrm, result);
    let width = if opcode & 1 == 0 { Width::One } else { Width::Two };
    let action = match opcode {
        0xb6 | 0xb7 => Action::LoadZero(register, result),
        0xbe | 0xbf => Action::LoadSign(register, result),
        _ => return None,
    };
    Some((action, width, operand_length))
}

#[inline]
const fn low_byte(window: u128) -> u8 {
    window.to_le_bytes()[0]
}

#[inline]
fn low_half(window: u128) -> u64 {
    u64::try_from(window & u128::from(u64::MAX)).unwrap_or(0)
}
