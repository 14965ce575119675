//! What the engine asks of its surroundings, and what it tells them.

use core::net::SocketAddr;

/// Where the results go, in the order in which they arise.
pub trait Outlet {
    /// Sends a UDP datagram to a peer. It may get lost: the protocol bears it.
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]);

    /// Hands an IP packet to the guest. It is authentic, whole, and its source is one that its peer may use; nothing
    /// else of it was looked at.
    fn packet(&mut self, bytes: &[u8]);

    /// Something that a log may tell. Drops come one by one: who writes them down limits how often.
    fn event(&mut self, event: Event);
}

/// A source of random bytes that nobody else knows or can guess. Private keys are made of them.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// What has happened. `peer` is a position in [`crate::Config::peers`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A handshake has ended well and its keys are in use.
    HandshakeDone {
        /// With whom.
        peer: usize,
    },
    /// An initiation got no answer within 5 s and another one is sent. An endpoint given by name may have moved.
    Unanswered {
        /// By whom.
        peer: usize,
        /// How many so far.
        attempts: u8,
    },
    /// No answer for 90 s: the packets held for the peer are dropped; the next one starts over, at the endpoint that the
    /// configuration or the peer's name gave.
    PeerSilent {
        /// Who.
        peer: usize,
    },
    /// An authentic packet or response came from another address than before; answers go there now.
    EndpointChanged {
        /// Of whom.
        peer: usize,
        /// To where.
        endpoint: SocketAddr,
    },
    /// Nothing was heard for so long that all keys of a peer were wiped.
    KeysErased {
        /// Of whom.
        peer: usize,
    },
    /// Something was dropped.
    Dropped {
        /// Of or for whom, where that was known.
        peer: Option<usize>,
        /// Why.
        reason: Reason,
    },
}

/// Why a packet or datagram was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// From the guest: not a whole IPv4 or IPv6 packet.
    NotIp,
    /// From the guest: longer than the tunnel's MTU.
    TooLong,
    /// From the guest: no peer's allowed addresses hold the destination.
    NoRoute,
    /// From the guest: the oldest of too many packets that waited for a handshake.
    HoldFull,
    /// From the guest: no handshake came about within 90 s.
    NoAnswer,
    /// From outside: no message of the protocol.
    Malformed,
    /// From outside: a handshake message by someone who does not know our public key, or for another's.
    BadMac,
    /// From outside: a handshake message beyond what is worked on now. A cookie was sent, with which it may come again.
    UnderLoad,
    /// From outside: too many handshake messages of one address under load.
    RateLimited,
    /// From outside: a handshake message that does not decrypt, is of nobody we know, or answers nothing.
    BadHandshake,
    /// From outside: an initiation not newer than the last one.
    OldInitiation,
    /// From outside: initiations of one peer faster than fifty a second.
    Flood,
    /// From outside: a packet or cookie for a session that there is not.
    NoSession,
    /// From outside: a packet that does not decrypt.
    Forged,
    /// From outside: a packet that came before, or too late to tell.
    Replayed,
    /// From outside: a packet of a session older than 180 s.
    Expired,
    /// From inside the tunnel: not a whole IPv4 or IPv6 packet.
    BadContent,
    /// From inside the tunnel: a source that is not the peer's.
    BadSource,
}

impl Reason {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::NotIp,
        Self::TooLong,
        Self::NoRoute,
        Self::HoldFull,
        Self::NoAnswer,
        Self::Malformed,
        Self::BadMac,
        Self::UnderLoad,
        Self::RateLimited,
        Self::BadHandshake,
        Self::OldInitiation,
        Self::Flood,
        Self::NoSession,
        Self::Forged,
        Self::Replayed,
        Self::Expired,
        Self::BadContent,
        Self::BadSource,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_stands_at_its_number() {
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number, "{reason:?}");
        }
    }
}
