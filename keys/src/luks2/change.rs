//! Changes of a header: keyslots come and go, a conversion begins and ends, damaged copies are written again.
//!
//! Each change ends with both copies written under the next sequence number.

use super::binary::{Binary, Place, TooLong};
use super::check::{Fault, check};
use super::keyslot::{self, Failure};
use super::metadata::{
    Area, AreaKind, Encryption, Kdf, Keyslot, KeyslotKind, Metadata, Splitter, SplitterKind,
};
use super::spec::{
    ALIGNMENT, ARGON2_MEMORY, ARGON2_WORK, MAX_KEYSLOTS, OUR_SALT_SIZE, OUR_SLOT_SIZE, SALT_SIZE, STRIPES,
};
use super::word::Word;
use super::{CONVERSION, Condition, Conversion, Header, area};
use crate::random::{NoRandomness, Random};
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use sekisho_crypto::Hash;
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::secret::SecretBytes;

/// Bytes of the key that encrypts a keyslot's area in our headers.
const AREA_KEY_SIZE: usize = 64;

/// Why a header was not made or changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeError {
    /// The source of randomness failed.
    NoRandomness,
    /// The costs are beyond what [`Header::read`] takes.
    Costs,
    /// This much memory is not there.
    Memory {
        /// KiB.
        needed: u32,
    },
    /// Every keyslot is taken.
    NoFreeSlot,
    /// There is no such keyslot.
    NoSuchSlot {
        /// Its number.
        slot: u32,
    },
    /// It is the last keyslot: without it nobody could open the volume.
    LastSlot,
    /// The key is not the one the header is of.
    WrongKey,
    /// The label or the metadata is longer than its place.
    TooLong,
    /// Every sequence number was used.
    Sequence,
    /// The result would not be a header that can be read.
    Fault(Fault),
}

impl Header {
    /// Adds a keyslot with the lowest free number, which is returned.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn add(
        &mut self,
        key: &SecretBytes,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<u32, ChangeError> {
        let numbers = (0..).take(MAX_KEYSLOTS);
        let mut free = numbers.filter(|slot| !self.metadata.keyslots.contains_key(slot));
        let slot = free.next().ok_or(ChangeError::NoFreeSlot)?;
        let offset = self.free_offset().ok_or(ChangeError::NoFreeSlot)?;
        self.fill_slot(slot, offset, key, passphrase, costs, random)?;
        Ok(slot)
    }

    /// Puts another passphrase in the place of a keyslot's.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn replace(
        &mut self,
        slot: u32,
        key: &SecretBytes,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(), ChangeError> {
        let keyslot = self.metadata.keyslots.get(&slot);
        let offset = keyslot.ok_or(ChangeError::NoSuchSlot { slot })?.area.offset.0;
        self.wipe(slot, random)?;
        self.fill_slot(slot, offset, key, passphrase, costs, random)
    }

    /// Puts a passphrase in a keyslot, whether there is one of that number or not.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn put(
        &mut self,
        slot: u32,
        key: &SecretBytes,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(), ChangeError> {
        if self.metadata.keyslots.contains_key(&slot) {
            return self.replace(slot, key, passphrase, costs, random);
        }
        let offset = self.free_offset().ok_or(ChangeError::NoFreeSlot)?;
        self.fill_slot(slot, offset, key, passphrase, costs, random)
    }

    /// Removes a keyslot and overwrites its area.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn remove(&mut self, slot: u32, random: &mut dyn Random) -> Result<(), ChangeError> {
        if !self.metadata.keyslots.contains_key(&slot) {
            return Err(ChangeError::NoSuchSlot { slot });
        }
        if self.metadata.keyslots.len() == 1 {
            return Err(ChangeError::LastSlot);
        }
        self.wipe(slot, random)?;
        let mut metadata = self.metadata.clone();
        metadata.keyslots.remove(&slot);
        for digest in metadata.digests.values_mut() {
            digest.keyslots.retain(|of| of.0 != u64::from(slot));
        }
        self.commit(metadata, random)
    }

    /// Says whether the volume is encrypted throughout.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn set_conversion(
        &mut self,
        conversion: Conversion,
        random: &mut dyn Random,
    ) -> Result<(), ChangeError> {
        let mut metadata = self.metadata.clone();
        metadata.config.requirements.mandatory = match conversion {
            Conversion::None => Vec::new(),
            Conversion::UnderWay => alloc::vec![CONVERSION.to_string()],
        };
        self.commit(metadata, random)
    }

    /// Writes both copies again from the one that was used.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn repair(&mut self, random: &mut dyn Random) -> Result<(), ChangeError> {
        self.write(self.binary.clone(), self.metadata.clone(), random)
    }

    fn fill_slot(
        &mut self,
        slot: u32,
        offset: u64,
        key: &SecretBytes,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(), ChangeError> {
        if !self.metadata.digests.values().any(|digest| digest.is_of(key)) {
            return Err(ChangeError::WrongKey);
        }
        let keyslot = new_keyslot(key.length(), offset, costs, random)?;
        let place = area(&keyslot).and_then(|area| self.file.get_mut(area));
        let place = place.ok_or(ChangeError::Fault(Fault::Area { slot }))?;
        keyslot::fill(&keyslot, place, passphrase, key.expose(), random)?;
        let mut metadata = self.metadata.clone();
        if metadata.keyslots.insert(slot, keyslot).is_none() {
            for digest in metadata.digests.values_mut() {
                digest.keyslots.push(Word(u64::from(slot)));
            }
        }
        self.commit(metadata, random)
    }

    /// Overwrites a keyslot's area.
    fn wipe(&mut self, slot: u32, random: &mut dyn Random) -> Result<(), ChangeError> {
        let area = self.metadata.keyslots.get(&slot).and_then(area);
        let place = area.and_then(|area| self.file.get_mut(area));
        random.fill(place.ok_or(ChangeError::NoSuchSlot { slot })?)?;
        Ok(())
    }

    /// Where in the keyslots area another keyslot has room.
    fn free_offset(&self) -> Option<u64> {
        let begin = (self.binary.area_size as u64).checked_mul(2)?;
        let end = begin.checked_add(self.metadata.config.keyslots_size.0)?;
        let mut taken: Vec<_> = self.metadata.keyslots.values().map(|it| &it.area).collect();
        taken.sort_unstable_by_key(|area| area.offset.0);
        let mut free = begin;
        for area in taken {
            if free.checked_add(OUR_SLOT_SIZE)? <= area.offset.0 {
                return Some(free);
            }
            free = area.offset.0.checked_add(area.size.0)?;
        }
        // Foreign areas may end anywhere.
        let free = free.checked_next_multiple_of(ALIGNMENT)?;
        (free.checked_add(OUR_SLOT_SIZE)? <= end).then_some(free)
    }

    /// Makes `metadata` the header's, under the next sequence number.
    fn commit(&mut self, metadata: Metadata, random: &mut dyn Random) -> Result<(), ChangeError> {
        let mut binary = self.binary.clone();
        binary.sequence = binary.sequence.checked_add(1).ok_or(ChangeError::Sequence)?;
        self.write(binary, metadata, random)
    }

    fn write(
        &mut self,
        binary: Binary,
        metadata: Metadata,
        random: &mut dyn Random,
    ) -> Result<(), ChangeError> {
        // Nothing is written that would not be read.
        let segment = check(&metadata, &binary, self.file.len()).map_err(ChangeError::Fault)?;
        let json = serde_json::to_vec(&metadata).map_err(|_| ChangeError::TooLong)?;
        let mut copies = Vec::new();
        for place in [Place::Primary, Place::Secondary(binary.area_size)] {
            let mut salt = [0; SALT_SIZE];
            random.fill(&mut salt)?;
            copies.extend(binary.write(place, &salt, &json)?);
        }
        let place = self.file.get_mut(..copies.len());
        place
            .ok_or(ChangeError::Fault(Fault::Sizes))?
            .copy_from_slice(&copies);
        self.binary = binary;
        self.metadata = metadata;
        self.segment = segment;
        self.condition = Condition::Whole;
        Ok(())
    }
}

fn new_keyslot(
    key_size: usize,
    offset: u64,
    costs: Costs,
    random: &mut dyn Random,
) -> Result<Keyslot, ChangeError> {
    let work = u64::from(costs.memory) * u64::from(costs.passes);
    if !ARGON2_MEMORY.contains(&costs.memory) || work == 0 || work > ARGON2_WORK {
        return Err(ChangeError::Costs);
    }
    Ok(Keyslot {
        kind: KeyslotKind::Luks2,
        key_size,
        priority: None,
        af: Splitter {
            kind: SplitterKind::Luks1,
            stripes: STRIPES,
            hash: Word(Hash::Sha256),
        },
        area: Area {
            kind: AreaKind::Raw,
            offset: Word(offset),
            size: Word(OUR_SLOT_SIZE),
            encryption: Encryption::AesXtsPlain64,
            key_size: AREA_KEY_SIZE,
        },
        kdf: Kdf::Argon2id {
            time: costs.passes,
            memory: costs.memory,
            cpus: costs.lanes,
            salt: Word(new_salt(random)?),
        },
    })
}

pub(super) fn new_salt(random: &mut dyn Random) -> Result<Vec<u8>, NoRandomness> {
    let mut salt = alloc::vec![0; OUR_SALT_SIZE];
    random.fill(&mut salt)?;
    Ok(salt)
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRandomness => NoRandomness.fmt(f),
            Self::Costs => f.write_str("the costs of the key derivation are out of bounds"),
            Self::Memory { needed } => {
                write!(f, "the key derivation needs {needed} KiB, which are not there")
            }
            Self::NoFreeSlot => f.write_str("every keyslot is taken"),
            Self::NoSuchSlot { slot } => write!(f, "there is no keyslot {slot}"),
            Self::LastSlot => f.write_str("the last keyslot stays: without it nobody could open the volume"),
            Self::WrongKey => f.write_str("the key is of another header"),
            Self::TooLong => f.write_str("the metadata does not fit its area"),
            Self::Sequence => f.write_str("the header's sequence number cannot grow any more"),
            Self::Fault(fault) => write!(f, "the header would not be usable: {fault}"),
        }
    }
}

impl core::error::Error for ChangeError {}

impl From<NoRandomness> for ChangeError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl From<TooLong> for ChangeError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}

impl From<Failure> for ChangeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Memory(needed) => Self::Memory { needed },
            Failure::Parameters => Self::Costs,
            Failure::NoRandomness => Self::NoRandomness,
        }
    }
}
