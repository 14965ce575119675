//! What the guest tried and did not get: counted by kind, and told without letting it flood the log.

use super::fate::Fate;
use crate::log::Event;
use core::fmt;
use sekisho_abi::pci::{Address, Identity};

/// Something refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// A write to a concealed function.
    ConcealedWrite,
    /// Base addresses over a protected range.
    ProtectedBar,
    /// A bridge window over a protected range.
    ProtectedWindow,
    /// A register that places memory, configuration space or ports.
    FixedRegister,
    /// A bus number that would move functions.
    BusNumber,
    /// A register of a header whose layout is unknown.
    UnknownHeader,
    /// A register of a mediated function that is not the guest's to write.
    MediatedRegister,
    /// An access that crosses double words or leaves the space.
    Malformed,
    /// A function beyond the table's end.
    TableFull,
    /// A function that became another one.
    ChangedIdentity,
}

/// Something worth a line in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// An attempt, told when its count reaches a power of two.
    Refused {
        /// What was tried.
        attempt: Attempt,
        /// At which function.
        address: Address,
        /// The how manieth of its kind.
        count: u64,
    },
    /// A function came, or became another one, and was decided.
    Decided {
        /// What it is now.
        identity: Identity,
        /// What becomes of it.
        fate: Fate,
    },
}

impl Attempt {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::ConcealedWrite,
        Self::ProtectedBar,
        Self::ProtectedWindow,
        Self::FixedRegister,
        Self::BusNumber,
        Self::UnknownHeader,
        Self::MediatedRegister,
        Self::Malformed,
        Self::TableFull,
        Self::ChangedIdentity,
    ];

    /// In a few words, as the log and the status page say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConcealedWrite => "write to a concealed function",
            Self::ProtectedBar => "base address over a protected range",
            Self::ProtectedWindow => "bridge window over a protected range",
            Self::FixedRegister => "write to a register that places memory or ports",
            Self::BusNumber => "bus number changed",
            Self::UnknownHeader => "write to an unknown header",
            Self::MediatedRegister => "write to a mediated function",
            Self::Malformed => "malformed access",
            Self::TableFull => "more functions than can be held",
            Self::ChangedIdentity => "function became another one",
        }
    }
}

impl Notice {
    /// The log's name for it.
    #[must_use]
    pub const fn event(&self) -> Event {
        match self {
            Self::Refused { .. } => Event::PCI_REFUSED,
            Self::Decided { .. } => Event::PCI_ARRIVED,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                attempt,
                address,
                count,
            } => {
                write!(f, "{address}: {}, {count} so far", attempt.name())
            }
            Self::Decided { identity, fate } => write!(
                f,
                "{}: {:06x} {:04x}:{:04x} arrived, {}",
                identity.address,
                identity.class_code,
                identity.vendor,
                identity.device,
                if fate.hides() { "concealed" } else { "passed" }
            ),
        }
    }
}

/// Notices that wait for the machine to take them; more than these in one access are only counted.
const WAITING: usize = 4;

/// Counts and waiting notices.
#[derive(Default)]
pub(super) struct Attempts {
    counts: [u64; Attempt::ALL.len()],
    waiting: [Option<Notice>; WAITING],
}

impl Attempts {
    /// Counts one attempt, and leaves a notice at every power of two.
    #[cold]
    pub(super) fn refuse(&mut self, attempt: Attempt, address: Address) {
        let Some(count) = self.counts.get_mut(attempt as usize) else {
            return;
        };
        *count = count.saturating_add(1);
        if count.is_power_of_two() {
            let notice = Notice::Refused {
                attempt,
                address,
                count: *count,
            };
            self.notice(notice);
        }
    }

    /// Leaves a notice.
    pub(super) fn notice(&mut self, notice: Notice) {
        if let Some(place) = self.waiting.iter_mut().find(|place| place.is_none()) {
            *place = Some(notice);
        }
    }

    pub(super) fn count(&self, attempt: Attempt) -> u64 {
        self.counts.get(attempt as usize).copied().unwrap_or(0)
    }

    pub(super) fn take_notice(&mut self) -> Option<Notice> {
        let first = self.waiting.first_mut()?.take()?;
        self.waiting.rotate_left(1);
        Some(first)
    }
}
