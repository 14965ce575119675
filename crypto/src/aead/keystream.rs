//! The state from which ChaCha20 (RFC 8439, section 2.3) computes its blocks, and the count of those that were.

use super::interleave::{Group, Kernel};
use super::{KEY_SIZE, NONCE_SIZE};
use zeroize::optimization_barrier;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;
/// Bytes that an authenticator takes at once, and a register of SSE holds.
pub(super) const QUARTER: usize = BLOCK / 4;
/// Words of the state.
pub(super) const WORDS: usize = 16;
/// The word that counts blocks.
pub(super) const COUNTER: usize = 12;
/// Column rounds, each with a diagonal round behind it.
pub(super) const DOUBLE_ROUNDS: usize = 10;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The blocks of one key and nonce, one after the other. It holds the key, so it is wiped.
pub(super) struct Keystream {
    words: [u32; WORDS],
}

impl Keystream {
    /// From block 0 on.
    pub(super) fn new(key: &[u8; KEY_SIZE], nonce: &[u8; NONCE_SIZE]) -> Self {
        let mut words = [0; WORDS];
        let key = key.as_chunks().0.iter().copied().map(u32::from_le_bytes);
        let nonce = nonce.as_chunks().0.iter().copied().map(u32::from_le_bytes);
        let all = CONSTANTS.into_iter().chain(key).chain([0]).chain(nonce);
        for (word, value) in words.iter_mut().zip(all) {
            *word = value;
        }
        Self { words }
    }

    /// The next blocks, as many as the kernel computes together. `meanwhile` is called often enough for each quarter
    /// of them: the vector units never wait for it.
    #[inline(always)]
    pub(super) fn next<K: Kernel<QUARTERS>, const QUARTERS: usize>(
        &mut self,
        kernel: K,
        group: &mut Group<QUARTERS>,
        meanwhile: impl FnMut(),
    ) {
        kernel.compute(&self.words, group, meanwhile);
        // Numbers behind the last that is used may wrap.
        if let Some(counter) = self.words.get_mut(COUNTER) {
            *counter = counter.wrapping_add(K::BLOCKS);
        }
    }
}

impl Drop for Keystream {
    fn drop(&mut self) {
        self.words = [0; WORDS];
        optimization_barrier(self);
    }
}
