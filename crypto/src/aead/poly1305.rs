//! Poly1305 (RFC 8439, section 2.5) in words of 64 bits.
//!
//! The sum is kept below 2^130 and a little, in two words and a small third. The key's clamped bits make room: no
//! product or sum below leaves its type. In constant time: multiplications, additions and masks alone.

use super::TAG_SIZE;
use zeroize::optimization_barrier;

/// Bytes of a block.
const BLOCK: usize = 16;

/// The bits of `r` that may be set (section 2.5): each of its four words is below 2^28, and all but the first are
/// divisible by 4.
const CLAMP: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
/// The lower word.
const LOW: u128 = 0xffff_ffff_ffff_ffff;

/// The authenticator of one message. Wiped when dropped.
pub(super) struct Poly1305 {
    sum: [u64; 3],
    r: [u64; 2],
    /// r's upper word * 5 / 4: what it adds at the bottom where its products reach 2^130, congruent to 5.
    folded: u64,
    pad: u128,
}

impl Poly1305 {
    /// With the halves of a key that is used once.
    pub(super) fn new(r: [u8; BLOCK], pad: [u8; BLOCK]) -> Self {
        let [r, pad] = [r, pad].map(u128::from_le_bytes);
        let r = words(r & CLAMP);
        let [_, upper] = r;
        Self {
            sum: [0; 3],
            r,
            folded: upper + (upper >> 2),
            pad,
        }
    }

    /// Adds a block of 16 bytes.
    #[inline(always)]
    pub(super) fn block(&mut self, block: &[u8; BLOCK]) {
        let [m0, m1] = words(u128::from_le_bytes(*block));
        let [h0, h1, h2] = self.sum;
        let (h0, carry) = h0.carrying_add(m0, false);
        let (h1, carry) = h1.carrying_add(m1, carry);
        // The bit behind the block.
        let h2 = h2.wrapping_add(1).wrapping_add(u64::from(carry));
        self.multiply([h0, h1, h2]);
    }

    /// The sum, which is below 8 * 2^128, times r, modulo 2^130 - 5, but for a little.
    #[inline(always)]
    fn multiply(&mut self, [h0, h1, h2]: [u64; 3]) {
        let [r0, r1] = self.r;
        let bottom = product(h0, r0).wrapping_add(product(h1, self.folded));
        let middle = product(h0, r1)
            .wrapping_add(product(h1, r0))
            .wrapping_add(u128::from(h2.wrapping_mul(self.folded)));
        let [h0, carry] = words(bottom);
        let [h1, carry] = words(middle.wrapping_add(u128::from(carry)));
        let top = h2.wrapping_mul(r0).wrapping_add(carry);
        // What reaches 2^130 comes back five times: as it is, a fourth of top's upper bits, and four fourths.
        let back = (top >> 2).wrapping_add(top & !3);
        let (h0, carry) = h0.overflowing_add(back);
        let (h1, carry) = h1.carrying_add(0, carry);
        self.sum = [h0, h1, (top & 3).wrapping_add(u64::from(carry))];
    }

    /// Adds `bytes` and zeros up to a whole block.
    pub(super) fn padded(&mut self, bytes: &[u8]) {
        let (blocks, part) = bytes.as_chunks();
        for block in blocks {
            self.block(block);
        }
        if !part.is_empty() {
            let mut last = [0; BLOCK];
            for (to, from) in last.iter_mut().zip(part) {
                *to = *from;
            }
            self.block(&last);
        }
    }

    /// The tag of what was added.
    pub(super) fn tag(&self) -> [u8; TAG_SIZE] {
        let [h0, h1, h2] = self.sum;
        let sum = u128::from(h1) << 64 | u128::from(h0);
        // 2^130 - 5 or more, if five more reach 2^130; then these five more, without 2^130, are the remainder.
        let (reduced, carry) = sum.overflowing_add(5);
        let reaches = h2.wrapping_add(u64::from(carry)) >> 2;
        let mask = u128::from(reaches != 0).wrapping_neg();
        let remainder = (reduced & mask) | (sum & !mask);
        remainder.wrapping_add(self.pad).to_le_bytes()
    }
}

impl Drop for Poly1305 {
    fn drop(&mut self) {
        self.sum = [0; 3];
        self.r = [0; 2];
        self.folded = 0;
        self.pad = 0;
        optimization_barrier(self);
    }
}

#[inline(always)]
fn product(left: u64, right: u64) -> u128 {
    u128::from(left).wrapping_mul(u128::from(right))
}

/// Lower and upper.
#[inline(always)]
const fn words(value: u128) -> [u64; 2] {
    [(value & LOW) as u64, (value >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use openssl::bn::{BigNum, BigNumContext};
    use proptest::prelude::*;
    use proptest::sample::select;

    fn tag(r: [u8; BLOCK], pad: [u8; BLOCK], message: &[u8]) -> [u8; TAG_SIZE] {
        let mut authenticator = Poly1305::new(r, pad);
        authenticator.padded(message);
        authenticator.tag()
    }

    /// RFC 8439, appendix A.3, vectors 1, 7, 8 and 9: sums at and about 2^128 and 2^130 - 5.
    #[test]
    fn published_sums_about_the_modulus_are_reduced() {
        let block = u128::to_le_bytes;
        let ones = u128::MAX;
        assert_eq!(tag([0; 16], [0; 16], &[0; 64]), [0; 16], "1");
        let message = [block(ones), block(ones - 0xf), block(0x11)].concat();
        assert_eq!(tag(block(1), [0; 16], &message), block(5), "7");
        let message = [block(ones), block(u128::MAX / 0xff * 0xfe - 3), [1; 16]].concat();
        assert_eq!(tag(block(1), [0; 16], &message), block(0), "8");
        assert_eq!(tag(block(2), [0; 16], &block(ones - 2)), block(ones - 5), "9");
    }

    /// Section 2.5.1 as it is written, by OpenSSL's numbers.
    fn judged(r: u128, pad: u128, message: &[u8]) -> Vec<u8> {
        let number = |little: &[u8]| {
            let big: Vec<u8> = little.iter().rev().copied().collect();
            BigNum::from_slice(&big).unwrap()
        };
        let mut context = BigNumContext::new().unwrap();
        let mut modulus = BigNum::new().unwrap();
        modulus.set_bit(130).unwrap();
        modulus.sub_word(5).unwrap();
        let r = number(&(r & CLAMP).to_le_bytes());
        let mut sum = BigNum::new().unwrap();
        for block in message.chunks(BLOCK) {
            let block = number(&[block, &[1]].concat());
            let mut product = BigNum::new().unwrap();
            product
                .mod_mul(&(&sum + &block), &r, &modulus, &mut context)
                .unwrap();
            sum = product;
        }
        let mut tag = (&sum + &number(&pad.to_le_bytes())).to_vec();
        tag.reverse();
        tag.resize(TAG_SIZE, 0);
        tag
    }

    /// Numbers that make every carry happen, and make none.
    fn edges() -> impl Strategy<Value = u128> {
        prop_oneof![
            any::<u128>(),
            select(alloc::vec![
                0,
                1,
                2,
                4,
                5,
                CLAMP,
                LOW,
                LOW - 1,
                LOW + 1,
                LOW << 64
            ]),
            (0..8_u128).prop_map(|below| u128::MAX - below),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn tags_are_what_large_numbers_make_them(
            r in edges(),
            pad in edges(),
            blocks in prop::collection::vec(edges(), 0..12),
            end in prop::collection::vec(any::<u8>(), 0..16),
        ) {
            let blocks: Vec<_> = blocks.into_iter().map(u128::to_le_bytes).collect();
            let mut authenticator = Poly1305::new(r.to_le_bytes(), pad.to_le_bytes());
            authenticator.padded(blocks.as_flattened());
            prop_assert_eq!(&authenticator.tag()[..], judged(r, pad, blocks.as_flattened()));
            // A part of a block is padded for the AEAD (section 2.8), so the judge is told the zeros.
            authenticator.padded(&end);
            let mut message = [blocks.as_flattened(), &end].concat();
            message.resize(message.len().next_multiple_of(BLOCK), 0);
            prop_assert_eq!(&authenticator.tag()[..], judged(r, pad, &message));
        }
    }
}
