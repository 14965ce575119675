//! What an image needs to know in secret: the volumes' keys, the tunnels' keys, the pins, the least policy revision.
//!
//! `sealed.rs` says how it lies on disk; [`Secrets::to_bytes`] is how the loader hands it to the hypervisor.

mod sealed;
#[cfg(test)]
mod tests;

pub use sealed::{OpenError, Opened, SealError, create, unlock};

use crate::random::{NoRandomness, Random};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postcard::ser_flavors::Size;
use sekisho_abi::storage::Pin;
use sekisho_crypto::secret::{Secret, SecretBytes};
use sekisho_crypto::x25519;
use serde::{Deserialize, Serialize};

/// Version of [`Secrets::to_bytes`], which its first two bytes say, little-endian.
const VERSION: u16 = 1;
/// Bytes of a key of WireGuard.
pub const WIREGUARD_KEY_SIZE: usize = 32;

/// Everything that is sealed. Keys are wiped when it is dropped.
#[derive(Default)]
pub struct Secrets {
    /// The key of each volume.
    pub volumes: Vec<VolumeSecret>,
    /// The keys that tunnels name.
    pub wireguard: Vec<WireGuardKey>,
    /// Where volumes and ranges in clear lie.
    pub pins: Vec<Pin>,
    /// Policies with a lower revision are refused.
    pub least_revision: u64,
}

/// The key of one volume.
pub struct VolumeSecret {
    /// The volume's name, as in the policy.
    pub name: String,
    /// UUID of its LUKS2 header.
    pub uuid: String,
    /// The volume key: 32 or 64 bytes.
    pub key: SecretBytes,
}

/// A key that a tunnel or a peer names.
pub struct WireGuardKey {
    /// The name, as in the policy.
    pub name: String,
    /// What it is for.
    pub kind: WireGuardKind,
    /// The key.
    pub key: Secret<WIREGUARD_KEY_SIZE>,
}

impl WireGuardKey {
    /// A new key.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(name: &str, kind: WireGuardKind, random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let mut key = Secret::zeroed();
        random.fill(key.expose_mut())?;
        Ok(Self {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// What may be told of it, in base64 as WireGuard writes keys: of a private key the public one.
    #[must_use]
    pub fn public_text(&self) -> Option<String> {
        match self.kind {
            WireGuardKind::Private => Some(STANDARD.encode(x25519::public_key(&self.key))),
            WireGuardKind::Preshared => None,
        }
    }

    /// The key itself in base64, for the other end.
    #[must_use]
    pub fn secret_text(&self) -> SecretBytes {
        SecretBytes::from(STANDARD.encode(self.key.expose()).into_bytes())
    }
}

/// What a key of WireGuard is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WireGuardKind {
    /// `private-key` of a tunnel.
    Private,
    /// `preshared-key` of a peer.
    Preshared,
}

/// Bytes are no [`Secrets`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// Written by another version.
    Version {
        /// The version found.
        found: u16,
    },
    /// Cut off, too long, or not of the layout.
    Malformed,
}

/// [`Secrets`] with keys that are borrowed, so that encoding makes no copy that nobody wipes.
#[derive(Serialize, Deserialize)]
struct Layout<'a> {
    #[serde(borrow)]
    volumes: Vec<VolumeLayout<'a>>,
    #[serde(borrow)]
    wireguard: Vec<WireGuardLayout<'a>>,
    pins: Vec<Pin>,
    least_revision: u64,
}

#[derive(Serialize, Deserialize)]
struct VolumeLayout<'a> {
    name: &'a str,
    uuid: &'a str,
    key: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct WireGuardLayout<'a> {
    name: &'a str,
    kind: WireGuardKind,
    key: &'a [u8],
}

impl Secrets {
    /// The bytes for the hypervisor, and for sealing.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        let layout = (VERSION.to_le_bytes(), self.layout());
        // Measuring and serialising plain data have no failure of their own; what is cut short cannot be read.
        let size = postcard::serialize_with_flavor(&layout, Size::default()).unwrap_or_default();
        let mut bytes = SecretBytes::zeroed(size);
        let _ = postcard::to_slice(&layout, bytes.expose_mut());
        bytes
    }

    fn layout(&self) -> Layout<'_> {
        let volumes = self.volumes.iter().map(|volume| VolumeLayout {
            name: &volume.name,
            uuid: &volume.uuid,
            key: volume.key.expose(),
        });
        let wireguard = self.wireguard.iter().map(|named| WireGuardLayout {
            name: &named.name,
            kind: named.kind,
            key: named.key.expose(),
        });
        Layout {
            volumes: volumes.collect(),
            wireguard: wireguard.collect(),
            pins: self.pins.clone(),
            least_revision: self.least_revision,
        }
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (version, body) = bytes.split_first_chunk::<2>().ok_or(DecodeError::Malformed)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(DecodeError::Version { found });
        }
        let (layout, rest): (Layout<'_>, _) =
            postcard::take_from_bytes(body).map_err(|_| DecodeError::Malformed)?;
        if !rest.is_empty() {
            return Err(DecodeError::Malformed);
        }
        Ok(Self {
            volumes: layout.volumes.iter().map(volume).collect::<Result<_, _>>()?,
            wireguard: layout.wireguard.iter().map(wireguard).collect::<Result<_, _>>()?,
            pins: layout.pins,
            least_revision: layout.least_revision,
        })
    }

    /// The key that tunnels name so.
    #[must_use]
    pub fn wireguard(&self, kind: WireGuardKind, name: &str) -> Option<&WireGuardKey> {
        self.wireguard
            .iter()
            .find(|key| key.kind == kind && key.name == name)
    }

    /// The key of the volume with this name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&VolumeSecret> {
        self.volumes.iter().find(|volume| volume.name == name)
    }
}

fn volume(layout: &VolumeLayout<'_>) -> Result<VolumeSecret, DecodeError> {
    if ![32, 64].contains(&layout.key.len()) {
        return Err(DecodeError::Malformed);
    }
    Ok(VolumeSecret {
        name: layout.name.to_owned(),
        uuid: layout.uuid.to_owned(),
        key: SecretBytes::from_slice(layout.key),
    })
}

fn wireguard(layout: &WireGuardLayout<'_>) -> Result<WireGuardKey, DecodeError> {
    Ok(WireGuardKey {
        name: layout.name.to_owned(),
        kind: layout.kind,
        key: Secret::from_slice(layout.key).ok_or(DecodeError::Malformed)?,
    })
}
