//! Frames of or for the appliance, and of a guest behind a tunnel, that went nowhere, by reason.

use crate::incident::Kind;

/// Counts and waiting notices of one module.
pub type Losses = crate::incident::Incidents<Loss>;
/// A loss, told when the count of its reason reaches a power of two.
pub type Notice = crate::incident::Notice<Loss>;

/// Why a frame went nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// The stack had no room: frames come faster than it looks at them.
    InboxFull,
    /// Longer than the stack takes.
    TooLong,
    /// To the appliance, from an address that no host has, or cut off.
    Malformed,
    /// A fragment that lies outside of what the stack puts together.
    Fragment,
    /// To the appliance, which does not talk of that on this NIC.
    Unwanted,
    /// The guest spoke in the appliance's name.
    Impersonation,
    /// The DHCP server offered what no host can have.
    BadLease,
    /// A frame of the guest's that no host sends.
    GuestMalformed,
    /// The guest sent from an address that is not its own, or to itself.
    GuestForeign,
    /// A frame of the guest's that is none of the tunnel's IP versions.
    GuestOther,
    /// A broadcast or multicast of the guest's: behind the gateway is nobody to hear it.
    GuestGroup,
    /// To the gateway itself, which does not talk of that.
    GuestLocal,
    /// Longer than the tunnel carries.
    GuestTooLarge,
    /// Out of the tunnel, and not for the guest.
    TunnelForeign,
    /// A packet of the guest's to where no peer is.
    TunnelNoRoute,
    /// A packet of the guest's waited for the tunnel for too long, or too many did.
    TunnelDown,
    /// A datagram of the tunnel's found no way out: no address yet, or too many waited.
    TunnelFull,
    /// From outside, at the tunnel's port: of no peer, or by somebody without the keys.
    TunnelNoise,
    /// From outside, of a peer: it came before, or too late.
    TunnelReplayed,
    /// From outside: more handshakes than are worked on.
    TunnelFlood,
    /// For the guest, which gave no room for it.
    GuestSlow,
    /// The appliance's stack made a frame that a NIC with a tunnel does not send.
    Withheld,
}

impl Kind for Loss {
    const ALL: &'static [Self] = &[
        Self::InboxFull,
        Self::TooLong,
        Self::Malformed,
        Self::Fragment,
        Self::Unwanted,
        Self::Impersonation,
        Self::BadLease,
        Self::GuestMalformed,
        Self::GuestForeign,
        Self::GuestOther,
        Self::GuestGroup,
        Self::GuestLocal,
        Self::GuestTooLarge,
        Self::TunnelForeign,
        Self::TunnelNoRoute,
        Self::TunnelDown,
        Self::TunnelFull,
        Self::TunnelNoise,
        Self::TunnelReplayed,
        Self::TunnelFlood,
        Self::GuestSlow,
        Self::Withheld,
    ];
    const PLACE: Option<&'static str> = None;

    fn name(self) -> &'static str {
        match self {
            Self::InboxFull => "frame came too fast for the stack",
            Self::TooLong => "frame too long for the stack",
            Self::Malformed => "malformed frame to the appliance",
            Self::Fragment => "fragment out of bounds",
            Self::Unwanted => "unwanted frame to the appliance",
            Self::Impersonation => "guest's frame in the appliance's name",
            Self::BadLease => "unusable DHCP lease",
            Self::GuestMalformed => "malformed frame of the guest's",
            Self::GuestForeign => "guest's packet in another's name",
            Self::GuestOther => "guest's frame that no tunnel carries",
            Self::GuestGroup => "guest's broadcast or multicast",
            Self::GuestLocal => "unwanted packet to the gateway",
            Self::GuestTooLarge => "guest's packet too large for the tunnel",
            Self::TunnelForeign => "packet of the tunnel that is not the guest's",
            Self::TunnelNoRoute => "guest's packet to where no peer is",
            Self::TunnelDown => "guest's packet while the tunnel was down",
            Self::TunnelFull => "tunnel's datagram without a way",
            Self::TunnelNoise => "datagram of no peer",
            Self::TunnelReplayed => "peer's datagram that came before or too late",
            Self::TunnelFlood => "too many handshakes",
            Self::GuestSlow => "frame for which the guest had no room",
            Self::Withheld => "appliance's frame withheld",
        }
    }

    fn subject(self) -> Option<&'static str> {
        None
    }
}
