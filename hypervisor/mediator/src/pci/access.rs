//! One configuration access: its width, its lanes, and the hardware that answers it.

use sekisho_abi::pci::Address;

/// How many bytes one access covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Word,
    /// Four bytes.
    Dword,
}

/// The real configuration space of segment 0, as the machine reaches it.
///
/// Offsets are below 4096 and aligned to the width; values sit in the low bits, the rest is zero. Where only the
/// ports reach the hardware, an offset of 256 or more reads all ones and its writes vanish.
pub trait ConfigSpace {
    /// Reads a register of the function at `address`; all ones where nothing answers.
    fn read(&mut self, address: Address, offset: u16, width: Width) -> u32;
    /// Writes a register of the function at `address`.
    fn write(&mut self, address: Address, offset: u16, width: Width, value: u32);
}

impl Width {
    /// The width of `bytes` bytes; `None` unless 1, 2 or 4.
    #[must_use]
    pub const fn from_bytes(bytes: u8) -> Option<Self> {
        match bytes {
            1 => Some(Self::Byte),
            2 => Some(Self::Word),
            4 => Some(Self::Dword),
            _ => None,
        }
    }

    /// Bytes covered.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::Byte => 1,
            Self::Word => 2,
            Self::Dword => 4,
        }
    }

    /// All ones in this width: what an access nobody answers reads.
    #[must_use]
    pub const fn ones(self) -> u32 {
        match self {
            Self::Byte => 0xff,
            Self::Word => 0xffff,
            Self::Dword => 0xffff_ffff,
        }
    }

    /// Whether an access at `offset` is one the bus can carry: naturally aligned and inside the 4 KiB space.
    #[must_use]
    pub(super) const fn fits(self, offset: u16) -> bool {
        offset < super::spec::SPACE_SIZE && offset & (self.bytes() - 1) == 0
    }

    /// The part of the double word `dword` that an access of this width at `offset` sees.
    #[must_use]
    pub(super) const fn extract(self, dword: u32, offset: u16) -> u32 {
        dword >> shift(offset) & self.ones()
    }

    /// The double word `dword` after `value` is written to its lanes at `offset`.
    #[must_use]
    pub(super) const fn merge(self, dword: u32, offset: u16, value: u32) -> u32 {
        let lanes = self.lanes(offset);
        dword & !lanes | value << shift(offset) & lanes
    }

    /// The bits of the double word around `offset` that an access of this width covers.
    #[must_use]
    pub(super) const fn lanes(self, offset: u16) -> u32 {
        self.ones() << shift(offset)
    }
}

/// The double word that holds `offset`.
#[must_use]
pub(super) const fn dword_of(offset: u16) -> u16 {
    offset & !3
}

const fn shift(offset: u16) -> u32 {
    (offset & 3) as u32 * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_those_of_the_byte_enables() {
        assert_eq!(Width::Byte.extract(0x4433_2211, 0x0a), 0x33);
        assert_eq!(Width::Word.merge(0x4433_2211, 0x02, 0xabcd), 0xabcd_2211);
        assert_eq!(Width::Byte.merge(0, 0x07, 0x1ff), 0xff00_0000);
        assert_eq!(Width::Dword.lanes(0x40), 0xffff_ffff);
    }

    #[test]
    fn an_access_that_crosses_does_not_fit() {
        assert!(!Width::Word.fits(3));
        assert!(!Width::Dword.fits(2));
        assert!(Width::Dword.fits(0xffc));
        assert!(!Width::Byte.fits(0x1000));
    }
}
