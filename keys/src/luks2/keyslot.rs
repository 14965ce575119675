//! One keyslot: from a passphrase to the bytes that may be the volume key, and back.
//!
//! What [`open`] gives is right only if the digest says so.

use super::metadata::{Digest, Kdf, Keyslot};
use super::spec::SECTOR;
use super::split;
use crate::random::{NoRandomness, Random};
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU32;
use sekisho_crypto::argon2::{self, Costs, Memory, Variant};
use sekisho_crypto::secret::{self, SecretBytes};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_crypto::{Hash, pbkdf2};

/// How a passphrase becomes the key of a keyslot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Derivation {
    /// Argon2id, as all of ours.
    Argon2id(Costs),
    /// Argon2i.
    Argon2i(Costs),
    /// PBKDF2.
    Pbkdf2 {
        /// Under HMAC.
        hash: Hash,
        /// How often.
        iterations: u32,
    },
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let argon2 = |f: &mut fmt::Formatter<'_>, name, costs: &Costs| {
            write!(f, "{name}, {} KiB, {} passes", costs.memory, costs.passes)
        };
        match self {
            Self::Argon2id(costs) => argon2(f, "argon2id", costs),
            Self::Argon2i(costs) => argon2(f, "argon2i", costs),
            Self::Pbkdf2 { hash, iterations } => {
                write!(f, "pbkdf2 with {}, {iterations} iterations", hash.name())
            }
        }
    }
}

/// Why a keyslot could not be tried or filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// KiB that are not there.
    Memory(u32),
    /// The costs, or the key that came out, are none.
    Parameters,
    /// For the material's stripes.
    NoRandomness,
}

impl Kdf {
    /// What it says.
    pub(super) fn derivation(&self) -> Derivation {
        let costs = |time: &u32, memory: &u32, cpus: &u32| Costs {
            memory: *memory,
            passes: *time,
            lanes: *cpus,
        };
        match self {
            Self::Argon2id {
                time, memory, cpus, ..
            } => Derivation::Argon2id(costs(time, memory, cpus)),
            Self::Argon2i {
                time, memory, cpus, ..
            } => Derivation::Argon2i(costs(time, memory, cpus)),
            Self::Pbkdf2 { hash, iterations, .. } => Derivation::Pbkdf2 {
                hash: hash.0,
                iterations: *iterations,
            },
        }
    }
}

/// The bytes that `passphrase` makes of the keyslot's `area`.
pub(super) fn open(keyslot: &Keyslot, area: &[u8], passphrase: &[u8]) -> Result<SecretBytes, Failure> {
    let cipher = cipher(keyslot, passphrase)?;
    let size = split::material_size(keyslot.key_size);
    let sectors = area
        .get(..size.next_multiple_of(SECTOR))
        .ok_or(Failure::Parameters)?;
    let mut material = SecretBytes::from_slice(sectors);
    cipher
        .decrypt(0, material.expose_mut())
        .map_err(|_| Failure::Parameters)?;
    let stripes = material.expose().get(..size).ok_or(Failure::Parameters)?;
    Ok(split::merge(keyslot.af.hash.0, stripes, keyslot.key_size))
}

/// Fills the keyslot's `area` so that `passphrase` opens it to `key`; what is left of the area becomes random.
pub(super) fn fill(
    keyslot: &Keyslot,
    area: &mut [u8],
    passphrase: &[u8],
    key: &[u8],
    random: &mut dyn Random,
) -> Result<(), Failure> {
    let cipher = cipher(keyslot, passphrase)?;
    let mut material = split::split(keyslot.af.hash.0, key, random)?;
    random.fill(area)?;
    cipher
        .encrypt(0, material.expose_mut())
        .map_err(|_| Failure::Parameters)?;
    let place = area.get_mut(..material.length()).ok_or(Failure::Parameters)?;
    place.copy_from_slice(material.expose());
    Ok(())
}

/// The cipher of a keyslot's area, which is in sectors of 512 bytes counted from 0.
fn cipher(keyslot: &Keyslot, passphrase: &[u8]) -> Result<SectorCipher, Failure> {
    let mut key = SecretBytes::zeroed(keyslot.area.key_size);
    let salt = keyslot.kdf.salt();
    match keyslot.kdf.derivation() {
        Derivation::Argon2id(costs) => argon2(Variant::Argon2id, costs, passphrase, salt, &mut key)?,
        Derivation::Argon2i(costs) => argon2(Variant::Argon2i, costs, passphrase, salt, &mut key)?,
        Derivation::Pbkdf2 { hash, iterations } => {
            let iterations = NonZeroU32::new(iterations).ok_or(Failure::Parameters)?;
            pbkdf2::derive(hash, passphrase, salt, iterations, key.expose_mut());
        }
    }
    SectorCipher::new(key.expose(), SectorSize::B512).map_err(|_| Failure::Parameters)
}

fn argon2(
    variant: Variant,
    costs: Costs,
    passphrase: &[u8],
    salt: &[u8],
    key: &mut SecretBytes,
) -> Result<(), Failure> {
    let mut memory = Memory::for_costs(costs)?;
    argon2::derive(variant, costs, passphrase, salt, &mut memory, key.expose_mut())?;
    Ok(())
}

impl Digest {
    /// Whether `key` is the volume key, in a time that does not depend on it.
    pub(super) fn is_of(&self, key: &SecretBytes) -> bool {
        let Some(iterations) = NonZeroU32::new(self.iterations) else {
            return false;
        };
        let found = digest(self.hash.0, key, &self.salt.0, iterations);
        secret::same(&found, &self.digest.0)
    }
}

/// The digest of a volume key.
pub(super) fn digest(hash: Hash, key: &SecretBytes, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
    let mut out = alloc::vec![0; hash.size()];
    pbkdf2::derive(hash, key.expose(), salt, iterations, &mut out);
    out
}

impl From<argon2::Error> for Failure {
    fn from(error: argon2::Error) -> Self {
        match error {
            argon2::Error::Memory { needed } => Self::Memory(needed),
            argon2::Error::Parameters => Self::Parameters,
        }
    }
}

impl From<NoRandomness> for Failure {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}
