//! What a tunnel is told once, checked here so that nothing behind checks it again.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use sekisho_crypto::aead::Vectors;
use sekisho_crypto::secret::Secret;
use sekisho_crypto::x25519::KEY_SIZE;

/// Peers of one tunnel at most: the lowest byte of a session's index is the peer's number.
pub const MAX_PEERS: usize = 256;

/// One tunnel.
pub struct Config {
    /// Ours.
    pub private_key: Secret<KEY_SIZE>,
    /// Bytes of the longest IP packet inside. Padding does not go beyond it.
    pub mtu: u16,
    /// Registers that packets may be sealed and opened with.
    pub vectors: Vectors,
    /// At most [`MAX_PEERS`].
    pub peers: Vec<PeerConfig>,
}

/// One peer of a tunnel.
pub struct PeerConfig {
    /// Who it is.
    pub public_key: [u8; KEY_SIZE],
    /// A secret beside the key pairs, for the day on which those can be broken.
    pub preshared_key: Option<Secret<KEY_SIZE>>,
    /// Where it is to be found; without one it has to come to us, or [`crate::Tunnel::set_endpoint`] says later.
    pub endpoint: Option<SocketAddr>,
    /// Where packets go to this peer, and what sources it may use. Of prefixes that overlap the longest counts.
    pub allowed: Vec<Prefix>,
    /// Seconds after which something is sent if nothing else was, to keep a NAT's mapping.
    pub keepalive: Option<NonZeroU16>,
}

/// Why there is no such tunnel. `peer` is a position in [`Config::peers`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// More than [`MAX_PEERS`].
    TooManyPeers {
        /// How many there are.
        count: usize,
    },
    /// A public key of low order: no secret can be agreed with it.
    WeakKey {
        /// Whose.
        peer: usize,
    },
    /// A peer with our own public key.
    OwnKey {
        /// Which.
        peer: usize,
    },
    /// Two peers with one public key.
    SameKey {
        /// The first.
        first: usize,
        /// The second.
        second: usize,
    },
    /// Two peers with one prefix.
    SamePrefix {
        /// The first.
        first: usize,
        /// The second.
        second: usize,
        /// What both claim.
        prefix: Prefix,
    },
}

/// A network: all addresses that begin as one does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The network of `length` bits that `address` is in; `None` if the address has fewer bits.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let (address, bits) = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX
                    .checked_shl(32_u32.checked_sub(length.into())?)
                    .unwrap_or(0);
                (IpAddr::V4((address.to_bits() & mask).into()), 32)
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX
                    .checked_shl(128_u32.checked_sub(length.into())?)
                    .unwrap_or(0);
                (IpAddr::V6((address.to_bits() & mask).into()), 128)
            }
        };
        (length <= bits).then_some(Self { address, length })
    }

    /// Bits.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.length).is_some_and(|network| network == *self)
    }
}
