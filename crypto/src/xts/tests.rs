//! The sector cipher's promises: what is refused, and that kernel and portable engine are one cipher.

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

#[test]
fn keys_of_other_lengths_or_equal_halves_are_refused() {
    let refused = |key: &[u8]| SectorCipher::new(key, SectorSize::B512).err();
    for length in [0, 1, 16, 31, 33, 48, 63, 65, 128] {
        let key: Vec<u8> = (0..).take(length).collect();
        assert_eq!(refused(&key), Some(KeyError::Length { given: length }));
    }
    assert_eq!(refused(&[7; 32]), Some(KeyError::EqualHalves));
    assert_eq!(refused(&[7; 64]), Some(KeyError::EqualHalves));
}

#[test]
fn a_part_of_a_sector_is_refused_and_untouched() {
    let key = [[1; 32], [2; 32]].concat();
    for size in [SectorSize::B512, SectorSize::B4096] {
        let cipher = SectorCipher::new(&key, size).unwrap();
        let mut data = alloc::vec![3; size.bytes() + 16];
        let length = data.len();
        let refused = Err(RangeError::PartOfASector { length });
        assert_eq!(cipher.encrypt(0, &mut data), refused);
        assert_eq!(cipher.decrypt(0, &mut data), refused);
        assert!(data.iter().all(|byte| *byte == 3));
    }
}

#[test]
fn tweaks_past_64_bits_are_refused() {
    let key = [[1; 16], [2; 16]].concat();
    let cipher = SectorCipher::new(&key, SectorSize::B4096).unwrap();
    let mut data = [0; 4096];
    let first_tweak = u64::MAX - 7;
    let refused = Err(RangeError::TweakOverflow { first_tweak });
    assert_eq!(cipher.encrypt(first_tweak, &mut data), refused);
    assert_eq!(cipher.encrypt(first_tweak - 1, &mut data), Ok(()));
}

fn sizes() -> impl Strategy<Value = SectorSize> {
    prop_oneof![Just(SectorSize::B512), Just(SectorSize::B4096)]
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 32),
        prop::collection::vec(any::<u8>(), 64)
    ]
}

/// Any number, and often one whose bytes carry within the data.
fn first_tweaks() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>().prop_map(|number| number >> 1),
        (0..64_u64).prop_map(|below| (1 << 32) - below),
        0..64_u64
    ]
}

proptest! {
    #[test]
    fn the_kernel_is_the_portable_cipher(
        key in keys(),
        size in sizes(),
        first_tweak in first_tweaks(),
        sectors in 0..20_usize,
        seed in any::<u64>(),
    ) {
        let (data, tweak) = key.split_at(key.len() / 2);
        let portable = Portable::new(data, tweak).unwrap();
        let Some(kernel) = AesNi::new(data, tweak) else {
            // A CPU without the instructions has only the one.
            return Ok(());
        };
        let text = bytes(seed, sectors * size.bytes());
        let (mut ours, mut theirs) = (text.clone(), text.clone());
        kernel.encrypt(size, first_tweak, &mut ours);
        portable.encrypt(size, first_tweak, &mut theirs);
        prop_assert!(ours == theirs, "encrypted differently");

        let (mut ours, mut theirs) = (text.clone(), text);
        kernel.decrypt(size, first_tweak, &mut ours);
        portable.decrypt(size, first_tweak, &mut theirs);
        prop_assert!(ours == theirs, "decrypted differently");
    }

    #[test]
    fn a_sector_does_not_depend_on_its_neighbours(
        key in keys(),
        size in sizes(),
        first_tweak in first_tweaks(),
        sectors in 1..20_usize,
        seed in any::<u64>(),
    ) {
        prop_assume!(key.chunks(key.len() / 2).next() != key.chunks(key.len() / 2).next_back());
        let cipher = SectorCipher::new(&key, size).unwrap();
        let text = bytes(seed, sectors * size.bytes());
        let mut together = text.clone();
        cipher.encrypt(first_tweak, &mut together).unwrap();
        let mut alone = text;
        for (sector, at) in alone.chunks_mut(size.bytes()).zip(0_u64..) {
            cipher.encrypt(first_tweak + at * size.tweaks(), sector).unwrap();
        }
        prop_assert!(together == alone);
    }
}

/// Bytes without a pattern that a fault could hide in (xorshift64).
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| byte()).collect()
}
