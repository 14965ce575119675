//! 512 bytes as the 256 little-endian words that the ATA standards count in.

/// One page: IDENTIFY data, or a page of a log.
pub const PAGE_BYTES: usize = 512;

/// Word `index`; 0 past the end.
pub(super) fn word(page: &[u8; PAGE_BYTES], index: usize) -> u16 {
    match page.get(2 * index..2 * index + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

/// Keeps those bits of word `index` that are set in `mask`.
pub(super) fn keep(page: &mut [u8; PAGE_BYTES], index: usize, mask: u16) {
    let kept = word(page, index) & mask;
    set(page, index, kept);
}

/// Sets word `index`.
pub(super) fn set(page: &mut [u8; PAGE_BYTES], index: usize, value: u16) {
    if let Some(bytes) = page.get_mut(2 * index..2 * index + 2) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
}

/// `N` words from `first`, the lowest first, as one number.
pub(super) fn number<const N: usize>(page: &[u8; PAGE_BYTES], first: usize) -> u64 {
    (first..first + N)
        .rev()
        .fold(0, |sum, index| sum << 16 | u64::from(word(page, index)))
}

/// The sum of all bytes: 0 where the last byte is their checksum.
pub(super) fn sum(page: &[u8; PAGE_BYTES]) -> u8 {
    page.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Makes the last byte the checksum of the others.
pub(super) fn seal(page: &mut [u8; PAGE_BYTES]) {
    let sum = sum(page);
    if let Some(last) = page.last_mut() {
        *last = last.wrapping_sub(sum);
    }
}
