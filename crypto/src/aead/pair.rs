//! ChaCha20 (RFC 8439, section 2.3) of two blocks by SSSE3: the tag's and one of text, for the shortest packets.
//!
//! A register holds a row of one block, so nothing is spread or transposed; before and after the diagonal round three of
//! four rows are turned. Two blocks are as fast as one: each waits for itself.
#![expect(unsafe_code, reason = "CPU instructions")]

use super::interleave::{Group, Kernel};
use super::keystream::{DOUBLE_ROUNDS, WORDS};
use super::ssse3::Ssse3;
use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_or_si128, _mm_set_epi32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_slli_epi32,
    _mm_srli_epi32, _mm_xor_si128,
};
use core::mem::transmute;

/// Quarters of blocks.
pub(super) const QUARTERS: usize = 8;

/// Two blocks at once.
#[derive(Clone, Copy)]
pub(super) struct Pair(pub(super) Ssse3);

impl Kernel<QUARTERS> for Pair {
    const BLOCKS: u32 = 2;

    #[inline(always)]
    fn compute(self, words: &[u32; WORDS], group: &mut Group<QUARTERS>, _: impl FnMut()) {
        // SAFETY: the CPU has SSSE3, as `self` proves.
        *group = unsafe { compute(words) };
    }
}

/// The rows of a block.
type Rows = [__m128i; 4];

#[inline]
#[target_feature(enable = "ssse3")]
fn compute(words: &[u32; WORDS]) -> Group<QUARTERS> {
    // SAFETY: as many bytes, in which every pattern of bits is a value.
    let [a, b, c, d] = unsafe { transmute::<[u32; WORDS], Rows>(*words) };
    let next = _mm_add_epi32(d, _mm_set_epi32(0, 0, 0, 1));
    let start = [[a, b, c, d], [a, b, c, next]];
    let mut blocks = start;
    for _ in 0..DOUBLE_ROUNDS {
        for rows in &mut blocks {
            *rows = double_round(*rows);
        }
    }
    for (row, start) in blocks.as_flattened_mut().iter_mut().zip(start.as_flattened()) {
        *row = _mm_add_epi32(*row, *start);
    }
    // SAFETY: as above.
    unsafe { transmute::<[Rows; 2], Group<QUARTERS>>(blocks) }
}

/// A column round and a diagonal round.
#[inline]
#[target_feature(enable = "ssse3")]
fn double_round(rows: Rows) -> Rows {
    let [a, b, c, d] = quarter_rounds(rows);
    let rows = [
        a,
        _mm_shuffle_epi32::<0b00_11_10_01>(b),
        _mm_shuffle_epi32::<0b01_00_11_10>(c),
        _mm_shuffle_epi32::<0b10_01_00_11>(d),
    ];
    let [a, b, c, d] = quarter_rounds(rows);
    [
        a,
        _mm_shuffle_epi32::<0b10_01_00_11>(b),
        _mm_shuffle_epi32::<0b01_00_11_10>(c),
        _mm_shuffle_epi32::<0b00_11_10_01>(d),
    ]
}

/// Of four columns (section 2.1).
#[inline]
#[target_feature(enable = "ssse3")]
fn quarter_rounds([a, b, c, d]: Rows) -> Rows {
    let by_16 = _mm_set_epi32(0x0d0c_0f0e, 0x0908_0b0a, 0x0504_0706, 0x0100_0302);
    let by_8 = _mm_set_epi32(0x0e0d_0c0f, 0x0a09_080b, 0x0605_0407, 0x0201_0003);
    let a = _mm_add_epi32(a, b);
    let d = _mm_shuffle_epi8(_mm_xor_si128(d, a), by_16);
    let c = _mm_add_epi32(c, d);
    let b = rotated::<12, 20>(_mm_xor_si128(b, c));
    let a = _mm_add_epi32(a, b);
    let d = _mm_shuffle_epi8(_mm_xor_si128(d, a), by_8);
    let c = _mm_add_epi32(c, d);
    let b = rotated::<7, 25>(_mm_xor_si128(b, c));
    [a, b, c, d]
}

#[inline]
#[target_feature(enable = "ssse3")]
fn rotated<const LEFT: i32, const RIGHT: i32>(row: __m128i) -> __m128i {
    _mm_or_si128(_mm_slli_epi32::<LEFT>(row), _mm_srli_epi32::<RIGHT>(row))
}
