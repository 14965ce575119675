//! A store that is open, whose keyslots are changed together.
//!
//! Keyslots have the same numbers in every header: 0 is the first passphrase's, 1 the recovery key's. Whoever writes the
//! files puts the sealed secrets in place last, since they are what is unlocked.

use super::StoredVolume;
use crate::luks2::{self, ChangeError, Derivation, Header};
use crate::random::Random;
use crate::recovery::RecoveryKey;
use crate::secrets::{self, OpenError, Opened, SealError, VolumeSecret};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::storage::{SECRETS_FILE, header_file};
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::secret::SecretBytes;

/// The keyslot of the recovery key.
pub const RECOVERY_SLOT: u32 = 1;

/// What a guess costs unless said: 256 MiB four times over, about a second on a laptop.
pub const DEFAULT_COSTS: Costs = Costs {
    memory: 256 << 10,
    passes: 4,
    lanes: 1,
};

/// The sealed secrets, open, and the volumes' headers.
pub struct OpenStore {
    /// The sealed secrets.
    pub sealed: Opened,
    /// The headers, in the order of the sealed volumes.
    pub volumes: Vec<StoredVolume>,
}

/// Why an open store was not put together or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EditError {
    /// A volume's header cannot be changed so.
    Volume {
        /// The volume.
        name: String,
        /// Why.
        error: ChangeError,
    },
    /// The header of the sealed secrets cannot be changed so.
    Sealed(ChangeError),
    /// A volume's header is not the one whose key is sealed, or its keyslots are not those of the sealed secrets.
    OutOfStep {
        /// The volume.
        name: String,
    },
}

/// Why a store did not open. `E` is why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError<E> {
    /// A file cannot be read.
    File {
        /// Its path in the store.
        path: String,
        /// Why.
        error: E,
    },
    /// A volume's file holds no header that can be used.
    Header {
        /// Its path in the store.
        path: String,
        /// Why.
        error: luks2::ReadError,
    },
    /// The sealed secrets do not open.
    Sealed(OpenError),
    /// The files do not belong together.
    Files(EditError),
}

impl OpenStore {
    /// Opens the sealed secrets with `passphrase`, and reads the header of each volume that they know, by their paths in
    /// the store.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read<E>(
        passphrase: &[u8],
        mut read: impl FnMut(&str) -> Result<Vec<u8>, E>,
    ) -> Result<Self, ReadError<E>> {
        let mut file = |path: &str| {
            read(path).map_err(|error| ReadError::File {
                path: path.to_owned(),
                error,
            })
        };
        let sealed = secrets::unlock(&file(SECRETS_FILE)?, passphrase).map_err(ReadError::Sealed)?;
        let mut volumes = Vec::new();
        for VolumeSecret { name, .. } in &sealed.secrets.volumes {
            let path = header_file(name);
            let header = Header::read(&file(&path)?).map_err(|error| ReadError::Header { path, error })?;
            volumes.push(StoredVolume {
                name: name.clone(),
                header,
            });
        }
        Self::new(sealed, volumes).map_err(ReadError::Files)
    }

    /// Puts the secrets and the headers of their volumes, in their order, together.
    ///
    /// # Errors
    /// [`EditError::OutOfStep`].
    fn new(sealed: Opened, volumes: Vec<StoredVolume>) -> Result<Self, EditError> {
        let slots = |header: &Header| header.slots().map(|(slot, _)| slot).collect::<Vec<_>>();
        let expected = slots(&sealed.header);
        for (number, VolumeSecret { name, uuid, .. }) in sealed.secrets.volumes.iter().enumerate() {
            let fits = volumes.get(number).is_some_and(|volume| {
                volume.name == *name && volume.header.uuid() == uuid && slots(&volume.header) == expected
            });
            if !fits {
                return Err(EditError::OutOfStep { name: name.clone() });
            }
        }
        Ok(Self { sealed, volumes })
    }

    /// What the keyslot that opened the store costs, for another like it.
    #[must_use]
    pub fn costs(&self) -> Costs {
        let slots = self.sealed.header.slots();
        let mut opened = slots.filter(|(slot, _)| *slot == self.sealed.slot);
        match opened.next() {
            Some((_, Derivation::Argon2id(costs) | Derivation::Argon2i(costs))) => costs,
            _ => DEFAULT_COSTS,
        }
    }

    /// Adds a passphrase everywhere, and says in which keyslot.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn add(
        &mut self,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<u32, EditError> {
        let mut added = 0;
        self.change(|header, key| {
            added = header.add(key, passphrase, costs, random)?;
            Ok(())
        })?;
        Ok(added)
    }

    /// Puts another passphrase in the place of a keyslot's, everywhere.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn replace(
        &mut self,
        slot: u32,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(), EditError> {
        self.change(|header, key| header.replace(slot, key, passphrase, costs, random))
    }

    /// Puts a recovery key in keyslot [`RECOVERY_SLOT`] everywhere; the one before opens nothing more.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn set_recovery(
        &mut self,
        recovery: &RecoveryKey,
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(), EditError> {
        self.change(|header, key| header.put(RECOVERY_SLOT, key, recovery.text(), costs, random))
    }

    /// Removes a keyslot everywhere.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn remove(&mut self, slot: u32, random: &mut dyn Random) -> Result<(), EditError> {
        self.change(|header, _| header.remove(slot, random))
    }

    /// Every file: its path in the store and its bytes, the sealed secrets last.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn files(&self, random: &mut dyn Random) -> Result<Vec<(String, Vec<u8>)>, SealError> {
        let volumes = self.volumes.iter();
        let mut files: Vec<_> = volumes
            .map(|volume| (header_file(&volume.name), volume.header.file().to_vec()))
            .collect();
        files.push((SECRETS_FILE.to_owned(), self.sealed.seal(random)?));
        Ok(files)
    }

    fn change(
        &mut self,
        mut change: impl FnMut(&mut Header, &SecretBytes) -> Result<(), ChangeError>,
    ) -> Result<(), EditError> {
        for (secret, volume) in self.sealed.secrets.volumes.iter().zip(&mut self.volumes) {
            change(&mut volume.header, &secret.key).map_err(|error| EditError::Volume {
                name: volume.name.clone(),
                error,
            })?;
        }
        change(&mut self.sealed.header, &self.sealed.key).map_err(EditError::Sealed)
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume { name, error } => write!(f, "volume {name}: {error}"),
            Self::Sealed(error) => write!(f, "{SECRETS_FILE}: {error}"),
            Self::OutOfStep { name } => write!(
                f,
                "the header of volume {name} is not of this store, or its keyslots were changed without it"
            ),
        }
    }
}

impl core::error::Error for EditError {}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{path} cannot be read: {error}"),
            Self::Header { path, error } => write!(f, "{path}: {error}"),
            Self::Sealed(error) => write!(f, "{SECRETS_FILE}: {error}"),
            Self::Files(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> core::error::Error for ReadError<E> {}

#[cfg(test)]
mod tests;
