//! How long the next frame of the real ring waits for a guest that has no room, where the appliance's own wait behind it.
//!
//! A driver of the guest's that is behind for a moment loses nothing, as with a NIC alone, which then leaves frames to the
//! switch. One that takes nothing for longer delays the appliance once: until it takes a frame again, those without room
//! are dropped at once.

use crate::seam::Instant;

/// Nanoseconds: longer than a driver takes from an interrupt to its ring, shorter than who waits for the appliance notices.
const PATIENCE: u64 = 20_000_000;

/// Of the frame at the head of the real ring.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Hold {
    /// It has been shown to nobody.
    #[default]
    New,
    /// The module was shown it, and it is for the guest, which has had no room for it since.
    Since(Instant),
    /// It has been shown to nobody, and the guest is not waited for.
    Over,
}

impl Hold {
    /// Whether the frame was shown to the module already.
    pub(super) const fn was_shown(self) -> bool {
        matches!(self, Self::Since(_))
    }

    /// Whether to go on waiting with it.
    pub(super) const fn goes_on(self, now: Instant) -> bool {
        match self {
            Self::Since(start) => now.0.saturating_sub(start.0) < PATIENCE,
            Self::New | Self::Over => false,
        }
    }

    /// There is no room for it: whether it is to wait, or else to be dropped.
    pub(super) const fn waits(&mut self, now: Instant) -> bool {
        if let Self::New = self {
            *self = Self::Since(now);
        }
        self.goes_on(now)
    }

    /// The guest took it.
    pub(super) const fn taken(&mut self) {
        *self = Self::New;
    }

    /// It is gone, to others or dropped.
    pub(super) const fn gone(&mut self, now: Instant) {
        if self.was_shown() {
            *self = if self.goes_on(now) { Self::New } else { Self::Over };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_shown_once_and_waits_for_a_while() {
        let mut hold = Hold::default();
        assert!(!hold.was_shown());
        assert!(hold.waits(Instant(5)));
        assert!(hold.was_shown());
        assert!(hold.waits(Instant(4 + PATIENCE)));
        assert!(!hold.waits(Instant(5 + PATIENCE)));
    }

    #[test]
    fn a_guest_that_takes_nothing_delays_once_until_it_takes_again() {
        let mut hold = Hold::default();
        hold.waits(Instant(0));
        hold.gone(Instant(PATIENCE));
        assert!(!hold.was_shown() && !hold.waits(Instant(PATIENCE)));
        hold.gone(Instant(PATIENCE));
        assert!(!hold.waits(Instant(2 * PATIENCE)));
        hold.taken();
        assert!(hold.waits(Instant(2 * PATIENCE)));
    }

    #[test]
    fn one_that_turns_out_to_be_another_s_ends_the_wait() {
        let mut hold = Hold::default();
        hold.waits(Instant(0));
        hold.gone(Instant(1));
        assert_eq!(hold, Hold::New);
    }
}
