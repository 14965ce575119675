//! Where in the machine's free memory the hypervisor's region goes.

use core::ops::Range;
use sekisho_abi::boot::REGION_SIZE;

/// Alignment of the region: it is mapped with 2 MiB pages.
pub const REGION_ALIGNMENT: u64 = 2 << 20;
/// Where 32-bit addresses end. Devices and trampolines reach below it; above is the second choice.
pub const FOUR_GIB: u64 = 1 << 32;
/// The first mebibyte holds the firmware's start-up code for CPUs; no block there is taken.
const LOWEST: u64 = 1 << 20;

/// The highest address below 4 GiB, else the highest above it, at which [`REGION_SIZE`] bytes are free.
///
/// `free` are ranges of free memory in any order; adjacent ones are not joined.
pub fn choose(free: impl Iterator<Item = Range<u64>> + Clone) -> Option<u64> {
    let below = free
        .clone()
        .map(|block| block.start..block.end.min(FOUR_GIB))
        .filter_map(highest_within)
        .max();
    below.or_else(|| free.filter_map(highest_within).max())
}

/// The highest aligned address from which the region fits into `block`.
fn highest_within(block: Range<u64>) -> Option<u64> {
    let start = block.end.checked_sub(REGION_SIZE)? & !(REGION_ALIGNMENT - 1);
    (start >= block.start.max(LOWEST)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_aligned_place_below_4_gib_is_taken() {
        let free = [
            0x10_0000..0x80_0000,
            0x100_0000..0x7e12_3000,
            FOUR_GIB..FOUR_GIB * 2,
        ];
        assert_eq!(choose(free.into_iter()), Some(0x7d00_0000));
    }

    #[test]
    fn memory_above_4_gib_is_the_second_choice() {
        let free = [0x10_0000..0x10f_f000, FOUR_GIB..FOUR_GIB + REGION_SIZE];
        assert_eq!(choose(free.into_iter()), Some(FOUR_GIB));
    }

    #[test]
    fn a_block_across_the_border_is_used_on_the_lower_side() {
        let free = FOUR_GIB - REGION_SIZE - 0x1000..FOUR_GIB + REGION_SIZE;
        assert_eq!(choose([free].into_iter()), Some(FOUR_GIB - REGION_SIZE));
    }

    #[test]
    fn too_small_or_unaligned_blocks_give_nothing() {
        let free = [0..REGION_SIZE, 0x201_0000..0x300_0000, 0x300_1000..0x400_1000];
        assert_eq!(choose(free.into_iter()), None);
    }
}
