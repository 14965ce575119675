//! The payload of TRIM: ranges of logical blocks, clipped to what may be discarded.
//!
//! A range is eight bytes: the first block in bits 47:0, the number of blocks in 63:48; none means that the entry is
//! unused (ACS-4, DATA SET MANAGEMENT, TRIM).

use sekisho_abi::disk::BlockRange;

const ENTRY_BYTES: usize = 8;
const LBA_BITS: u32 = 48;

/// Writes to `clipped` what `clip` leaves of each range of `payload`, and unused entries behind.
///
/// Returns the number of ranges. What does not fit any more is left out: to discard is an offer that a disk need not
/// take. So `clipped` is as long as `payload`, and the device does what it was asked to, less what it may not.
pub fn clip_trim<Parts: Iterator<Item = BlockRange>>(
    payload: &[u8],
    clipped: &mut [u8],
    clip: impl FnMut(BlockRange) -> Parts,
) -> usize {
    clipped.fill(0);
    let (asked, _) = payload.as_chunks::<ENTRY_BYTES>();
    let (entries, _) = clipped.as_chunks_mut::<ENTRY_BYTES>();
    let parts = asked.iter().filter_map(|entry| range(*entry)).flat_map(clip);
    let mut written = 0;
    for (entry, part) in entries.iter_mut().zip(parts) {
        if let Some(bytes) = bytes(part) {
            *entry = bytes;
            written += 1;
        }
    }
    written
}

fn range(entry: [u8; ENTRY_BYTES]) -> Option<BlockRange> {
    let value = u64::from_le_bytes(entry);
    BlockRange::of_length(value & ((1 << LBA_BITS) - 1), value >> LBA_BITS)
}

/// A part of a range has no more blocks and no higher numbers than the range; another's does not fit.
fn bytes(part: BlockRange) -> Option<[u8; ENTRY_BYTES]> {
    let blocks = u16::try_from(part.length()).ok()?;
    if part.last() >> LBA_BITS != 0 {
        return None;
    }
    Some((part.first() | u64::from(blocks) << LBA_BITS).to_le_bytes())
}
