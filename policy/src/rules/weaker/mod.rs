//! The ways in which a change of a policy weakens protection: `sekisho diff`. One rule a file, as for policies; the
//! example is the policy as it becomes, and its repair the policy as it was.
//!
//! Raised by [`crate::diff`].

/// The policy as it becomes.
macro_rules! change {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/change/", $name, ".toml"))
    };
}

pub(crate) mod concealed_visible;
pub(crate) mod default_passes;
pub(crate) mod discard_allowed;
pub(crate) mod disk_in_clear;
pub(crate) mod drive_opened;
pub(crate) mod key_shrinks;
pub(crate) mod log_outside;
pub(crate) mod more_in_clear;
pub(crate) mod outside_tunnel;
pub(crate) mod preshared_key_gone;
pub(crate) mod service_wider;
pub(crate) mod status_shown;
pub(crate) mod unlock_easier;

use crate::diagnostic::Diagnostic;
use crate::findings::FleetRule;
use crate::plan::Fate;
use crate::source::Span;

/// Every rule, in the order of codes.
pub(crate) static RULES: &[&FleetRule] = &[
    &disk_in_clear::RULE,
    &outside_tunnel::RULE,
    &concealed_visible::RULE,
    &key_shrinks::RULE,
    &default_passes::RULE,
    &more_in_clear::RULE,
    &preshared_key_gone::RULE,
    &log_outside::RULE,
    &service_wider::RULE,
    &drive_opened::RULE,
    &discard_allowed::RULE,
    &unlock_easier::RULE,
    &status_shown::RULE,
];

/// What a device loses by another fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// Its disks were encrypted.
    Encryption,
    /// It reached the network through a tunnel or not at all.
    Tunnel,
    /// It did not exist for the guest, or was the appliance's alone.
    Concealment,
}

impl Loss {
    /// What is lost where `old` becomes `new`; `None` where nothing is.
    pub(crate) fn between(old: Fate, new: Fate) -> Option<Self> {
        let reaches = matches!(new, Fate::Pass | Fate::NetPass | Fate::IpPass);
        let shows = reaches || matches!(new, Fate::Encrypt | Fate::Vpn | Fate::Null);
        match old {
            Fate::Encrypt if new == Fate::Pass => Some(Self::Encryption),
            Fate::Vpn | Fate::Null | Fate::Ip | Fate::Own if reaches => Some(Self::Tunnel),
            // Not at all becomes through a tunnel: more than there was, but guarded.
            Fate::Conceal | Fate::Ip | Fate::Own if shows => Some(Self::Concealment),
            _ => None,
        }
    }

    /// The loss at `span`.
    pub(crate) fn finding(self, span: Span, what: &str) -> Diagnostic {
        match self {
            Self::Encryption => disk_in_clear::finding(span, what),
            Self::Tunnel => outside_tunnel::finding(span, what),
            Self::Concealment => concealed_visible::finding(span, what),
        }
    }
}
