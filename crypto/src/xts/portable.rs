//! XTS by the `aes` and `xts-mode` crates: for CPUs without AES instructions, and the judge of our own kernels.
//!
//! The `aes` crate is constant-time on every CPU. It wipes its keys when dropped.

use super::SectorSize;
use aes::cipher::KeyInit;
use aes::{Aes128, Aes256};
use alloc::boxed::Box;
use xts_mode::Xts128;

/// The keys, in memory of their own, so that moving the cipher leaves none behind.
pub(super) enum Portable {
    Aes128(Box<Xts128<Aes128>>),
    Aes256(Box<Xts128<Aes256>>),
}

impl Portable {
    /// `None` unless both keys are 16 or 32 bytes long.
    pub(super) fn new(data: &[u8], tweak: &[u8]) -> Option<Self> {
        if let (Ok(data), Ok(tweak)) = (Aes128::new_from_slice(data), Aes128::new_from_slice(tweak)) {
            return Some(Self::Aes128(Box::new(Xts128::new(data, tweak))));
        }
        let data = Aes256::new_from_slice(data).ok()?;
        let tweak = Aes256::new_from_slice(tweak).ok()?;
        Some(Self::Aes256(Box::new(Xts128::new(data, tweak))))
    }

    pub(super) fn encrypt(&self, size: SectorSize, first_tweak: u64, data: &mut [u8]) {
        for_each_sector(size, first_tweak, data, |sector, tweak| match self {
            Self::Aes128(cipher) => cipher.encrypt_sector(sector, tweak.into()),
            Self::Aes256(cipher) => cipher.encrypt_sector(sector, tweak.into()),
        });
    }

    pub(super) fn decrypt(&self, size: SectorSize, first_tweak: u64, data: &mut [u8]) {
        for_each_sector(size, first_tweak, data, |sector, tweak| match self {
            Self::Aes128(cipher) => cipher.decrypt_sector(sector, tweak.into()),
            Self::Aes256(cipher) => cipher.decrypt_sector(sector, tweak.into()),
        });
    }
}

fn for_each_sector(size: SectorSize, first_tweak: u64, data: &mut [u8], each: impl Fn(&mut [u8], [u8; 16])) {
    let mut tweak = first_tweak;
    for sector in data.chunks_exact_mut(size.bytes()) {
        each(sector, u128::from(tweak).to_le_bytes());
        tweak = tweak.wrapping_add(size.tweaks());
    }
}
