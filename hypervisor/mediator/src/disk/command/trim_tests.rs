//! TRIM payloads, clipped.

use super::clip_trim;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;
use sekisho_abi::disk::BlockRange;

fn payload(ranges: &[(u64, u64)]) -> Vec<u8> {
    let entries = ranges.iter().map(|(first, blocks)| first | blocks << 48);
    let mut bytes: Vec<u8> = entries.flat_map(u64::to_le_bytes).collect();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// What may be discarded: every run of ten blocks is followed by ten that may not, below 1,000.
fn clip(asked: BlockRange) -> impl Iterator<Item = BlockRange> {
    (0..50).filter_map(move |run| asked.common(BlockRange::of_length(run * 20, 10)?))
}

#[test]
fn only_what_may_be_discarded_is() {
    let asked = payload(&[(5, 20), (0, 0), (13, 2), (995, 65_535), (40, 10)]);
    let mut clipped = vec![0xff; asked.len()];
    assert_eq!(clip_trim(&asked, &mut clipped, clip), 3);
    assert_eq!(clipped, payload(&[(5, 5), (20, 5), (40, 10)]));
}

#[test]
fn what_does_not_fit_any_more_is_left_out() {
    let asked = payload(&[(0, 1000); 64]);
    let mut clipped = vec![0; asked.len()];
    assert_eq!(clip_trim(&asked, &mut clipped, clip), 64);
    let first: Vec<_> = (0..50).chain(0..14).map(|run| (run * 20, 10)).collect();
    assert_eq!(clipped, payload(&first));
}

#[test]
fn a_part_that_is_none_of_the_range_is_not_written() {
    let asked = payload(&[(0, 1)]);
    let mut clipped = vec![0; asked.len()];
    let wrong = |_| {
        [BlockRange::new(0, 1 << 16), BlockRange::new(1 << 48, 1 << 48)]
            .into_iter()
            .flatten()
    };
    assert_eq!(clip_trim(&asked, &mut clipped, wrong), 0);
    assert_eq!(clipped, payload(&[(0, 0)]));
}

proptest! {
    #[test]
    fn no_payload_discards_another_block(asked in prop::collection::vec(any::<u64>(), 0..64)) {
        let near = asked.iter().map(|entry| entry & 0xffff_0000_0000_07ff);
        let asked: Vec<u8> = near.flat_map(u64::to_le_bytes).collect();
        let mut clipped = vec![0xff; asked.len()];
        let written = clip_trim(&asked, &mut clipped, clip);
        let entries = clipped.as_chunks().0.iter().map(|entry| u64::from_le_bytes(*entry));
        for (index, entry) in entries.enumerate() {
            let (first, blocks) = (entry & ((1 << 48) - 1), entry >> 48);
            prop_assert_eq!(index < written, blocks != 0);
            prop_assert!(blocks == 0 || first % 20 + blocks <= 10 && first < 1000);
        }
    }
}
