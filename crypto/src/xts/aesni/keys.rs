//! AES key expansion by AES instructions (FIPS 197, section 5.2), and the proof that the CPU has them.
//!
//! In constant time: the S-box is the instruction's. Round keys are wiped when dropped.
#![expect(unsafe_code, reason = "AES instructions are not in every CPU")]

use core::arch::x86_64::{
    __m128i, _mm_aesenclast_si128, _mm_aesimc_si128, _mm_cvtsi128_si32, _mm_set1_epi32, _mm_setzero_si128,
};
use core::mem::transmute;
use zeroize::Zeroize;

cpufeatures::new!(aes_instructions, "aes");

/// Round keys of AES-256.
const PLACES: usize = 15;
/// Words of 4 bytes in a round key.
const ROUND: usize = 4;
/// Words in all places.
const WORDS: usize = PLACES * ROUND;

/// That this CPU has the AES instructions.
#[derive(Clone, Copy)]
pub(super) struct AesInstructions(());

impl AesInstructions {
    /// `None` where CPUID does not show them.
    pub(super) fn detect() -> Option<Self> {
        aes_instructions::get().then_some(Self(()))
    }
}

/// Which AES.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeySize {
    /// 10 rounds.
    Aes128,
    /// 14 rounds.
    Aes256,
}

impl KeySize {
    /// The place of the first round key. The last is in the last place for both, so that the rounds both have find
    /// their keys in the same places.
    const fn first_place(self) -> usize {
        match self {
            Self::Aes128 => 4,
            Self::Aes256 => 0,
        }
    }
}

/// The round keys of one key. They exist only where the CPU has the AES instructions.
pub(super) struct RoundKeys {
    places: [u128; PLACES],
    /// First ^ last.
    outer: u128,
    size: KeySize,
}

impl RoundKeys {
    /// For a key of this size, to be filled.
    pub(super) const fn empty(_: AesInstructions, size: KeySize) -> Self {
        Self {
            places: [0; PLACES],
            outer: 0,
            size,
        }
    }

    /// Expands `key`, which has the size that `empty` was told, for encryption.
    pub(super) fn expand(&mut self, key: &[u8]) {
        let mut words = [0; WORDS];
        let (start, _) = key.as_chunks();
        for (word, bytes) in words.iter_mut().zip(start) {
            *word = u32::from_le_bytes(*bytes);
        }
        // SAFETY: the CPU has the instructions, as `empty` was shown.
        unsafe { expand(&mut words, start.len()) };
        let places = self.places.iter_mut().skip(self.size.first_place());
        for (place, words) in places.zip(words.as_chunks::<ROUND>().0) {
            *place = words
                .iter()
                .rev()
                .fold(0, |key, word| key << 32 | u128::from(*word));
        }
        words.zeroize();
        self.finish();
    }

    /// Derives the keys for decryption from those for encryption (FIPS 197, section 5.3.5).
    pub(super) fn invert(&mut self, keys: &Self) {
        let first = self.size.first_place();
        let reversed = keys.places.iter().skip(first).rev();
        let places = self.places.iter_mut().enumerate().skip(first);
        for ((place, to), from) in places.zip(reversed) {
            *to = if place == first || place + 1 == PLACES {
                *from
            } else {
                // SAFETY: the CPU has the instructions, as `empty` was shown.
                unsafe { invert_mix_columns(*from) }
            };
        }
        self.finish();
    }

    fn finish(&mut self) {
        let [first_of_256, _, _, _, first_of_128, .., last] = self.places;
        self.outer = last
            ^ match self.size {
                KeySize::Aes128 => first_of_128,
                KeySize::Aes256 => first_of_256,
            };
    }

    /// All places; those before the first key are zero.
    pub(super) const fn places(&self) -> &[u128; PLACES] {
        &self.places
    }

    /// First ^ last.
    pub(super) const fn outer(&self) -> &u128 {
        &self.outer
    }

    pub(super) const fn last(&self) -> u128 {
        let [.., last] = self.places;
        last
    }

    pub(super) const fn size(&self) -> KeySize {
        self.size
    }
}

impl Drop for RoundKeys {
    fn drop(&mut self) {
        self.places.zeroize();
        self.outer.zeroize();
    }
}

/// Continues the `key` words at the start (FIPS 197, algorithm 2).
#[expect(
    clippy::indexing_slicing,
    reason = "the standard's own indices, below the number of words"
)]
#[target_feature(enable = "aes")]
fn expand(words: &mut [u32; WORDS], key: usize) {
    let mut round_constant = 1;
    for at in key..WORDS {
        let mut word = words[at - 1];
        if at.is_multiple_of(key) {
            word = substitute(word.rotate_right(8)) ^ round_constant;
            round_constant = (round_constant << 1) ^ ((round_constant >> 7) * 0x11b);
        } else if key > 6 && at % key == 4 {
            word = substitute(word);
        }
        words[at] = words[at - key] ^ word;
    }
}

/// The S-box of each byte. In four columns that are the same, shifting rows changes nothing.
#[target_feature(enable = "aes")]
fn substitute(word: u32) -> u32 {
    let columns = _mm_set1_epi32(word.cast_signed());
    _mm_cvtsi128_si32(_mm_aesenclast_si128(columns, _mm_setzero_si128())).cast_unsigned()
}

#[target_feature(enable = "aes")]
fn invert_mix_columns(key: u128) -> u128 {
    // SAFETY: 16 bytes in which every pattern of bits is a value.
    let key = unsafe { transmute::<u128, __m128i>(key) };
    let inverted = _mm_aesimc_si128(key);
    // SAFETY: as above.
    unsafe { transmute::<__m128i, u128>(inverted) }
}
