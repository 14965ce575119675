//! AES-XTS (IEEE 1619) on whole sectors, as dm-crypt's `aes-xts-plain64` writes them.
//!
//! A sector's tweak is its number from the start of the volume in 512-byte units, as 64 bits, little-endian, followed
//! by zeros. Sectors of 4,096 bytes count by eight (dm-crypt without `iv_large_sectors`, as LUKS2 does).
//! The data may be anything; it is never looked at.

mod portable;

use crate::secret;
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
    const fn tweaks(self) -> usize {
        self.bytes() / TWEAK_UNIT
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
    engine: Portable,
}

impl SectorCipher {
    /// With a key of 32 bytes (AES-128) or 64 (AES-256): first the data key, then the tweak key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(key: &[u8], sector_size: SectorSize) -> Result<Self, KeyError> {
        let (data, tweak) = key.split_at(key.len() / 2);
        let engine = Portable::new(data, tweak).ok_or(KeyError::Length { given: key.len() })?;
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
        self.engine.encrypt(self.sector_size, first_tweak, data);
        Ok(())
    }

    /// Decrypts whole sectors in their place, of which the first has the number `first_tweak` in units of 512 bytes.
    ///
    /// # Errors
    /// [`RangeError`]; `data` is as it was.
    pub fn decrypt(&self, first_tweak: u64, data: &mut [u8]) -> Result<(), RangeError> {
        self.check(first_tweak, data)?;
        self.engine.decrypt(self.sector_size, first_tweak, data);
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
mod tests {
    use super::*;

    /// IEEE 1619-2007, annex B, vector 2: 32 bytes of 44h under tweak 3333333333h; a sector begins with them.
    #[test]
    fn a_sector_begins_as_published() {
        let key = [[0x11; 16], [0x22; 16]].concat();
        let cipher = SectorCipher::new(&key, SectorSize::B512).unwrap();
        let mut sector = [0x44; 512];
        cipher.encrypt(0x33_3333_3333, &mut sector).unwrap();
        let expected = [
            0xc4, 0x54, 0x18, 0x5e, 0x6a, 0x16, 0x93, 0x6e, 0x39, 0x33, 0x40, 0x38, 0xac, 0xef, 0x83, 0x8b,
            0xfb, 0x18, 0x6f, 0xff, 0x74, 0x80, 0xad, 0xc4, 0x28, 0x93, 0x82, 0xec, 0xd6, 0xd3, 0x94, 0xf0,
        ];
        assert_eq!(sector[..32], expected);
        cipher.decrypt(0x33_3333_3333, &mut sector).unwrap();
        assert_eq!(sector, [0x44; 512]);
    }

    #[test]
    fn keys_of_other_lengths_or_equal_halves_are_refused() {
        let refused = |key: &[u8]| SectorCipher::new(key, SectorSize::B512).err();
        for length in [0, 1, 16, 31, 33, 48, 63, 65, 128] {
            let key: alloc::vec::Vec<u8> = (0..).take(length).collect();
            assert_eq!(refused(&key), Some(KeyError::Length { given: length }));
        }
        assert_eq!(refused(&[7; 32]), Some(KeyError::EqualHalves));
        assert_eq!(refused(&[7; 64]), Some(KeyError::EqualHalves));
    }

    #[test]
    fn a_part_of_a_sector_is_refused_and_untouched() {
        let key = [[1; 32], [2; 32]].concat();
        for size in [SectorSize::B512, SectorSize::B4096] {
            let cipher = SectorCipher::new(&key, size).unwrap();
            let mut data = alloc::vec![3; size.bytes() + 16];
            let length = data.len();
            assert_eq!(
                cipher.encrypt(0, &mut data),
                Err(RangeError::PartOfASector { length })
            );
            assert_eq!(
                cipher.decrypt(0, &mut data),
                Err(RangeError::PartOfASector { length })
            );
            assert!(data.iter().all(|byte| *byte == 3));
        }
    }

    #[test]
    fn tweaks_past_64_bits_are_refused() {
        let key = [[1; 16], [2; 16]].concat();
        let cipher = SectorCipher::new(&key, SectorSize::B4096).unwrap();
        let mut data = [0; 4096];
        let first_tweak = u64::MAX - 7;
        assert_eq!(
            cipher.encrypt(first_tweak, &mut data),
            Err(RangeError::TweakOverflow { first_tweak })
        );
        assert_eq!(cipher.encrypt(first_tweak - 1, &mut data), Ok(()));
    }
}
