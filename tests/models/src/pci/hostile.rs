//! Functions that lie: each wraps a well-behaved configuration space and misbehaves at one address.

use sekisho_abi::pci::Address;
use sekisho_mediator::pci::{ConfigSpace, Width, spec};

/// How a function misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// Every other read says that nobody is there.
    AbsentEveryOtherRead,
    /// Base addresses read zero, whatever was written: they cannot be measured.
    ZeroBars,
    /// The header type is one that does not exist.
    HeaderType(u8),
    /// The double word at the first always reads with the bits of the second.
    Bits(u16, u32),
    /// Every other read of the identity is another function's: vendor in the low word, device in the high one.
    ChangingIdentity(u32),
    /// Every read is the next number of a sequence that this starts.
    Noise(u32),
}

/// A configuration space in which the function at one address lies.
#[derive(Clone, Debug)]
pub struct Hostile<C> {
    inner: C,
    address: Address,
    lie: Lie,
    turn: u32,
}

impl<C> Hostile<C> {
    /// `inner`, but the function at `address` lies.
    pub const fn new(inner: C, address: Address, lie: Lie) -> Self {
        Self {
            inner,
            address,
            lie,
            turn: 0,
        }
    }

    /// What is behind the lie.
    pub const fn inner(&self) -> &C {
        &self.inner
    }

    /// What to say of the double word at `offset`, in truth `honest`.
    fn answer(&mut self, offset: u16, honest: u32) -> u32 {
        let is_odd_turn = self.turn & 1 == 1;
        match self.lie {
            Lie::AbsentEveryOtherRead if is_odd_turn => u32::MAX,
            Lie::ZeroBars if (spec::BAR_0..spec::BAR_0 + 24).contains(&offset) => 0,
            Lie::HeaderType(header) if offset == 0x0c => honest & 0xff00_ffff | u32::from(header) << 16,
            Lie::Bits(at, bits) if offset == at => honest | bits,
            Lie::ChangingIdentity(id) if offset == spec::VENDOR && is_odd_turn => id,
            // Knuth's linear congruential generator: any sequence will do, as long as it is the same each run.
            Lie::Noise(seed) => {
                let step = self
                    .turn
                    .wrapping_add(seed)
                    .wrapping_mul(1_664_525)
                    .wrapping_add(1_013_904_223);
                step ^ step >> 16
            }
            _ => honest,
        }
    }
}

impl<C: ConfigSpace> ConfigSpace for Hostile<C> {
    fn read(&mut self, address: Address, offset: u16, width: Width) -> u32 {
        if address != self.address {
            return self.inner.read(address, offset, width);
        }
        let dword = offset & !3;
        let honest = self.inner.read(address, dword, Width::Dword);
        let answer = self.answer(dword, honest);
        self.turn = self.turn.wrapping_add(1);
        answer >> (u32::from(offset & 3) * 8) & width.ones()
    }

    fn write(&mut self, address: Address, offset: u16, width: Width, value: u32) {
        self.inner.write(address, offset, width, value);
    }
}
