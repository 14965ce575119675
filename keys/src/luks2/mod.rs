//! LUKS2 headers, kept apart from the volume they are of ("detached"): read, unlocked, changed, written.
//!
//! The format is the "LUKS2 On-Disk Format Specification", version 1.1. Foreign headers are read where they are of one
//! `aes-xts-plain64` volume; what this crate does not know of it refuses. Bytes are hostile: sizes, offsets and costs are
//! checked before anything is done with them.
//!
//! A [`Header`] owns its bytes, and every change is a change of those; whoever calls replaces the file with them, whole.

mod binary;
mod change;
mod check;
mod create;
mod error;
mod keyslot;
mod metadata;
mod spec;
mod split;
#[cfg(test)]
mod tests;
mod word;

pub use change::ChangeError;
pub use check::{Fault, Segment};
pub use create::New;
pub use error::{ReadError, RepairError, UnlockError};
pub use keyslot::Derivation;
pub use word::Extent;

use crate::random::Random;
use alloc::string::String;
use alloc::vec::Vec;
use binary::{Absent, Binary, Place, Whole};
use core::fmt;
use keyslot::Failure;
use metadata::{Keyslot, Metadata};
use sekisho_crypto::secret::SecretBytes;
use spec::AREA_SIZES;

/// The mandatory requirement of a volume that `sekisho disk encrypt` or `decrypt` has not finished. cryptsetup does not
/// know it, and so leaves the volume alone.
pub const CONVERSION: &str = "sekisho-encrypt-v1";

/// Bytes that a UUID has as text.
const UUID_LENGTH: usize = 36;

/// A header with its keyslots.
pub struct Header {
    /// Both copies of the metadata, and the keyslots area.
    file: Vec<u8>,
    binary: Binary,
    metadata: Metadata,
    segment: Segment,
    condition: Condition,
}

/// How the two copies of the metadata were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Whole, and the same.
    Whole,
    /// The first is damaged; the second was used.
    PrimaryDamaged,
    /// The second is damaged.
    SecondaryDamaged,
    /// One is older, as after a write that was cut short; the newer was used.
    OneIsOlder,
}

/// Whether a volume is encrypted throughout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    /// It is.
    None,
    /// Part of it is not, or not any more ([`CONVERSION`]).
    UnderWay,
}

/// A volume key, and which keyslot gave it.
pub struct Unlocked {
    /// The volume key.
    pub key: SecretBytes,
    /// The keyslot's number.
    pub slot: u32,
}

/// By what a person tells volume keys apart: the first bytes of the digest by which a header recognises its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyId([u8; 4]);

impl Header {
    /// Reads the header at the beginning of `file`; what is behind it is ignored.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(file: &[u8]) -> Result<Self, ReadError> {
        let (whole, condition) = newest(file)?;
        let metadata: Metadata = serde_json::from_slice(whole.json)?;
        let known = |name: &&String| name.as_str() == CONVERSION;
        let requirements = &metadata.config.requirements.mandatory;
        if let Some(unknown) = requirements.iter().find(|it| !known(it)) {
            return Err(ReadError::Requirement(unknown.clone()));
        }
        let binary = whole.binary;
        uuid(&binary).ok_or(ReadError::Fault(Fault::Uuid))?;
        let segment = check::check(&metadata, &binary, file.len()).map_err(ReadError::Fault)?;
        let file = file
            .get(..length(&binary, &metadata))
            .ok_or(ReadError::Fault(Fault::Sizes))?;
        Ok(Self {
            file: file.to_vec(),
            binary,
            metadata,
            segment,
            condition,
        })
    }

    /// Its bytes, of which there are as many as the metadata says.
    #[must_use]
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// How the copies were found.
    #[must_use]
    pub const fn condition(&self) -> Condition {
        self.condition
    }

    /// What the volume is.
    #[must_use]
    pub const fn segment(&self) -> Segment {
        self.segment
    }

    /// Whether the volume is encrypted throughout.
    #[must_use]
    pub const fn conversion(&self) -> Conversion {
        if self.metadata.config.requirements.mandatory.is_empty() {
            Conversion::None
        } else {
            Conversion::UnderWay
        }
    }

    /// The UUID, as text.
    #[must_use]
    pub fn uuid(&self) -> &str {
        uuid(&self.binary).unwrap_or_default()
    }

    /// By what a person knows the key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId(self.digest().first_chunk().copied().unwrap_or_default())
    }

    /// The digest by which it recognises its volume key.
    pub(crate) fn digest(&self) -> &[u8] {
        let mut digests = self.metadata.digests.values();
        digests.next().map_or(&[], |digest| &digest.digest.0)
    }

    /// Every keyslot, with how a passphrase becomes its key.
    pub fn slots(&self) -> impl Iterator<Item = (u32, Derivation)> {
        self.metadata
            .keyslots
            .iter()
            .map(|(slot, keyslot)| (*slot, keyslot.kdf.derivation()))
    }

    /// Tries `passphrase` with every keyslot, the preferred first.
    ///
    /// # Errors
    /// [`UnlockError`].
    pub fn unlock(&self, passphrase: &[u8]) -> Result<Unlocked, UnlockError> {
        if self.conversion() == Conversion::UnderWay {
            return Err(UnlockError::Converting);
        }
        let mut untried = None;
        for (slot, keyslot) in self.in_turn() {
            match self.open(keyslot, passphrase) {
                Ok(Some(key)) => return Ok(Unlocked { key, slot }),
                Ok(None) => {}
                Err(Failure::Memory(needed)) => untried = Some(UnlockError::Memory { needed }),
                // Costs that Argon2 refuses give no key with any passphrase.
                Err(Failure::Parameters | Failure::NoRandomness) => {}
            }
        }
        Err(untried.unwrap_or(UnlockError::WrongPassphrase))
    }

    fn in_turn(&self) -> Vec<(u32, &Keyslot)> {
        let mut tried: Vec<_> = self
            .metadata
            .keyslots
            .iter()
            .filter_map(|(slot, keyslot)| Some((keyslot.turn()?, *slot, keyslot)))
            .collect();
        tried.sort_by_key(|(turn, slot, _)| (*turn, *slot));
        tried
            .into_iter()
            .map(|(_, slot, keyslot)| (slot, keyslot))
            .collect()
    }

    /// The volume key, if `passphrase` is that of `keyslot`.
    fn open(&self, keyslot: &Keyslot, passphrase: &[u8]) -> Result<Option<SecretBytes>, Failure> {
        let area = area(keyslot)
            .and_then(|area| self.file.get(area))
            .ok_or(Failure::Parameters)?;
        let key = keyslot::open(keyslot, area, passphrase)?;
        let right = self.metadata.digests.values().any(|digest| digest.is_of(&key));
        Ok(right.then_some(key))
    }
}

/// `file` with both copies of the header at its beginning written again, if either is damaged or older than the other;
/// what is behind the header is kept.
///
/// # Errors
/// [`RepairError`].
pub fn repaired(file: &[u8], random: &mut dyn Random) -> Result<Option<Vec<u8>>, RepairError> {
    let mut header = Header::read(file).map_err(RepairError::Read)?;
    if header.condition() == Condition::Whole {
        return Ok(None);
    }
    header.repair(random).map_err(RepairError::Change)?;
    let behind = file.get(header.file.len()..).unwrap_or_default();
    Ok(Some([&header.file, behind].concat()))
}

/// The copy to use: the newer of those that are whole.
fn newest(file: &[u8]) -> Result<(Whole<'_>, Condition), ReadError> {
    let primary = binary::read(file, Place::Primary);
    let secondary = match &primary {
        Ok(primary) => binary::read(file, Place::Secondary(primary.binary.area_size)).ok(),
        Err(_) => AREA_SIZES
            .into_iter()
            .find_map(|offset| binary::read(file, Place::Secondary(offset)).ok()),
    };
    match (primary, secondary) {
        (Ok(primary), None) => Ok((primary, Condition::SecondaryDamaged)),
        (Ok(primary), Some(secondary)) if primary.binary.sequence == secondary.binary.sequence => {
            Ok((primary, Condition::Whole))
        }
        (Ok(primary), Some(secondary)) if primary.binary.sequence > secondary.binary.sequence => {
            Ok((primary, Condition::OneIsOlder))
        }
        (Ok(_), Some(secondary)) => Ok((secondary, Condition::OneIsOlder)),
        (Err(_), Some(secondary)) => Ok((secondary, Condition::PrimaryDamaged)),
        (Err(Absent::Magic), None) => Err(ReadError::NotLuks),
        (Err(Absent::Version(found)), None) => Err(ReadError::Version { found }),
        (Err(Absent::Damaged), None) => Err(ReadError::Damaged),
    }
}

/// Bytes of a header whose metadata was checked.
fn length(binary: &Binary, metadata: &Metadata) -> usize {
    let keyslots = usize::try_from(metadata.config.keyslots_size.0).unwrap_or(usize::MAX);
    binary.area_size.saturating_mul(2).saturating_add(keyslots)
}

/// Where a keyslot's area lies in the file.
fn area(keyslot: &Keyslot) -> Option<core::ops::Range<usize>> {
    let begin = usize::try_from(keyslot.area.offset.0).ok()?;
    let size = usize::try_from(keyslot.area.size.0).ok()?;
    Some(begin..begin.checked_add(size)?)
}

/// The UUID's text, if it has the form of one.
fn uuid(binary: &Binary) -> Option<&str> {
    let (text, rest) = binary.uuid.split_at_checked(UUID_LENGTH)?;
    let formed = text.iter().zip(0..).all(|(byte, at)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let alone = rest.iter().all(|byte| *byte == 0);
    (formed && alone).then_some(core::str::from_utf8(text).ok()?)
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "both copies of the header are whole",
            Self::PrimaryDamaged => "the first copy of the header is damaged",
            Self::SecondaryDamaged => "the second copy of the header is damaged",
            Self::OneIsOlder => "one copy of the header is older",
        })
    }
}
