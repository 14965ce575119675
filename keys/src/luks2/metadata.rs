//! The shape of the JSON metadata (section "JSON Metadata" and those on its objects).
//!
//! Only what this crate knows is read: an object, word or key beyond it is refused, since writing the metadata back would
//! lose it, and acting without it would be a guess. Tokens are other programs' and kept as they are.

use super::word::{Extent, Word};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use sekisho_crypto::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    pub(super) keyslots: BTreeMap<u32, Keyslot>,
    pub(super) tokens: BTreeMap<u32, Value>,
    pub(super) segments: BTreeMap<u32, Segment>,
    pub(super) digests: BTreeMap<u32, Digest>,
    pub(super) config: Config,
}

/// One way to the volume key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keyslot {
    #[serde(rename = "type")]
    pub(super) kind: KeyslotKind,
    /// Bytes of the volume key.
    pub(super) key_size: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) priority: Option<Priority>,
    pub(super) af: Splitter,
    pub(super) area: Area,
    pub(super) kdf: Kdf,
}

/// A passphrase's keyslot; those of a re-encryption are not ours to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum KeyslotKind {
    #[serde(rename = "luks2")]
    Luks2,
}

/// When a keyslot is tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub(super) enum Priority {
    /// Before the others.
    Prefer,
    Normal,
    /// Only when asked for by number.
    Ignore,
}

impl TryFrom<u8> for Priority {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::Ignore),
            1 => Ok(Self::Normal),
            2 => Ok(Self::Prefer),
            _ => Err("a priority is 0, 1 or 2"),
        }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Ignore => 0,
            Priority::Normal => 1,
            Priority::Prefer => 2,
        }
    }
}

/// The anti-forensic splitter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Splitter {
    #[serde(rename = "type")]
    pub(super) kind: SplitterKind,
    pub(super) stripes: u32,
    pub(super) hash: Word<Hash>,
}

/// As in LUKS1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum SplitterKind {
    #[serde(rename = "luks1")]
    Luks1,
}

/// Where a keyslot's key material lies, and how it is encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Area {
    #[serde(rename = "type")]
    pub(super) kind: AreaKind,
    /// From the beginning of the header.
    pub(super) offset: Word<u64>,
    pub(super) size: Word<u64>,
    pub(super) encryption: Encryption,
    /// Bytes of the key that the passphrase gives.
    pub(super) key_size: usize,
}

/// Nothing but the material.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum AreaKind {
    #[serde(rename = "raw")]
    Raw,
}

/// The one cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Encryption {
    #[serde(rename = "aes-xts-plain64")]
    AesXtsPlain64,
}

/// How a passphrase becomes a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Kdf {
    Argon2id {
        time: u32,
        memory: u32,
        cpus: u32,
        salt: Word<Vec<u8>>,
    },
    Argon2i {
        time: u32,
        memory: u32,
        cpus: u32,
        salt: Word<Vec<u8>>,
    },
    Pbkdf2 {
        hash: Word<Hash>,
        iterations: u32,
        salt: Word<Vec<u8>>,
    },
}

/// What is encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Segment {
    #[serde(rename = "type")]
    pub(super) kind: SegmentKind,
    pub(super) offset: Word<u64>,
    pub(super) size: Word<Extent>,
    pub(super) iv_tweak: Word<u64>,
    pub(super) encryption: Encryption,
    pub(super) sector_size: u16,
}

/// Encrypted, without an authentication layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum SegmentKind {
    #[serde(rename = "crypt")]
    Crypt,
}

/// How a volume key is recognised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digest {
    #[serde(rename = "type")]
    pub(super) kind: DigestKind,
    pub(super) keyslots: Vec<Word<u64>>,
    pub(super) segments: Vec<Word<u64>>,
    pub(super) hash: Word<Hash>,
    pub(super) iterations: u32,
    pub(super) salt: Word<Vec<u8>>,
    pub(super) digest: Word<Vec<u8>>,
}

/// By PBKDF2 of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum DigestKind {
    #[serde(rename = "pbkdf2")]
    Pbkdf2,
}

/// Sizes, and what a reader must know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) json_size: Word<u64>,
    pub(super) keyslots_size: Word<u64>,
    /// Hints for who activates the volume; they change nothing on disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) flags: Vec<String>,
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub(super) requirements: Requirements,
}

/// Who does not know each of these must leave the volume alone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirements {
    #[serde(default)]
    pub(super) mandatory: Vec<String>,
}

impl Requirements {
    const fn is_empty(&self) -> bool {
        self.mandatory.is_empty()
    }
}

impl Kdf {
    /// The salt, whatever the function.
    pub(super) fn salt(&self) -> &[u8] {
        match self {
            Self::Argon2id { salt, .. } | Self::Argon2i { salt, .. } | Self::Pbkdf2 { salt, .. } => &salt.0,
        }
    }
}

impl Keyslot {
    /// Its place in the order of trying; `None` where it is not tried unless asked for.
    pub(super) fn turn(&self) -> Option<Priority> {
        match self.priority.unwrap_or(Priority::Normal) {
            Priority::Ignore => None,
            tried => Some(tried),
        }
    }
}
