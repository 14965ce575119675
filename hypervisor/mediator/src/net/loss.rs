//! Frames of or for the appliance that went nowhere, by reason.

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
        }
    }

    fn subject(self) -> Option<&'static str> {
        None
    }
}
