//! The transport cipher's promises: that kernel and crate are one cipher, and that nothing forged is opened.

use super::avx2::Avx2;
use super::pair::Pair;
use super::ssse3::Ssse3;
use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

const KEY: [u8; KEY_SIZE] = *b"a key that no one else ever uses";
const NONCE: [u8; NONCE_SIZE] = *b"number once.";

/// Lengths about which a kernel decides: blocks, the first group, further groups, those put aside.
const EDGES: [usize; 24] = [
    0, 1, 15, 16, 17, 63, 64, 65, 128, 191, 192, 193, 207, 447, 448, 449, 959, 960, 961, 1420, 1471, 1472,
    1473, 4096,
];

/// RFC 8439, section 2.8.2.
#[test]
fn the_published_example_is_met() {
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let key = Secret::from_slice(&key).unwrap();
    let nonce = [0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
    let associated = [
        0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
    ];
    let plain =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.";
    let sealed = [
        0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb, 0x7b, 0x86, 0xaf, 0xbc, 0x53, 0xef, 0x7e, 0xc2, 0xa4,
        0xad, 0xed, 0x51, 0x29, 0x6e, 0x08, 0xfe, 0xa9, 0xe2, 0xb5, 0xa7, 0x36, 0xee, 0x62, 0xd6, 0x3d, 0xbe,
        0xa4, 0x5e, 0x8c, 0xa9, 0x67, 0x12, 0x82, 0xfa, 0xfb, 0x69, 0xda, 0x92, 0x72, 0x8b, 0x1a, 0x71, 0xde,
        0x0a, 0x9e, 0x06, 0x0b, 0x29, 0x05, 0xd6, 0xa5, 0xb6, 0x7e, 0xcd, 0x3b, 0x36, 0x92, 0xdd, 0xbd, 0x7f,
        0x2d, 0x77, 0x8b, 0x8c, 0x98, 0x03, 0xae, 0xe3, 0x28, 0x09, 0x1b, 0x58, 0xfa, 0xb3, 0x24, 0xe4, 0xfa,
        0xd6, 0x75, 0x94, 0x55, 0x85, 0x80, 0x8b, 0x48, 0x31, 0xd7, 0xbc, 0x3f, 0xf4, 0xde, 0xf0, 0x8e, 0x4b,
        0x7a, 0x9d, 0xe5, 0x76, 0xd2, 0x65, 0x86, 0xce, 0xc6, 0x4b, 0x61, 0x16,
    ];
    let tag = [
        0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a, 0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91,
    ];
    let mut text = *plain;
    assert_eq!(
        seal(Vectors::of_process(), &key, &nonce, &associated, &mut text),
        Ok(tag)
    );
    assert_eq!(text, sealed);
    assert_eq!(
        open(Vectors::of_process(), &key, &nonce, &associated, &mut text, &tag),
        Ok(())
    );
    assert_eq!(text, *plain);
}

#[test]
fn every_kernel_is_the_crate_at_every_length_of_a_packet() {
    for length in 0..=2048 {
        same_cipher(&Secret::new(KEY), &NONCE, &[], &bytes(7, length));
    }
}

#[test]
fn every_flipped_bit_of_text_and_tag_is_refused() {
    let key = Secret::new(KEY);
    for length in EDGES.into_iter().filter(|length| *length < 1500) {
        let mut sealed = bytes(3, length);
        let tag = seal(Vectors::of_process(), &key, &NONCE, b"head", &mut sealed).unwrap();
        for bit in 0..length * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let given = forged.clone();
            assert_eq!(
                open(Vectors::of_process(), &key, &NONCE, b"head", &mut forged, &tag),
                Err(Error::Forged),
                "{length} bytes, bit {bit}"
            );
            assert!(forged == given, "{length} bytes, bit {bit}: the text was changed");
        }
        for bit in 0..TAG_SIZE * 8 {
            let mut forged = tag;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open(
                    Vectors::of_process(),
                    &key,
                    &NONCE,
                    b"head",
                    &mut sealed.clone(),
                    &forged
                ),
                Err(Error::Forged),
                "{length} bytes, bit {bit} of the tag"
            );
        }
    }
}

#[test]
fn another_key_nonce_or_associated_data_is_refused() {
    let key = Secret::new(KEY);
    let mut sealed = bytes(3, 100);
    let tag = seal(Vectors::of_process(), &key, &NONCE, b"head", &mut sealed).unwrap();
    let mut refused = |key: [u8; KEY_SIZE], nonce: [u8; NONCE_SIZE], associated: &[u8]| {
        open(
            Vectors::of_process(),
            &Secret::new(key),
            &nonce,
            associated,
            &mut sealed,
            &tag,
        ) == Err(Error::Forged)
    };
    for bit in 0..KEY_SIZE * 8 {
        let mut other = KEY;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(other, NONCE, b"head"), "bit {bit} of the key");
    }
    for bit in 0..NONCE_SIZE * 8 {
        let mut other = NONCE;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(KEY, other, b"head"), "bit {bit} of the nonce");
    }
    for other in [&b""[..], b"heae", b"hea", b"head\0"] {
        assert!(refused(KEY, NONCE, other), "{other:?}");
    }
    assert!(!refused(KEY, NONCE, b"head"));
}

/// What this CPU has for texts of `length` bytes.
fn engines(length: usize) -> Vec<Engine> {
    let mut engines = alloc::vec![Engine::Portable];
    if let Some(ssse3) = Ssse3::detect() {
        engines.push(Engine::Four(ssse3));
        if length <= 64 {
            engines.push(Engine::Pair(Pair(ssse3)));
        }
    }
    engines.extend(Avx2::detect().map(Engine::Eight));
    engines
}

/// All engines seal to the same, and open it, wherever in memory the text lies.
fn same_cipher(key: &Secret<KEY_SIZE>, nonce: &[u8; NONCE_SIZE], associated: &[u8], plain: &[u8]) {
    let length = plain.len();
    let mut judged = plain.to_vec();
    let tag = portable::seal(key, nonce, associated, &mut judged).unwrap();
    for engine in engines(length) {
        for offset in [0, 1, 7, 15, 31] {
            let mut memory = alloc::vec![0xa5; offset + length + 1];
            let (text, behind) = memory[offset..].split_at_mut(length);
            text.copy_from_slice(plain);
            assert_eq!(
                engine.seal(key, nonce, associated, text),
                Ok(tag),
                "{length} bytes"
            );
            assert!(text == judged, "{length} bytes are sealed differently");
            assert_eq!(
                engine.open(key, nonce, associated, text, &tag),
                Ok(()),
                "{length} bytes"
            );
            assert!(text == plain, "{length} bytes are opened differently");
            assert_eq!(behind, [0xa5]);
        }
    }
}

proptest! {
    #[test]
    fn every_kernel_is_the_crate(
        key in any::<[u8; KEY_SIZE]>(),
        nonce in any::<[u8; NONCE_SIZE]>(),
        associated in prop::collection::vec(any::<u8>(), 0..70),
        length in 0..4096_usize,
        seed in any::<u64>(),
    ) {
        same_cipher(&Secret::new(key), &nonce, &associated, &bytes(seed, length));
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
