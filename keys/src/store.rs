//! The key store of one policy: a header for each volume, and the sealed secrets.
//!
//! The image builder, `image inspect` and the loader read it with the same [`Store::read`], each from where the files lie,
//! so that what is built is what boots.

mod create;
mod edit;

pub use create::{Openers, create};
pub use edit::{DEFAULT_COSTS, EditError, OpenStore, RECOVERY_SLOT, ReadError as OpenStoreError};
pub use sekisho_abi::storage::{SECRETS_FILE, header_file};

use crate::luks2::{Conversion, Header, ReadError, UnlockError};
use crate::recovery::{RecoveryError, RecoveryKey};
use crate::secrets::{self, OpenError, Secrets};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::storage::{Storage, Unlock, Volume};

/// The files that a policy's volumes need, each of which fits the policy.
pub struct Store {
    /// The headers, in the order of the policy's volumes.
    pub volumes: Vec<StoredVolume>,
    /// The header of the sealed secrets.
    pub secrets: Header,
    /// The sealed secrets, header and all.
    sealed: Vec<u8>,
}

/// A volume with its header.
pub struct StoredVolume {
    /// Its name.
    pub name: String,
    /// Its header.
    pub header: Header,
}

/// Why a store is not that of the policy. `E` is why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreError<E> {
    /// A file cannot be read.
    File {
        /// Its path in the store.
        path: String,
        /// Why.
        error: E,
    },
    /// A file holds no header that can be used.
    Header {
        /// Its path in the store.
        path: String,
        /// Why.
        error: ReadError,
    },
    /// A header is of another size than the policy says.
    Differs {
        /// The volume.
        volume: String,
        /// The policy's key with its unit.
        what: &'static str,
        /// What the header says.
        header: usize,
        /// What the policy says.
        policy: usize,
    },
    /// The volume is half encrypted.
    Converting {
        /// The volume.
        volume: String,
    },
}

/// Why an answer at the prompt gave no secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Locked {
    /// It is wrong, or of a form that the policy does not take.
    Wrong {
        /// What is wrong with it, where it looks like a recovery key.
        mistyped: Option<RecoveryError>,
    },
    /// The secrets cannot be opened by any answer.
    Unusable(OpenError),
    /// The secrets have no key for this volume.
    NoKey {
        /// The volume.
        volume: String,
    },
    /// The secrets have a key of another header for this volume.
    OtherKey {
        /// The volume.
        volume: String,
    },
}

impl Store {
    /// Reads the files that `storage` needs, by their paths in the store.
    ///
    /// # Errors
    /// [`StoreError`] for the first that is missing or does not fit.
    pub fn read<E>(
        storage: &Storage,
        mut read: impl FnMut(&str) -> Result<Vec<u8>, E>,
    ) -> Result<Self, StoreError<E>> {
        let mut file = |path: &str| {
            let bytes = read(path).map_err(|error| StoreError::File {
                path: path.to_owned(),
                error,
            })?;
            let header = Header::read(&bytes).map_err(|error| StoreError::Header {
                path: path.to_owned(),
                error,
            })?;
            Ok((header, bytes))
        };
        let (secrets, sealed) = file(SECRETS_FILE)?;
        let volumes = storage.volumes.iter().map(|volume| {
            let (header, _) = file(&header_file(&volume.name))?;
            fits(volume, &header)?;
            Ok(StoredVolume {
                name: volume.name.clone(),
                header,
            })
        });
        Ok(Self {
            volumes: volumes.collect::<Result<_, _>>()?,
            secrets,
            sealed,
        })
    }

    /// Every file of it: its path in the store, its header, its bytes.
    pub fn files(&self) -> impl Iterator<Item = (String, &Header, &[u8])> {
        let volumes = self.volumes.iter().map(|volume| {
            let path = header_file(&volume.name);
            (path, &volume.header, volume.header.file())
        });
        [(SECRETS_FILE.to_owned(), &self.secrets, self.sealed.as_slice())]
            .into_iter()
            .chain(volumes)
    }

    /// The secrets, if `answer` opens them and is of a form that `methods` take. A recovery key may be spaced in any way.
    ///
    /// Every answer takes the same way: nothing is told apart before all the work is done.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn unlock(&self, methods: Unlock, answer: &[u8]) -> Result<Secrets, Locked> {
        let recovery = RecoveryKey::read(answer);
        let (passphrase, taken) = match &recovery {
            Ok(key) => (key.text(), methods.recovery),
            Err(_) => (answer, methods.passphrase),
        };
        match secrets::unlock(&self.sealed, passphrase) {
            Ok(opened) if taken => self.complete(opened.secrets),
            Ok(_) | Err(OpenError::Unlock(UnlockError::WrongPassphrase)) => Err(Locked::Wrong {
                mistyped: recovery.err().filter(|error| *error != RecoveryError::NotOne),
            }),
            Err(error) => Err(Locked::Unusable(error)),
        }
    }

    /// The secrets, if they have the key of each header.
    fn complete(&self, secrets: Secrets) -> Result<Secrets, Locked> {
        for StoredVolume { name, header } in &self.volumes {
            let key = secrets
                .volume(name)
                .ok_or_else(|| Locked::NoKey { volume: name.clone() })?;
            if key.uuid != header.uuid() || key.key.length() != header.segment().key_size {
                return Err(Locked::OtherKey { volume: name.clone() });
            }
        }
        Ok(secrets)
    }
}

/// Whether `header` is of such a volume, and the volume is encrypted throughout.
fn fits<E>(volume: &Volume, header: &Header) -> Result<(), StoreError<E>> {
    let segment = header.segment();
    let sizes = [
        ("key-size", segment.key_size * 8, volume.key_bits),
        ("sector-size", segment.sector_size.bytes(), volume.sector_size),
    ];
    for (what, header, policy) in sizes {
        if header != usize::from(policy) {
            return Err(StoreError::Differs {
                volume: volume.name.clone(),
                what,
                header,
                policy: policy.into(),
            });
        }
    }
    match header.conversion() {
        Conversion::None => Ok(()),
        Conversion::UnderWay => Err(StoreError::Converting {
            volume: volume.name.clone(),
        }),
    }
}

impl<E: fmt::Display> fmt::Display for StoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{path} cannot be read: {error}"),
            Self::Header { path, error } => write!(f, "{path}: {error}"),
            Self::Differs {
                volume,
                what,
                header,
                policy,
            } => write!(
                f,
                "the header of volume {volume} has {what} {header}, the policy says {policy}"
            ),
            Self::Converting { volume } => write!(f, "volume {volume} is not encrypted throughout"),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> core::error::Error for StoreError<E> {}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong { mistyped: None } => f.write_str("this opens nothing"),
            Self::Wrong {
                mistyped: Some(error),
            } => error.fmt(f),
            Self::Unusable(error) => write!(f, "{SECRETS_FILE}: {error}"),
            Self::NoKey { volume } => write!(f, "{SECRETS_FILE} has no key for volume {volume}"),
            Self::OtherKey { volume } => {
                write!(
                    f,
                    "{SECRETS_FILE} and the header of volume {volume} are of different stores"
                )
            }
        }
    }
}

impl core::error::Error for Locked {}

#[cfg(test)]
mod tests;
