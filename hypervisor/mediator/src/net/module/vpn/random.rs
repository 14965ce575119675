//! Random numbers for keys, from a seed that nobody else knows.
//!
//! Each draw replaces the key, so that who learns it later does not learn what was drawn before.

use sekisho_crypto::hkdf::derive;
use sekisho_crypto::secret::{Secret, SecretBytes};
use sekisho_vpn::Random;

/// Bytes of the seed.
pub const SEED_BYTES: usize = 32;
/// Bytes drawn at a time.
const BLOCK: usize = 64;
/// What the key is used for.
const PURPOSE: &[u8] = b"sekisho random";

/// A seed of all that is random on this machine: what the firmware gave, what was drawn from the CPU, and something that no
/// other NIC has. Who knows one of the first two does not know the seed; `None` where there is neither.
#[must_use]
pub fn seed(firmware: &[u8], processor: &[u8], apart: &[u8]) -> Option<Secret<SEED_BYTES>> {
    if firmware.is_empty() && processor.is_empty() {
        return None;
    }
    let mut material = SecretBytes::with_capacity(firmware.len() + processor.len());
    for byte in firmware.iter().chain(processor) {
        material.push(*byte).ok()?;
    }
    let mut seed = Secret::zeroed();
    derive(material.expose(), apart, PURPOSE, seed.expose_mut()).ok()?;
    Some(seed)
}

/// A source of random bytes.
pub(super) struct Generator {
    key: Secret<SEED_BYTES>,
}

impl Generator {
    pub(super) const fn new(seed: Secret<SEED_BYTES>) -> Self {
        Self { key: seed }
    }
}

impl Random for Generator {
    fn fill(&mut self, bytes: &mut [u8]) {
        for block in bytes.chunks_mut(BLOCK) {
            let mut drawn = Secret::<{ SEED_BYTES + BLOCK }>::zeroed();
            // So few bytes are never too long.
            let _ = derive(self.key.expose(), &[], PURPOSE, drawn.expose_mut());
            let (key, rest) = drawn.expose().split_at(SEED_BYTES);
            self.key.expose_mut().copy_from_slice(key);
            for (place, byte) in block.iter_mut().zip(rest) {
                *place = *byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_source_changes_the_seed_and_none_is_no_seed() {
        let of = |firmware: &[u8], processor: &[u8], apart: &[u8]| {
            seed(firmware, processor, apart).map(|seed| *seed.expose())
        };
        assert_eq!(of(&[], &[], &[1]), None);
        let all = of(&[1], &[1], &[1]);
        for other in [
            of(&[2], &[1], &[1]),
            of(&[1], &[2], &[1]),
            of(&[1], &[1], &[2]),
            of(&[], &[1], &[1]),
            of(&[1], &[], &[1]),
        ] {
            assert!(other.is_some() && other != all);
        }
    }

    #[test]
    fn no_block_comes_twice_and_another_seed_gives_others() {
        let mut generator = Generator::new(Secret::new([1; SEED_BYTES]));
        let mut first = vec![0; 3 * BLOCK];
        generator.fill(&mut first);
        let mut second = vec![0; BLOCK];
        generator.fill(&mut second);
        let mut blocks: vec::Vec<&[u8]> = first.chunks(BLOCK).collect();
        blocks.push(&second);
        let mut other = vec![0; BLOCK];
        Generator::new(Secret::new([2; SEED_BYTES])).fill(&mut other);
        blocks.push(&other);
        for (index, block) in blocks.iter().enumerate() {
            assert!(block.iter().any(|byte| *byte != 0));
            assert!(blocks.iter().skip(index + 1).all(|later| later != block));
        }
    }
}
