//! What becomes of the frames of a NIC: `net=` of the selection language.

use super::frame::Frame;
use super::port::{GuestLink, Outlets, Verdict};
use crate::seam::Instant;

/// The module of one NIC.
pub enum Module {
    /// `pass`: forwards both ways.
    Pass,
    /// `null`: cut. The guest has a NIC without a link.
    Null,
}

impl Module {
    /// Decides on a frame that the guest sends.
    pub fn outgoing(&mut self, _frame: Frame<'_>, _now: Instant) -> Verdict {
        match self {
            Self::Pass => Verdict::Forward,
            Self::Null => Verdict::Stop,
        }
    }

    /// Decides on a frame that has come by the wire.
    pub fn incoming(&mut self, _frame: Frame<'_>, _now: Instant) -> Verdict {
        match self {
            Self::Pass => Verdict::Forward,
            Self::Null => Verdict::Stop,
        }
    }

    /// Does what is due and gives its own frames out. `None` where it waits for frames alone, else when it wants to be
    /// polled again at the latest.
    pub fn poll(&mut self, _now: Instant, _out: &mut impl Outlets) -> Option<Instant> {
        match self {
            Self::Pass | Self::Null => None,
        }
    }

    /// What the guest sees of the link.
    #[must_use]
    pub const fn link(&self) -> GuestLink {
        match self {
            Self::Pass => GuestLink::Wire,
            Self::Null => GuestLink::Down,
        }
    }
}
