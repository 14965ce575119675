//! WireGuard, the whole protocol and nothing around it: datagrams, packets, time and randomness go in, datagrams, packets and
//! events come out.
//!
//! Trusted: the configuration, the clock and the source of randomness. Not trusted: every datagram, and every packet, from
//! either side. Nothing is ever sent in clear: what has no keys yet waits in a queue of fixed size, then is dropped. All
//! memory is taken by [`Tunnel::new`].
//!
//! The paper is Jason A. Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", NDSS 2017, in its revision of
//! 2020; "the paper" in this crate.
#![no_std]

extern crate alloc;

mod call;
mod config;
mod cookie;
mod hold;
mod load;
mod message;
mod noise;
mod outlet;
mod packet;
mod peer;
mod replay;
mod routing;
mod session;
mod time;
mod timers;
#[cfg(test)]
mod transcript_tests;
mod tunnel;

pub use config::{Config, ConfigError, MAX_PEERS, PeerConfig, Prefix};
pub use outlet::{Event, Outlet, Random, Reason};
pub use packet::Packet;
pub use peer::PeerState;
pub use sekisho_crypto::aead::{Lender, Vectors};
pub use time::{Clock, Instant};
pub use tunnel::Tunnel;
