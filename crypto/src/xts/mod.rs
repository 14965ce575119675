//! AES-XTS (IEEE 1619) on whole sectors, as dm-crypt's `aes-xts-plain64` writes them.
//!
//! A sector's tweak is its number from the start of the volume in 512-byte units, as 64 bits, little-endian, followed
//! by zeros. Sectors of 4,096 bytes count by eight (dm-crypt without `iv_large_sectors`, as LUKS2 does).
//! The data may be anything; it is never looked at.

mod aesni;
mod portable;

use crate::secret;
use aesni::AesNi;
use portable::Portable;

/// Bytes in which tweaks count.
const TWEAK_UNIT: usize = 512;

/// How many bytes are encrypted under one tweak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SectorSize {
    /// 512 bytes.
    B512,
    /// 4,096 bytes.
    B4096,
}

impl SectorSize {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::B512 => 512,
            Self::B4096 => 4096,
        }
    }

    /// By how much the tweak of the next sector is higher.
    const fn tweaks(self) -> u64 {
        match self {
            Self::B512 => 1,
            Self::B4096 => 8,
        }
    }
}

impl TryFrom<u16> for SectorSize {
    type Error = u16;

    /// From bytes; any but 512 and 4,096 come back.
    fn try_from(bytes: u16) -> Result<Self, u16> {
        match bytes {
            512 => Ok(Self::B512),
            4096 => Ok(Self::B4096),
            other => Err(other),
        }
    }
}

/// Why a key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyError {
    /// It is neither 32 nor 64 bytes long.
    Length {
        /// Bytes given.
        given: usize,
    },
    /// Both halves are the same, which no random key is, and with which XTS leaks (FIPS 140-3 IG, C.I). dm-crypt takes
    /// such a key outside its FIPS mode; nothing of cryptsetup's makes one.
    EqualHalves,
}

/// Why no sector was touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeError {
    /// The data is not a whole number of sectors.
    PartOfASector {
        /// Bytes given.
        length: usize,
    },
    /// The last tweak would not fit 64 bits.
    TweakOverflow {
        /// The first.
        first_tweak: u64,
    },
}

/// The cipher of one volume: key and sector size.
pub struct SectorCipher {
    sector_size: SectorSize,
    engine: Engine,
}

/// How it is computed: decided once, by CPUID.
enum Engine {
    AesNi(AesNi),
    Portable(Portable),
}

impl SectorCipher {
    /// With a key of 32 bytes (AES-128) or 64 (AES-256): first the data key, then the tweak key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(key: &[u8], sector_size: SectorSize) -> Result<Self, KeyError> {
        let (data, tweak) = key.split_at(key.len() / 2);
        let engine = AesNi::new(data, tweak)
            .map(Engine::AesNi)
            .or_else(|| Portable::new(data, tweak).map(Engine::Portable))
            .ok_or(KeyError::Length { given: key.len() })?;
        if secret::same(data, tweak) {
            return Err(KeyError::EqualHalves);
        }
        Ok(Self { sector_size, engine })
    }

    /// The size of its sectors.
    #[must_use]
    pub const fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    /// Encrypts whole sectors in their place, of which the first has the number `first_tweak` in units of 512 bytes.
    ///
    /// # Errors
    /// [`RangeError`]; `data` is as it was.
    pub fn encrypt(&self, first_tweak: u64, data: &mut [u8]) -> Result<(), RangeError> {
        self.check(first_tweak, data)?;
        match &self.engine {
            Engine::AesNi(engine) => engine.encrypt(self.sector_size, first_tweak, data),
            Engine::Portable(engine) => engine.encrypt(self.sector_size, first_tweak, data),
        }
        Ok(())
    }

    /// Decrypts whole sectors in their place, of which the first has the number `first_tweak` in units of 512 bytes.
    ///
    /// # Errors
    /// [`RangeError`]; `data` is as it was.
    pub fn decrypt(&self, first_tweak: u64, data: &mut [u8]) -> Result<(), RangeError> {
        self.check(first_tweak, data)?;
        match &self.engine {
            Engine::AesNi(engine) => engine.decrypt(self.sector_size, first_tweak, data),
            Engine::Portable(engine) => engine.decrypt(self.sector_size, first_tweak, data),
        }
        Ok(())
    }

    fn check(&self, first_tweak: u64, data: &[u8]) -> Result<(), RangeError> {
        let length = data.len();
        if !length.is_multiple_of(self.sector_size.bytes()) {
            return Err(RangeError::PartOfASector { length });
        }
        let overflow = RangeError::TweakOverflow { first_tweak };
        let tweaks = u64::try_from(length / TWEAK_UNIT).map_err(|_| overflow)?;
        // The tweak behind the last sector must exist too, so that nobody below adds with care.
        first_tweak.checked_add(tweaks).ok_or(overflow)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
