//! Opening a tunnel: the policy's description and the keys that it names become an engine.

use super::random::{Generator, SEED_BYTES};
use crate::clock::WallClock;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use sekisho_abi::network::{Endpoint, Peer, Tunnel as Policy};
use sekisho_crypto::secret::Secret;
use sekisho_vpn::{Clock, Config, ConfigError, Instant, PeerConfig, Prefix, Tunnel, Vectors};

/// Bytes of a key of WireGuard.
const KEY_BYTES: usize = 32;
/// Bytes of the longest packet inside: a frame's 1500 without IPv6, UDP and WireGuard around it.
pub(super) const LONGEST_PACKET: u16 = 1500 - 40 - 8 - 32;

/// Which of the key store's keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// `private-key` of a tunnel.
    Private,
    /// `preshared-key` of a peer.
    Preshared,
}

/// What a tunnel needs beside the policy.
pub struct Entrusted<'k> {
    /// The key with a name, if the store has it.
    pub key: &'k dyn Fn(KeyKind, &str) -> Option<&'k [u8; KEY_BYTES]>,
    /// Of [`super::seed`].
    pub seed: Option<Secret<SEED_BYTES>>,
    /// The time of day, which only ever goes on: peers take a handshake no older than the last.
    pub clock: Option<WallClock>,
    /// Registers that packets may be sealed and opened with.
    pub vectors: Vectors,
}

/// A tunnel with its keys, not in use yet.
pub struct Opened {
    pub(super) tunnel: Tunnel,
    pub(super) random: Generator,
    pub(super) mtu: u16,
}

/// Why there is no tunnel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The key store lacks a key.
    NoKey {
        /// Its name.
        name: String,
    },
    /// The policy describes none that could be.
    Config(ConfigError),
    /// Neither CPU nor firmware has random numbers.
    NoRandomness,
    /// Nobody knows the time of day.
    NoDate,
    /// A prefix longer than its address.
    Prefix,
}

/// Makes the engine of a tunnel.
///
/// # Errors
/// [`OpenError`].
pub fn open(policy: &Policy, entrusted: Entrusted<'_>) -> Result<Opened, OpenError> {
    let find = entrusted.key;
    let secret = |kind, name: &str| {
        let key = find(kind, name).ok_or_else(|| OpenError::NoKey {
            name: name.to_owned(),
        })?;
        let mut secret = Secret::zeroed();
        secret.expose_mut().copy_from_slice(key);
        Ok(secret)
    };
    let peer = |peer: &Peer| {
        let prefixes = peer.allowed.iter();
        let allowed: Option<Vec<Prefix>> = prefixes
            .map(|prefix| Prefix::new(prefix.address, prefix.length))
            .collect();
        let preshared = peer.preshared_key.as_ref();
        Ok(PeerConfig {
            public_key: peer.public_key,
            preshared_key: preshared
                .map(|name| secret(KeyKind::Preshared, name))
                .transpose()?,
            endpoint: match &peer.endpoint {
                Endpoint::Address(address) => Some(*address),
                Endpoint::Name { .. } => None,
            },
            allowed: allowed.ok_or(OpenError::Prefix)?,
            keepalive: peer.keepalive,
        })
    };
    let seed = entrusted.seed.ok_or(OpenError::NoRandomness)?;
    let mtu = policy.mtu.min(LONGEST_PACKET);
    let config = Config {
        private_key: secret(KeyKind::Private, &policy.private_key)?,
        mtu,
        vectors: entrusted.vectors,
        peers: policy.peers.iter().map(peer).collect::<Result<_, _>>()?,
    };
    let date = entrusted.clock.ok_or(OpenError::NoDate)?;
    let clock = Clock {
        now: Instant(date.at.0),
        since_epoch: Duration::from_nanos(date.since_1970),
    };
    Ok(Opened {
        tunnel: Tunnel::new(config, clock).map_err(OpenError::Config)?,
        random: Generator::new(seed),
        mtu,
    })
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey { name } => write!(f, "the key store has no key `{name}` for its tunnel"),
            Self::Config(ConfigError::TooManyPeers { count }) => {
                write!(f, "its tunnel has {count} peers, more than there may be")
            }
            Self::Config(ConfigError::WeakKey { peer }) => {
                write!(f, "peer {peer} of its tunnel has a public key that is nobody's")
            }
            Self::Config(ConfigError::OwnKey { peer }) => {
                write!(f, "peer {peer} of its tunnel has our own public key")
            }
            Self::Config(ConfigError::SameKey { first, second }) => {
                write!(f, "peers {first} and {second} of its tunnel have one public key")
            }
            Self::Config(ConfigError::SamePrefix { first, second, .. }) => {
                write!(
                    f,
                    "peers {first} and {second} of its tunnel have a network in common"
                )
            }
            Self::NoRandomness => {
                f.write_str("its tunnel needs random numbers, and neither CPU nor firmware has any")
            }
            Self::NoDate => f.write_str("its tunnel dates handshakes, and the firmware's clock has no date"),
            Self::Prefix => f.write_str("its tunnel has a network that is none"),
        }
    }
}
