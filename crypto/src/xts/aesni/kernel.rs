//! XTS of eight blocks at once by AES instructions.
//!
//! A CPU starts one or two AES instructions a cycle, each of which takes three or four, so eight blocks that do not wait
//! for each other are in flight. Whatever else is to be computed must not take the AES unit's turns:
//! - the last round takes a block's output whitening (last round key ^ tweak) as its round key, from memory;
//! - the tweaks of the next eight blocks are doubled four at a time, before the fourth and the second last full round.
//!   There the CPU sees the next eight blocks already and fills what is lost. The places were found by measuring.
//!
//! It is assembly because a compiler sorts intrinsics by stream and spills. Nothing depends on a secret but values in
//! registers: no table is looked up, no branch taken. Only legacy encodings, so that the guest's upper register halves
//! stay as they are.
#![expect(
    unsafe_code,
    reason = "the order of the instructions is what this file is for"
)]

use super::keys::{KeySize, RoundKeys};
use core::arch::asm;
use core::mem::swap;
use zeroize::optimization_barrier;

/// Blocks in flight.
pub(super) const STREAMS: usize = 8;
/// Bytes of a block.
pub(super) const BLOCK: usize = 16;

/// The blocks that are worked on together.
pub(super) type Group = [[u8; BLOCK]; STREAMS];
/// Last round key ^ tweak, for each block of a group.
type Whitening = [u128; STREAMS];

/// What carries turn into when both halves of a tweak are doubled: what leaves the low half enters the high one, what
/// leaves that is x^128, congruent to x^7 + x^2 + x + 1 (IEEE 1619, section 5.2).
static CARRIES: u128 = 1 << 64 | 0x87;

/// Which way.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Encrypt,
    Decrypt,
}

/// For each block of the group: `part` with its register and its offset in bytes.
macro_rules! each {
    ($part:ident $(, $argument:literal)*) => {
        concat!(
            $part!("xmm8", "0" $(, $argument)*),
            $part!("xmm9", "16" $(, $argument)*),
            $part!("xmm10", "32" $(, $argument)*),
            $part!("xmm11", "48" $(, $argument)*),
            $part!("xmm12", "64" $(, $argument)*),
            $part!("xmm13", "80" $(, $argument)*),
            $part!("xmm14", "96" $(, $argument)*),
            $part!("xmm15", "112" $(, $argument)*),
        )
    };
}

/// A block ^ tweak ^ first round key; xmm6 is first ^ last round key.
#[rustfmt::skip]
macro_rules! input {
    ($block:literal, $offset:literal) => {
        concat!(
            "movdqu ", $block, ", [{blocks} + ", $offset, "]\n",
            "pxor ", $block, ", xmm6\n",
            "pxor ", $block, ", [{now} + ", $offset, "]\n",
        )
    };
}

macro_rules! step {
    ($block:literal, $offset:literal, $instruction:literal) => {
        concat!($instruction, " ", $block, ", xmm3\n")
    };
}

/// A full round of the group.
#[rustfmt::skip]
macro_rules! round {
    ($instruction:literal, $number:literal) => {
        concat!("movdqa xmm3, [{keys} + 16 * ", $number, "]\n", each!(step, $instruction))
    };
}

macro_rules! last {
    ($block:literal, $offset:literal, $instruction:literal) => {
        concat!($instruction, "last ", $block, ", [{now} + ", $offset, "]\n")
    };
}

macro_rules! output {
    ($block:literal, $offset:literal) => {
        concat!("movdqu [{blocks} + ", $offset, "], ", $block, "\n")
    };
}

/// Writes the tweak in xmm1 as whitening and doubles it. The carries of the next eight doublings are the upper bits of
/// both halves, which xmm0 has in its double words 0 and 2 (crosswise: the high half's carry comes back reduced).
#[rustfmt::skip]
macro_rules! double {
    ($offset:literal) => {
        concat!(
            "movdqa xmm2, xmm0\n",
            "paddd xmm0, xmm0\n",
            "psrad xmm2, 31\n",
            "movdqa xmm4, xmm1\n",
            "pxor xmm4, xmm7\n",
            "movdqa [{next} + ", $offset, "], xmm4\n",
            "paddq xmm1, xmm1\n",
            "pand xmm2, xmm5\n",
            "pxor xmm1, xmm2\n",
        )
    };
}

macro_rules! groups {
    ($instruction:literal, $keys:ident, $pass:ident, $now:ident, $next:ident, $following:ident, $blocks:ident) => {
        // SAFETY: the CPU has the instructions, as `RoundKeys` say. What is read and written lies in the references:
        // 240 bytes of keys, 128 of each whitening, 128 of blocks for each group, 16 of the others. Whitening, keys and
        // constants are aligned by their types; the others are accessed by instructions that need no alignment.
        unsafe {
            asm!(
                "movdqu xmm1, [{tweak}]",
                "movdqa xmm5, [{carries}]",
                "movdqa xmm6, [{outer}]",
                "movdqa xmm7, [{keys} + 16 * 14]",
                "test {groups}, {groups}",
                "jz 5f",
                ".p2align 6",
                "2:",
                each!(input),
                "sub {groups}, 1",
                "jnz 3f",
                "movdqu xmm1, [{following}]",
                "3:",
                "pshufd xmm0, xmm1, 0x13",
                "test {short}, {short}",
                "jnz 4f",
                round!($instruction, 1),
                round!($instruction, 2),
                round!($instruction, 3),
                round!($instruction, 4),
                "4:",
                round!($instruction, 5),
                round!($instruction, 6),
                round!($instruction, 7),
                round!($instruction, 8),
                round!($instruction, 9),
                double!("0"), double!("16"), double!("32"), double!("48"),
                round!($instruction, 10),
                round!($instruction, 11),
                double!("64"), double!("80"), double!("96"), double!("112"),
                round!($instruction, 12),
                round!($instruction, 13),
                each!(last, $instruction),
                each!(output),
                "xchg {now}, {next}",
                "add {blocks}, 128",
                "test {groups}, {groups}",
                "jnz 2b",
                "jmp 6f",
                "5:",
                "xchg {now}, {next}",
                "movdqu xmm1, [{following}]",
                "pshufd xmm0, xmm1, 0x13",
                double!("0"), double!("16"), double!("32"), double!("48"),
                double!("64"), double!("80"), double!("96"), double!("112"),
                "6:",
                "movdqu [{tweak}], xmm1",
                keys = in(reg) $keys.places().as_ptr(),
                outer = in(reg) $keys.outer(),
                short = in(reg) u64::from($keys.size() == KeySize::Aes128),
                carries = in(reg) &raw const CARRIES,
                tweak = in(reg) $pass.tweak.as_mut_ptr(),
                following = in(reg) $following.as_ptr(),
                now = inout(reg) $now => _,
                next = inout(reg) $next => _,
                blocks = inout(reg) $blocks.as_mut_ptr() => _,
                groups = inout(reg) $blocks.len() => _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nostack),
            );
        }
    };
}

/// What goes from one group to the next. It holds a round key, so it is wiped.
pub(super) struct Pass {
    /// The next group's and the one's behind it, or the other way round.
    whitening: [Whitening; 2],
    is_crossed: bool,
    /// The first tweak of the group behind the next, unless another follows.
    tweak: [u8; BLOCK],
}

impl Pass {
    /// All tweaks zero, and so they stay where zero follows: XTS is plain AES then.
    pub(super) const fn plain(keys: &RoundKeys) -> Self {
        Self {
            whitening: [[keys.last(); STREAMS]; 2],
            is_crossed: false,
            tweak: [0; BLOCK],
        }
    }

    /// Encrypts or decrypts groups in their place. The first block behind them has the tweak `following`; none at all
    /// start a pass.
    pub(super) fn work(
        &mut self,
        direction: Direction,
        keys: &RoundKeys,
        following: &[u8; BLOCK],
        groups: &mut [Group],
    ) {
        let [mut now, mut next] = self.whitening.each_mut().map(|whitening| whitening.as_mut_ptr());
        if self.is_crossed {
            swap(&mut now, &mut next);
        }
        match direction {
            Direction::Encrypt => groups!("aesenc", keys, self, now, next, following, groups),
            Direction::Decrypt => groups!("aesdec", keys, self, now, next, following, groups),
        }
        self.is_crossed ^= !groups.len().is_multiple_of(2);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // Volatile writes, eight bytes each, would be 4 % of a call for 4 KiB.
        self.whitening = [[0; STREAMS]; 2];
        optimization_barrier(self);
    }
}
