//! The general registers of a guest CPU, as instructions name them.
//!
//! The machine fills this from its save area and takes it back after an emulated instruction. The guest owns every
//! value here. Sources: AMD APM volume 1, section 3.1 (zero extension of 32-bit results, the high byte
//! registers); volume 3, section 1.4 (register numbers in ModRM and REX).

/// RAX to R15 in encoding order, the instruction pointer and the flags.
///
/// `repr(C)`: the machine's assembly stores into it by offset.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Registers {
    /// RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
    pub general: [u64; 16],
    /// The instruction pointer.
    pub rip: u64,
    /// The flags.
    pub rflags: u64,
}

/// How many bytes an access moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Width {
    /// 8 bits.
    One = 1,
    /// 16 bits.
    Two = 2,
    /// 32 bits.
    Four = 4,
    /// 64 bits.
    Eight = 8,
}

impl Width {
    /// The width of `bytes` bytes, where a register can have it.
    #[must_use]
    pub const fn from_bytes(bytes: usize) -> Option<Self> {
        Some(match bytes {
            1 => Self::One,
            2 => Self::Two,
            4 => Self::Four,
            8 => Self::Eight,
            _ => return None,
        })
    }

    /// Number of bytes.
    #[inline]
    #[must_use]
    pub const fn bytes(self) -> u8 {
        self as u8
    }

    /// Number of bits.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u32 {
        self as u32 * 8
    }

    /// All ones in the low bits of this width.
    #[inline]
    #[must_use]
    pub const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// The sign bit of this width.
    #[inline]
    #[must_use]
    pub const fn sign(self) -> u64 {
        1 << (self.bits() - 1)
    }

    /// `value` cut to this width and extended by its sign bit to 64 bits.
    #[inline]
    #[must_use]
    pub const fn sign_extend(self, value: u64) -> u64 {
        let sign = self.sign();
        ((value & self.mask()) ^ sign).wrapping_sub(sign)
    }
}

/// One register or a part of one, as an instruction names it: the low bits of a register, or AH, CH, DH, BH.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register {
    number: u8,
    shift: u8,
}

impl Register {
    /// The low bits of the register with this number; only its low four bits count.
    #[inline]
    #[must_use]
    pub const fn low(number: u8) -> Self {
        Self {
            number: number & 15,
            shift: 0,
        }
    }

    /// Bits 15..8 of RAX, RCX, RDX or RBX; only the low two bits of `number` count.
    #[inline]
    #[must_use]
    pub const fn high_byte(number: u8) -> Self {
        Self {
            number: number & 3,
            shift: 8,
        }
    }

    /// The register's number in encoding order.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }
}

/// RAX.
pub const RAX: Register = Register::low(0);
/// RCX.
pub const RCX: Register = Register::low(1);
/// RDX.
pub const RDX: Register = Register::low(2);
/// RBX.
pub const RBX: Register = Register::low(3);
/// RSP.
pub const RSP: Register = Register::low(4);
/// RSI.
pub const RSI: Register = Register::low(6);
/// RDI.
pub const RDI: Register = Register::low(7);

impl Registers {
    /// The low `width` bytes of `register`, zero-extended.
    #[inline]
    #[must_use]
    pub fn read(&self, register: Register, width: Width) -> u64 {
        (self.whole(register.number) >> register.shift) & width.mask()
    }

    /// Writes as instructions do: 8 and 16 bits keep the rest, 32 bits clear the upper half.
    #[inline]
    pub fn write(&mut self, register: Register, width: Width, value: u64) {
        let kept = match width {
            Width::One | Width::Two => !(width.mask() << register.shift),
            Width::Four | Width::Eight => 0,
        };
        if let Some(whole) = self.general.get_mut(usize::from(register.number & 15)) {
            *whole = *whole & kept | (value & width.mask()) << register.shift;
        }
    }

    #[inline]
    fn whole(&self, number: u8) -> u64 {
        self.general.get(usize::from(number & 15)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Registers {
        Registers {
            general: [0x1122_3344_5566_7788; 16],
            ..Registers::default()
        }
    }

    #[test]
    fn a_32_bit_write_clears_the_upper_half() {
        let mut registers = filled();
        registers.write(RBX, Width::Four, 0xffff_ffff_0000_0001);
        assert_eq!(registers.general[3], 1);
    }

    #[test]
    fn narrow_writes_keep_the_rest() {
        let mut registers = filled();
        registers.write(RAX, Width::Two, 0xaaaa_bbbb);
        registers.write(Register::low(12), Width::One, 0xffcc);
        assert_eq!(registers.general[0], 0x1122_3344_5566_bbbb);
        assert_eq!(registers.general[12], 0x1122_3344_5566_77cc);
    }

    #[test]
    fn the_high_byte_registers_are_bits_15_to_8_of_the_first_four() {
        let mut registers = filled();
        assert_eq!(registers.read(Register::high_byte(1), Width::One), 0x77);
        registers.write(Register::high_byte(7), Width::One, 0xee);
        assert_eq!(registers.general[3], 0x1122_3344_5566_ee88);
        assert_eq!(registers.general[7], 0x1122_3344_5566_7788);
    }

    #[test]
    fn sign_extension_starts_at_the_width() {
        assert_eq!(Width::One.sign_extend(0x180), 0xffff_ffff_ffff_ff80);
        assert_eq!(Width::Two.sign_extend(0x7fff), 0x7fff);
        assert_eq!(Width::Eight.sign_extend(u64::MAX), u64::MAX);
    }
}
