//! `secrets.sealed`: a LUKS2 header, whose passphrases open it, and behind it the secrets under its volume key.
//!
//! | bytes behind the header | |
//! |---|---|
//! | 8 | `SKSECRET` |
//! | 2 | version, little-endian |
//! | 4 | bytes of ciphertext and tag, little-endian |
//! | 32 | salt, new each time |
//! | … | ciphertext and tag: ChaCha20-Poly1305, its key by HKDF-SHA-256 of the volume key with that salt, nonce 0 |
//! | … | zeros, to the next 4 KiB |
//!
//! The bytes before the ciphertext are vouched for as well, and the header's digest, which is of its volume key under a salt.
//! So every keyslot may change without sealing again, by cryptsetup too, and nothing of another store can be put in.

use super::{DecodeError, Secrets};
use crate::luks2::{ChangeError, Condition, Extent, Header, New, ReadError, Segment, UnlockError};
use crate::random::{NoRandomness, Random};
use alloc::vec::Vec;
use core::fmt;
use sekisho_crypto::aead::{self, KEY_SIZE, NONCE_SIZE, TAG_SIZE, Vectors};
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::hkdf;
use sekisho_crypto::secret::{Secret, SecretBytes};
use sekisho_crypto::xts::SectorSize;

const MAGIC: &[u8; 8] = b"SKSECRET";
const VERSION: u16 = 1;
const SALT_SIZE: usize = 32;
/// What the key is derived for.
const PURPOSE: &[u8] = b"sekisho secrets.sealed";
/// A salt makes a key that is used once, so any nonce does.
const NONCE: [u8; NONCE_SIZE] = [0; NONCE_SIZE];
/// Bytes of ciphertext and tag at most; a store of a hundred volumes has 20 KiB.
const MAX_SIZE: usize = 16 << 20;
/// The file is a multiple of this, as a device would be.
const ROUND: usize = 4096;
/// Bytes of the header's volume key.
const VOLUME_KEY_SIZE: usize = 64;
/// Bytes of a header of ours.
const HEADER_SIZE: u64 = (1 << 20) + (32 << 10);

/// A store that is open: what it holds, and what sealing it again needs.
pub struct Opened {
    /// The header, whose keyslots may be changed.
    pub header: Header,
    /// The header's volume key.
    pub key: SecretBytes,
    /// The keyslot that opened it.
    pub slot: u32,
    /// What it holds, to be changed.
    pub secrets: Secrets,
}

/// Why a store did not open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The header cannot be read.
    Header(ReadError),
    /// The passphrase is wrong, or cannot be tried.
    Unlock(UnlockError),
    /// What is behind the header is no sealed secrets, or cut off.
    NotSealed,
    /// They were sealed by another version.
    Version {
        /// The version found.
        found: u16,
    },
    /// They are damaged, or belong to another header.
    Forged,
    /// Whoever sealed them wrote something else.
    Contents(DecodeError),
}

/// Why a store was not made or sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealError {
    /// The header could not be made.
    Header(ChangeError),
    /// The source of randomness failed.
    NoRandomness,
    /// There are too many secrets.
    TooLong,
}

/// A new store with nothing in it, which `passphrase` opens.
///
/// # Errors
/// [`SealError`].
pub fn create(passphrase: &[u8], costs: Costs, random: &mut dyn Random) -> Result<Opened, SealError> {
    let new = New {
        label: "secrets",
        segment: Segment {
            offset: HEADER_SIZE,
            size: Extent::Dynamic,
            sector_size: SectorSize::B512,
            key_size: VOLUME_KEY_SIZE,
        },
    };
    let (header, key) = Header::create(&new, passphrase, costs, random).map_err(SealError::Header)?;
    Ok(Opened {
        header,
        key,
        slot: 0,
        secrets: Secrets::default(),
    })
}

/// Opens a store: one key derivation for each keyslot tried. The secrets are in [`Opened::secrets`].
///
/// # Errors
/// [`OpenError`].
pub fn unlock(file: &[u8], passphrase: &[u8]) -> Result<Opened, OpenError> {
    let header = Header::read(file).map_err(OpenError::Header)?;
    let behind = file.get(header.file().len()..).ok_or(OpenError::NotSealed)?;
    // Before the passphrase is worked on, which takes long.
    let blob = Blob::read(behind)?;
    let unlocked = header.unlock(passphrase).map_err(OpenError::Unlock)?;
    let secrets = blob.open(&header, &unlocked.key)?;
    Ok(Opened {
        header,
        key: unlocked.key,
        slot: unlocked.slot,
        secrets,
    })
}

impl Opened {
    /// The file: the header as it is now, and the secrets as they are now.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, random: &mut dyn Random) -> Result<Vec<u8>, SealError> {
        let mut sealed = self.secrets.to_bytes();
        let length = sealed.length().saturating_add(TAG_SIZE);
        if length > MAX_SIZE {
            return Err(SealError::TooLong);
        }
        let mut salt = [0; SALT_SIZE];
        random.fill(&mut salt)?;
        let head = Head {
            length: u32::try_from(length).map_err(|_| SealError::TooLong)?,
            salt,
        };
        let key = head.key(&self.key);
        let tag = aead::seal(
            Vectors::NARROW,
            &key,
            &NONCE,
            &head.vouched(&self.header),
            sealed.expose_mut(),
        )
        .map_err(|_| SealError::TooLong)?;
        let mut file = self.header.file().to_vec();
        file.extend_from_slice(&head.bytes());
        file.extend_from_slice(sealed.expose());
        file.extend_from_slice(&tag);
        file.resize(file.len().next_multiple_of(ROUND), 0);
        Ok(file)
    }

    /// How the header was found; what is damaged is repaired by sealing after [`Header::repair`].
    #[must_use]
    pub const fn condition(&self) -> Condition {
        self.header.condition()
    }
}

/// What is before the ciphertext.
struct Head {
    /// Bytes of ciphertext and tag.
    length: u32,
    salt: [u8; SALT_SIZE],
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    /// The associated data.
    fn vouched(&self, header: &Header) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(header.digest());
        bytes
    }

    fn key(&self, volume_key: &SecretBytes) -> Secret<KEY_SIZE> {
        let mut key = Secret::zeroed();
        // 32 bytes are never too many for HKDF; a key of zeros would open nothing.
        let _ = hkdf::derive(volume_key.expose(), &self.salt, PURPOSE, key.expose_mut());
        key
    }
}

/// Sealed secrets as they were found.
struct Blob<'a> {
    head: Head,
    ciphertext: &'a [u8],
    tag: [u8; TAG_SIZE],
}

impl<'a> Blob<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        let (magic, rest) = bytes.split_first_chunk().ok_or(OpenError::NotSealed)?;
        let (version, rest) = rest.split_first_chunk().ok_or(OpenError::NotSealed)?;
        if magic != MAGIC {
            return Err(OpenError::NotSealed);
        }
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(OpenError::Version { found });
        }
        let (length, rest) = rest.split_first_chunk().ok_or(OpenError::NotSealed)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(OpenError::NotSealed)?;
        let length = u32::from_le_bytes(*length);
        let sealed = usize::try_from(length)
            .ok()
            .filter(|bytes| *bytes <= MAX_SIZE)
            .and_then(|bytes| rest.get(..bytes));
        let (ciphertext, tag) = sealed
            .and_then(<[u8]>::split_last_chunk)
            .ok_or(OpenError::NotSealed)?;
        Ok(Self {
            head: Head { length, salt: *salt },
            ciphertext,
            tag: *tag,
        })
    }

    fn open(&self, header: &Header, volume_key: &SecretBytes) -> Result<Secrets, OpenError> {
        let mut text = SecretBytes::from_slice(self.ciphertext);
        let key = self.head.key(volume_key);
        let vouched = self.head.vouched(header);
        aead::open(
            Vectors::NARROW,
            &key,
            &NONCE,
            &vouched,
            text.expose_mut(),
            &self.tag,
        )
        .map_err(|_| OpenError::Forged)?;
        Secrets::from_bytes(text.expose()).map_err(OpenError::Contents)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Unlock(error) => error.fmt(f),
            Self::NotSealed => f.write_str("there are no sealed secrets behind the header"),
            Self::Version { found } => write!(f, "the secrets were sealed in version {found} of the format"),
            Self::Forged => f.write_str("the sealed secrets are damaged, or of another key store"),
            Self::Contents(_) => f.write_str("the sealed secrets were written by another version"),
        }
    }
}

impl core::error::Error for OpenError {}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::NoRandomness => NoRandomness.fmt(f),
            Self::TooLong => f.write_str("there are too many secrets for one store"),
        }
    }
}

impl core::error::Error for SealError {}

impl From<NoRandomness> for SealError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}
