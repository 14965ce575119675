//! The compiled policy: what the hypervisor enforces, parsed once on the host.
//!
//! The selection entries are carried parsed, with the rule each came from, so no text is parsed at boot.

use crate::network::Network;
use crate::origin::Origins;
use crate::selection::Selection;
use crate::storage::Storage;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Version of this layout. A loader refuses any other.
pub const FORMAT: u16 = 5;

/// Everything the target needs from a policy file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CompiledPolicy {
    /// [`FORMAT`] of the writer.
    pub format: u16,
    /// The policy's `name`.
    pub name: String,
    /// SHA-256 of the policy file's bytes.
    pub source_hash: [u8; 32],
    /// The selection list, closed by the defaults.
    pub selection: Selection,
    /// Where each entry of `selection` came from.
    pub origins: Origins,
    /// `[boot] next`: the path of the guest's boot loader on its own ESP.
    pub boot_next: Option<String>,
    /// `[guest] status`: the guest may read counters and the log by hypercall.
    pub guest_status: bool,
    /// `[log] serial`: where log lines go while there is nothing better.
    pub serial: Serial,
    /// Disks: volumes, sectors in clear, unlocking.
    pub storage: Storage,
    /// Networks: NICs, own addresses, syslog, services.
    pub network: Network,
}

/// The serial port for log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Serial {
    /// No serial output.
    Off,
    /// The 16550 at I/O port 0x3f8.
    Com1,
    /// The 16550 at I/O port 0x2f8.
    Com2,
}

/// Why bytes are not a compiled policy this build can enforce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// Too short, too long, or not of the layout.
    Malformed,
    /// Written by a build with another [`FORMAT`].
    Format {
        /// The format found.
        found: u16,
    },
    /// `origins` and `selection` differ in length, or `origins` names files as no writer does.
    Origins,
}

impl CompiledPolicy {
    /// The bytes of the `.policy` section: a little-endian [`FORMAT`], then the postcard encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_le_bytes().to_vec();
        // Serialising owned plain data into a growing vector has no failure of its own.
        if let Ok(body) = postcard::to_allocvec(self) {
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// Whether it names keys, so that a key store has to be unlocked for it.
    #[must_use]
    pub fn needs_keys(&self) -> bool {
        !self.storage.volumes.is_empty() || !self.network.tunnels.is_empty()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`]; trailing bytes are malformed too.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (format, body) = bytes.split_first_chunk::<2>().ok_or(DecodeError::Malformed)?;
        let found = u16::from_le_bytes(*format);
        if found != FORMAT {
            return Err(DecodeError::Format { found });
        }
        let (policy, rest) = postcard::take_from_bytes::<Self>(body).map_err(|_| DecodeError::Malformed)?;
        if !rest.is_empty() || policy.format != FORMAT {
            return Err(DecodeError::Malformed);
        }
        if !policy.origins.are_of(&policy.selection) {
            return Err(DecodeError::Origins);
        }
        Ok(policy)
    }
}
