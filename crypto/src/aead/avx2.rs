//! ChaCha20 (RFC 8439, section 2.3) of eight blocks at once by AVX2: [`super::ssse3`] says how and why, this is the same
//! with registers of twice the width.
//!
//! The upper register halves are written: [`super::Vectors`] says who may. Only functions with the target feature are
//! AVX code, and none is inlined into one without.
#![expect(
    unsafe_code,
    reason = "the order of the instructions is what this file is for"
)]

use super::interleave::{Group, Kernel};
use super::keystream::{COUNTER, DOUBLE_ROUNDS, WORDS};
use core::arch::asm;
use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_permute2x128_si256, _mm256_set_epi32, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64,
};
use core::mem::transmute;

// BMI2 multiplies what is authenticated meanwhile without moving the flags about.
#[cfg(not(sekisho_bare))]
cpufeatures::new!(avx2_instructions, "avx2", "bmi2");

/// Blocks that are computed together.
const BLOCKS: usize = 8;
/// Quarters of blocks in these.
pub(super) const QUARTERS: usize = BLOCKS * 4;

/// That this CPU has AVX2 and BMI2, and that the registers are whoever's has this.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// For a process; `None` where CPUID and XCR0 do not show it.
    #[cfg(not(sekisho_bare))]
    pub(super) fn detect() -> Option<Self> {
        avx2_instructions::get().then_some(Self(()))
    }

    /// Where the caller knows.
    ///
    /// # Safety
    /// While a kernel works with this, the CPU executes AVX2 and BMI2, and the registers may be changed.
    pub(super) const unsafe fn assumed() -> Self {
        Self(())
    }
}

impl Kernel<QUARTERS> for Avx2 {
    const BLOCKS: u32 = 8;

    #[inline(always)]
    fn compute(self, words: &[u32; WORDS], group: &mut Group<QUARTERS>, meanwhile: impl FnMut()) {
        // SAFETY: the CPU has AVX2 and BMI2, as `self` proves.
        unsafe { compute(words, group, meanwhile) };
    }

    #[inline(always)]
    fn apply(self, pad: &[u8], text: &mut [u8]) {
        // SAFETY: as above.
        unsafe { apply(pad, text) };
    }
}

/// Encrypts or decrypts.
#[inline]
#[target_feature(enable = "avx2")]
fn apply(pad: &[u8], text: &mut [u8]) {
    for (text, pad) in text.iter_mut().zip(pad) {
        *text ^= pad;
    }
}

/// Which byte comes from where, the highest first, when each double word is rotated left by 16, and by 8.
static ROTATIONS: [[u128; 2]; 2] = [
    [0x0d0c_0f0e_0908_0b0a_0504_0706_0100_0302; 2],
    [0x0e0d_0c0f_0a09_080b_0605_0407_0201_0003; 2],
];

/// Half a quarter round (section 2.1) for two columns: a += b; d = (d ^ a) <<< 16 or 8; c += d; b = (b ^ c) <<< 12 or 7.
#[rustfmt::skip]
macro_rules! half {
    (
        $shuffle:literal, $left:literal, $right:literal,
        $a:literal, $b:literal, $c:literal, $d:literal,
        $e:literal, $f:literal, $g:literal, $h:literal
    ) => {
        concat!(
            "vpaddd ", $a, ", ", $a, ", ", $b, "\n",
            "vpaddd ", $e, ", ", $e, ", ", $f, "\n",
            "vpxor ", $d, ", ", $d, ", ", $a, "\n",
            "vpxor ", $h, ", ", $h, ", ", $e, "\n",
            "vpshufb ", $d, ", ", $d, ", [{rotations} + ", $shuffle, "]\n",
            "vpshufb ", $h, ", ", $h, ", [{rotations} + ", $shuffle, "]\n",
            "vpaddd ", $c, ", ", $c, ", ", $d, "\n",
            "vpaddd ", $g, ", ", $g, ", ", $h, "\n",
            "vpxor ", $b, ", ", $b, ", ", $c, "\n",
            "vpxor ", $f, ", ", $f, ", ", $g, "\n",
            "vpslld ymm10, ", $b, ", ", $left, "\n",
            "vpslld ymm11, ", $f, ", ", $left, "\n",
            "vpsrld ", $b, ", ", $b, ", ", $right, "\n",
            "vpsrld ", $f, ", ", $f, ", ", $right, "\n",
            "vpor ", $b, ", ", $b, ", ymm10\n",
            "vpor ", $f, ", ", $f, ", ymm11\n",
        )
    };
}

/// The quarter rounds of two columns or diagonals, whose third words are in ymm8 and ymm9.
#[rustfmt::skip]
macro_rules! quarters {
    ($a:literal, $b:literal, $d:literal, $e:literal, $f:literal, $h:literal) => {
        concat!(
            half!("0", "12", "20", $a, $b, "ymm8", $d, $e, $f, "ymm9", $h),
            half!("32", "7", "25", $a, $b, "ymm8", $d, $e, $f, "ymm9", $h),
        )
    };
}

/// Eight blocks, of which the first has the number in `words`.
#[inline]
#[target_feature(enable = "avx2,bmi2")]
fn compute(words: &[u32; WORDS], group: &mut Group<QUARTERS>, mut meanwhile: impl FnMut()) {
    let mut start = [_mm256_setzero_si256(); WORDS];
    for (start, word) in start.iter_mut().zip(words) {
        *start = _mm256_set1_epi32(word.cast_signed());
    }
    if let Some(counter) = start.get_mut(COUNTER) {
        *counter = _mm256_add_epi32(*counter, _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    }
    let mut state = State::new(&start);
    for _ in 0..DOUBLE_ROUNDS {
        state.double_round();
        meanwhile();
        meanwhile();
        meanwhile();
        meanwhile();
    }
    let mut end = state.words();
    for (word, start) in end.iter_mut().zip(start) {
        *word = _mm256_add_epi32(*word, start);
    }
    let blocks = transposed(&end);
    // SAFETY: as many bytes, in which every pattern of bits is a value.
    *group = unsafe { transmute::<[[__m256i; 2]; BLOCKS], Group<QUARTERS>>(blocks) };
}

/// The rows of the state (section 2.3), as the registers have them.
struct State {
    a: [__m256i; 4],
    b: [__m256i; 4],
    /// The first two of the third row.
    c: [__m256i; 2],
    d: [__m256i; 4],
    /// The third row in memory, of which the last two words are right.
    thirds: [__m256i; 4],
}

impl State {
    #[inline(always)]
    const fn new(words: &[__m256i; WORDS]) -> Self {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = *words;
        Self {
            a: [a0, a1, a2, a3],
            b: [b0, b1, b2, b3],
            c: [c0, c1],
            d: [d0, d1, d2, d3],
            thirds: [c0, c1, c2, c3],
        }
    }

    #[inline(always)]
    const fn words(&self) -> [__m256i; WORDS] {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.a, self.b);
        let ([c0, c1], [_, _, c2, c3], [d0, d1, d2, d3]) = (self.c, self.thirds, self.d);
        [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3]
    }

    /// A column round and a diagonal round.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn double_round(&mut self) {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (&mut self.a, &mut self.b);
        let ([c0, c1], [d0, d1, d2, d3]) = (&mut self.c, &mut self.d);
        // SAFETY: the CPU has the instructions, as the feature says. What is read and written are 64 bytes of constants
        // and 128 of `thirds`, which is aligned by its type.
        unsafe {
            asm!(
                quarters!("ymm0", "ymm4", "ymm12", "ymm1", "ymm5", "ymm13"),
                "vmovdqa [{thirds}], ymm8",
                "vmovdqa [{thirds} + 32], ymm9",
                "vmovdqa ymm8, [{thirds} + 64]",
                "vmovdqa ymm9, [{thirds} + 96]",
                quarters!("ymm2", "ymm6", "ymm14", "ymm3", "ymm7", "ymm15"),
                quarters!("ymm0", "ymm5", "ymm15", "ymm1", "ymm6", "ymm12"),
                "vmovdqa [{thirds} + 64], ymm8",
                "vmovdqa [{thirds} + 96], ymm9",
                "vmovdqa ymm8, [{thirds}]",
                "vmovdqa ymm9, [{thirds} + 32]",
                quarters!("ymm2", "ymm7", "ymm13", "ymm3", "ymm4", "ymm14"),
                rotations = in(reg) ROTATIONS.as_ptr(),
                thirds = in(reg) self.thirds.as_mut_ptr(),
                inlateout("ymm0") *a0, inlateout("ymm1") *a1, inlateout("ymm2") *a2, inlateout("ymm3") *a3,
                inlateout("ymm4") *b0, inlateout("ymm5") *b1, inlateout("ymm6") *b2, inlateout("ymm7") *b3,
                inlateout("ymm8") *c0, inlateout("ymm9") *c1, out("ymm10") _, out("ymm11") _,
                inlateout("ymm12") *d0, inlateout("ymm13") *d1, inlateout("ymm14") *d2, inlateout("ymm15") *d3,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// From words of eight blocks to the blocks.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(words: &[__m256i; WORDS]) -> [[__m256i; 2]; BLOCKS] {
    // Quarters, of which each register has one of blocks 0 to 3, and the same one of blocks 4 to 7.
    let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = *words;
    let first = columns([a0, a1, a2, a3]);
    let second = columns([b0, b1, b2, b3]);
    let third = columns([c0, c1, c2, c3]);
    let fourth = columns([d0, d1, d2, d3]);
    let mut blocks = [[_mm256_setzero_si256(); 2]; BLOCKS];
    let (low, high) = blocks.split_at_mut(BLOCKS / 2);
    let pairs = first.into_iter().zip(second).zip(third.into_iter().zip(fourth));
    for ((low, high), ((a, b), (c, d))) in low.iter_mut().zip(high).zip(pairs) {
        *low = [
            _mm256_permute2x128_si256::<0x20>(a, b),
            _mm256_permute2x128_si256::<0x20>(c, d),
        ];
        *high = [
            _mm256_permute2x128_si256::<0x31>(a, b),
            _mm256_permute2x128_si256::<0x31>(c, d),
        ];
    }
    blocks
}

/// From four words, each of all blocks, to four blocks with all four words, in either half.
#[inline]
#[target_feature(enable = "avx2")]
fn columns([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (low_ab, low_cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
    let (high_ab, high_cd) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(low_ab, low_cd),
        _mm256_unpackhi_epi64(low_ab, low_cd),
        _mm256_unpacklo_epi64(high_ab, high_cd),
        _mm256_unpackhi_epi64(high_ab, high_cd),
    ]
}
