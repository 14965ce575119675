//! ChaCha20 (RFC 8439, section 2.3) of four blocks at once by SSSE3.
//!
//! A register holds one word of all four blocks, so no round moves words about. That are 16 registers, which are all
//! there are, and rotating takes another: so words 8 to 11 take turns, two in registers and two in memory. The two that
//! are needed last were written first, so nothing waits for memory.
//!
//! The rounds are assembly because a compiler turns rotations by shuffles into more shuffles, of which a CPU does two a
//! cycle, and puts words into memory that are needed at once. Nothing depends on a secret but values in registers: no
//! table is looked up, no branch taken. Only legacy encodings, so that the guest's upper register halves stay as they
//! are.
#![expect(
    unsafe_code,
    reason = "the order of the instructions is what this file is for"
)]

use super::interleave::{Group, Kernel};
use super::keystream::{COUNTER, DOUBLE_ROUNDS, WORDS};
use core::arch::asm;
use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_set_epi32, _mm_set1_epi32, _mm_setzero_si128, _mm_unpackhi_epi32,
    _mm_unpackhi_epi64, _mm_unpacklo_epi32, _mm_unpacklo_epi64,
};
use core::mem::transmute;

cpufeatures::new!(ssse3_instructions, "ssse3");

/// Blocks that are computed together.
const BLOCKS: usize = 4;
/// Quarters of blocks in these.
pub(super) const QUARTERS: usize = BLOCKS * 4;

/// That this CPU has SSSE3.
#[derive(Clone, Copy)]
pub(super) struct Ssse3(());

impl Ssse3 {
    /// `None` where CPUID does not show it.
    pub(super) fn detect() -> Option<Self> {
        ssse3_instructions::get().then_some(Self(()))
    }
}

/// Which byte comes from where, the highest first, when each double word is rotated left by 16, and by 8.
static ROTATIONS: [u128; 2] = [
    0x0d0c_0f0e_0908_0b0a_0504_0706_0100_0302,
    0x0e0d_0c0f_0a09_080b_0605_0407_0201_0003,
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
            "paddd ", $a, ", ", $b, "\n",
            "paddd ", $e, ", ", $f, "\n",
            "pxor ", $d, ", ", $a, "\n",
            "pxor ", $h, ", ", $e, "\n",
            "pshufb ", $d, ", [{rotations} + ", $shuffle, "]\n",
            "pshufb ", $h, ", [{rotations} + ", $shuffle, "]\n",
            "paddd ", $c, ", ", $d, "\n",
            "paddd ", $g, ", ", $h, "\n",
            "pxor ", $b, ", ", $c, "\n",
            "pxor ", $f, ", ", $g, "\n",
            "movdqa xmm10, ", $b, "\n",
            "movdqa xmm11, ", $f, "\n",
            "psrld ", $b, ", ", $right, "\n",
            "psrld ", $f, ", ", $right, "\n",
            "pslld xmm10, ", $left, "\n",
            "pslld xmm11, ", $left, "\n",
            "por ", $b, ", xmm10\n",
            "por ", $f, ", xmm11\n",
        )
    };
}

/// The quarter rounds of two columns or diagonals, whose third words are in xmm8 and xmm9.
#[rustfmt::skip]
macro_rules! quarters {
    ($a:literal, $b:literal, $d:literal, $e:literal, $f:literal, $h:literal) => {
        concat!(
            half!("0", "12", "20", $a, $b, "xmm8", $d, $e, $f, "xmm9", $h),
            half!("16", "7", "25", $a, $b, "xmm8", $d, $e, $f, "xmm9", $h),
        )
    };
}

impl Kernel<QUARTERS> for Ssse3 {
    const BLOCKS: u32 = 4;

    #[inline(always)]
    fn compute(self, words: &[u32; WORDS], group: &mut Group<QUARTERS>, meanwhile: impl FnMut()) {
        // SAFETY: the CPU has SSSE3, as `self` proves.
        *group = unsafe { compute(words, meanwhile) };
    }
}

/// Four blocks, of which the first has the number in `words`.
#[inline]
#[target_feature(enable = "ssse3")]
fn compute(words: &[u32; WORDS], mut meanwhile: impl FnMut()) -> Group<QUARTERS> {
    let mut start = [_mm_setzero_si128(); WORDS];
    for (start, word) in start.iter_mut().zip(words) {
        *start = _mm_set1_epi32(word.cast_signed());
    }
    if let Some(counter) = start.get_mut(COUNTER) {
        *counter = _mm_add_epi32(*counter, _mm_set_epi32(3, 2, 1, 0));
    }
    let mut state = State::new(&start);
    for _ in 0..DOUBLE_ROUNDS {
        state.double_round();
        meanwhile();
        meanwhile();
    }
    let mut end = state.words();
    for (word, start) in end.iter_mut().zip(start) {
        *word = _mm_add_epi32(*word, start);
    }
    let blocks = transposed(&end);
    // SAFETY: as many bytes, in which every pattern of bits is a value.
    unsafe { transmute::<[[__m128i; 4]; BLOCKS], Group<QUARTERS>>(blocks) }
}

/// The rows of the state (section 2.3), as the registers have them.
struct State {
    a: [__m128i; 4],
    b: [__m128i; 4],
    /// The first two of the third row.
    c: [__m128i; 2],
    d: [__m128i; 4],
    /// The third row in memory, of which the last two words are right.
    thirds: [__m128i; 4],
}

impl State {
    #[inline(always)]
    const fn new(words: &[__m128i; WORDS]) -> Self {
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
    const fn words(&self) -> [__m128i; WORDS] {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.a, self.b);
        let ([c0, c1], [_, _, c2, c3], [d0, d1, d2, d3]) = (self.c, self.thirds, self.d);
        [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3]
    }

    /// A column round and a diagonal round.
    #[inline]
    #[target_feature(enable = "ssse3")]
    fn double_round(&mut self) {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (&mut self.a, &mut self.b);
        let ([c0, c1], [d0, d1, d2, d3]) = (&mut self.c, &mut self.d);
        // SAFETY: the CPU has the instructions, as the feature says. What is read and written are 32 bytes of constants
        // and 64 of `thirds`, both aligned by their types.
        unsafe {
            asm!(
                quarters!("xmm0", "xmm4", "xmm12", "xmm1", "xmm5", "xmm13"),
                "movdqa [{thirds}], xmm8",
                "movdqa [{thirds} + 16], xmm9",
                "movdqa xmm8, [{thirds} + 32]",
                "movdqa xmm9, [{thirds} + 48]",
                quarters!("xmm2", "xmm6", "xmm14", "xmm3", "xmm7", "xmm15"),
                quarters!("xmm0", "xmm5", "xmm15", "xmm1", "xmm6", "xmm12"),
                "movdqa [{thirds} + 32], xmm8",
                "movdqa [{thirds} + 48], xmm9",
                "movdqa xmm8, [{thirds}]",
                "movdqa xmm9, [{thirds} + 16]",
                quarters!("xmm2", "xmm7", "xmm13", "xmm3", "xmm4", "xmm14"),
                rotations = in(reg) ROTATIONS.as_ptr(),
                thirds = in(reg) self.thirds.as_mut_ptr(),
                inlateout("xmm0") *a0, inlateout("xmm1") *a1, inlateout("xmm2") *a2, inlateout("xmm3") *a3,
                inlateout("xmm4") *b0, inlateout("xmm5") *b1, inlateout("xmm6") *b2, inlateout("xmm7") *b3,
                inlateout("xmm8") *c0, inlateout("xmm9") *c1, out("xmm10") _, out("xmm11") _,
                inlateout("xmm12") *d0, inlateout("xmm13") *d1, inlateout("xmm14") *d2, inlateout("xmm15") *d3,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// From words of four blocks to the blocks.
#[inline]
#[target_feature(enable = "ssse3")]
fn transposed(words: &[__m128i; WORDS]) -> [[__m128i; 4]; BLOCKS] {
    let mut blocks = [[_mm_setzero_si128(); 4]; BLOCKS];
    for (at, [a, b, c, d]) in words.as_chunks().0.iter().enumerate() {
        let (low_ab, low_cd) = (_mm_unpacklo_epi32(*a, *b), _mm_unpacklo_epi32(*c, *d));
        let (high_ab, high_cd) = (_mm_unpackhi_epi32(*a, *b), _mm_unpackhi_epi32(*c, *d));
        let columns = [
            _mm_unpacklo_epi64(low_ab, low_cd),
            _mm_unpackhi_epi64(low_ab, low_cd),
            _mm_unpacklo_epi64(high_ab, high_cd),
            _mm_unpackhi_epi64(high_ab, high_cd),
        ];
        for (block, column) in blocks.iter_mut().zip(columns) {
            if let Some(place) = block.get_mut(at) {
                *place = column;
            }
        }
    }
    blocks
}
