//! Which ports and MSRs cause an exit: the I/O and MSR permission maps, shared by all CPUs.
//!
//! Source: APM volume 2, 15.10.1 (a bit a port, 12 KiB) and 15.11 (two bits an MSR, read then write, 8 KiB).

use crate::region::{Exhausted, Region};
use core::ptr::NonNull;

/// The physical addresses of the two maps.
#[derive(Clone, Copy)]
pub(crate) struct Permissions {
    pub(super) io: u64,
    pub(super) msr: u64,
}

/// Where each range of MSRs begins, and its byte offset in the map.
const MSR_RANGES: [(u32, usize); 3] = [(0, 0), (0xc000_0000, 0x800), (0xc001_0000, 0x1000)];
/// MSRs in a range.
const RANGE_LENGTH: u32 = 0x2000;

impl Permissions {
    /// Maps that let everything through but `ports`, first and last, and the MSRs in `msrs` with what of each exits.
    pub(crate) fn new(
        region: &mut Region,
        ports: impl Iterator<Item = (u16, u16)>,
        msrs: impl Iterator<Item = (u32, Watched)>,
    ) -> Result<Self, Exhausted> {
        let (io, msr) = (region.pages(3)?, region.pages(2)?);
        for port in ports.flat_map(|(first, last)| first..=last) {
            set_bit(io, usize::from(port));
        }
        for (number, watched) in msrs {
            let Some(bit) = msr_bit(number) else { continue };
            if watched != Watched::Writes {
                set_bit(msr, bit);
            }
            set_bit(msr, bit + 1);
        }
        Ok(Self {
            io: io.as_ptr().addr() as u64,
            msr: msr.as_ptr().addr() as u64,
        })
    }
}

/// Which accesses to an MSR exit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Reads go to the register.
    Writes,
    /// Both.
    Both,
}

/// The bit that says whether reading MSR `number` exits; the next is for writing. `None` where the map has no
/// place for it: such accesses always exit.
fn msr_bit(number: u32) -> Option<usize> {
    let (first, offset) = MSR_RANGES
        .into_iter()
        .find(|(first, _)| number.wrapping_sub(*first) < RANGE_LENGTH)?;
    Some(offset * 8 + (number - first) as usize * 2)
}

fn set_bit(map: NonNull<u8>, bit: usize) {
    // SAFETY: every port and every bit of `msr_bit` lies within the pages taken for its map.
    let mut byte = unsafe { map.byte_add(bit / 8) };
    // SAFETY: as above; the map is still being built, by this CPU alone.
    *unsafe { byte.as_mut() } |= 1 << (bit % 8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn msr_bits_are_where_the_manual_puts_them() {
        assert_eq!(msr_bit(0x10), Some(0x20));
        assert_eq!(msr_bit(0xc000_0080), Some(0x800 * 8 + 0x100));
        assert_eq!(msr_bit(0xc001_0114), Some(0x1000 * 8 + 0x228));
        assert_eq!(msr_bit(0x4000_0000), None);
        assert_eq!(msr_bit(0x2000), None);
    }
}
