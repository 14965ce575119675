//! Why a header cannot be read, unlocked or repaired.

use super::change::ChangeError;
use super::check::Fault;
use alloc::string::String;
use core::error::Error;
use core::fmt;

/// Why bytes are not a header that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// They do not begin like one, and hold no second copy either.
    NotLuks,
    /// Another version of LUKS.
    Version {
        /// The version found.
        found: u16,
    },
    /// Neither copy is whole.
    Damaged,
    /// The metadata is not JSON.
    Json {
        /// Where, in bytes from its beginning.
        at: usize,
    },
    /// The metadata holds something this version does not know: another cipher, hash, key derivation or layer.
    Unknown {
        /// Where, in bytes from its beginning.
        at: usize,
    },
    /// Only who knows this requirement may use the volume.
    Requirement(String),
    /// Something does not fit.
    Fault(Fault),
}

/// Why there is no volume key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnlockError {
    /// No keyslot opens with it.
    WrongPassphrase,
    /// A keyslot could not be tried: this much memory is not there.
    Memory {
        /// KiB.
        needed: u32,
    },
    /// The volume is not encrypted throughout ([`CONVERSION`](super::CONVERSION)).
    Converting,
}

/// Why a header was not repaired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RepairError {
    /// It cannot be read at all.
    Read(ReadError),
    /// It cannot be written.
    Change(ChangeError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLuks => f.write_str("this is no LUKS header"),
            Self::Version { found } => write!(f, "this is a LUKS{found} header, and LUKS2 is needed"),
            Self::Damaged => f.write_str("both copies of the LUKS2 header are damaged"),
            Self::Json { at } => write!(f, "the LUKS2 metadata is no JSON (byte {at})"),
            Self::Unknown { at } => write!(
                f,
                "the LUKS2 metadata holds something unknown to this version (byte {at})"
            ),
            Self::Requirement(name) => {
                write!(
                    f,
                    "the LUKS2 header requires {name:?}, which is unknown to this version"
                )
            }
            Self::Fault(fault) => write!(f, "the LUKS2 header is not usable: {fault}"),
        }
    }
}

impl Error for ReadError {}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPassphrase => f.write_str("no keyslot opens with this passphrase"),
            Self::Memory { needed } => {
                write!(f, "a keyslot needs {needed} KiB of memory, which are not there")
            }
            Self::Converting => f.write_str("the volume is not encrypted throughout"),
        }
    }
}

impl Error for UnlockError {}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        // The metadata is one line.
        let at = error.column();
        match error.classify() {
            serde_json::error::Category::Data => Self::Unknown { at },
            _ => Self::Json { at },
        }
    }
}

impl fmt::Display for RepairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Change(error) => error.fmt(f),
        }
    }
}

impl Error for RepairError {}
