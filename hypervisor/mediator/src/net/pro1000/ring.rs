//! A ring of the guest's: the registers that say where it lies, which reach no hardware.
//!
//! Whatever the guest writes, a position is within the ring or there is nothing in it.

use super::descriptor::UNIT;
use super::spec::{BASE_MASK, INDEX_MASK, LENGTH_MASK};

/// Registers of a ring, from its base address register on (SDM 13.4.25 to 13.4.29).
const LOW: u32 = 0x00;
const HIGH: u32 = 0x04;
const LENGTH: u32 = 0x08;
const HEAD: u32 = 0x10;
const TAIL: u32 = 0x18;

/// Where a guest's ring lies. Head and tail count units of sixteen bytes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Ring {
    low: u32,
    high: u32,
    length: u32,
    head: u32,
    tail: u32,
}

impl Ring {
    /// The guest reads a register, by its offset from the first.
    pub(super) const fn read(&self, within: u32) -> u32 {
        match within {
            LOW => self.low,
            HIGH => self.high,
            LENGTH => self.length,
            HEAD => self.head,
            TAIL => self.tail,
            _ => 0,
        }
    }

    /// The guest writes one.
    pub(super) const fn write(&mut self, within: u32, value: u32) {
        match within {
            LOW => self.low = value & BASE_MASK,
            HIGH => self.high = value,
            LENGTH => self.length = value & LENGTH_MASK,
            HEAD => self.head = value & INDEX_MASK,
            TAIL => self.tail = value & INDEX_MASK,
            _ => {}
        }
    }

    /// Units that the ring has.
    const fn units(&self) -> u32 {
        self.length / UNIT
    }

    /// Units that wait for the NIC, from the head on.
    pub(super) const fn waiting(&self) -> u32 {
        let units = self.units();
        if self.head >= units || self.tail >= units {
            return 0;
        }
        if self.tail >= self.head {
            self.tail - self.head
        } else {
            units - self.head + self.tail
        }
    }

    /// Of them, how many lie one behind the other.
    pub(super) const fn contiguous(&self) -> u32 {
        let waiting = self.waiting();
        let before_end = self.units().saturating_sub(self.head);
        if waiting < before_end { waiting } else { before_end }
    }

    /// Where the unit at the head lies in guest memory. `None` beyond the end of all addresses.
    pub(super) const fn place(&self) -> Option<u64> {
        let base = (self.high as u64) << 32 | self.low as u64;
        base.checked_add(self.head as u64 * UNIT as u64)
    }

    /// The head goes on by `units`, which were waiting.
    pub(super) const fn advance(&mut self, units: u32) {
        let head = self.head.saturating_add(units);
        self.head = match head.checked_rem(self.units()) {
            Some(head) => head,
            None => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(units: u32, head: u32, tail: u32) -> Ring {
        let mut ring = Ring::default();
        for (within, value) in [(LOW, 0x1000), (LENGTH, units * 16), (HEAD, head), (TAIL, tail)] {
            ring.write(within, value);
        }
        ring
    }

    #[test]
    fn what_waits_wraps_with_the_ring() {
        assert_eq!(ring(8, 2, 6).waiting(), 4);
        assert_eq!(ring(8, 6, 2).waiting(), 4);
        assert_eq!(ring(8, 6, 2).contiguous(), 2);
        assert_eq!(ring(8, 3, 3).waiting(), 0);
        let mut wrapped = ring(8, 7, 2);
        assert_eq!(wrapped.place(), Some(0x1070));
        wrapped.advance(1);
        assert_eq!(wrapped.place(), Some(0x1000));
    }

    #[test]
    fn nothing_waits_in_a_ring_whose_positions_lie_outside_of_it() {
        for (units, head, tail) in [(0, 0, 0), (0, 1, 2), (8, 8, 2), (8, 2, 8), (8, 0xffff, 0xffff)] {
            assert_eq!(ring(units, head, tail).waiting(), 0);
            ring(units, head, tail).advance(3);
        }
    }

    #[test]
    fn bits_that_do_not_exist_are_not_kept() {
        let mut ring = ring(8, 0, 0);
        for (within, kept) in [
            (LOW, 0xffff_fff0),
            (HIGH, u32::MAX),
            (LENGTH, 0xf_ff80),
            (HEAD, 0xffff),
        ] {
            ring.write(within, u32::MAX);
            assert_eq!(ring.read(within), kept);
        }
    }
}
