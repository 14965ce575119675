//! How long the next frame of the real ring waits for a guest that has no room, where the appliance's own wait behind it.
//!
//! A driver of the guest's that is behind loses nothing as long as it takes frames, as with a NIC alone, which then leaves
//! them to the switch. Each frame that it takes earns a time of waiting, and waiting spends it: so one that takes nothing
//! delays the appliance once and little, and one that takes frames as slowly as it can delays each frame behind by
//! [`EARNED`] at most.

use crate::seam::Instant;

/// Nanoseconds of waiting that a frame earns.
const EARNED: u64 = 10_000_000;
/// Nanoseconds that can be saved: longer than a driver's CPU may be away, shorter than who waits for the appliance notices.
const MOST: u64 = 200_000_000;

/// Of the frame at the head of the real ring.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Hold {
    /// Since when the frame waits; the module was shown it then.
    since: Option<Instant>,
    /// Nanoseconds of waiting that are left.
    credit: u64,
}

impl Hold {
    /// Whether the frame was shown to the module already.
    pub(super) const fn was_shown(&self) -> bool {
        self.since.is_some()
    }

    /// Whether to go on waiting with it.
    pub(super) const fn goes_on(&self, now: Instant) -> bool {
        self.was_shown() && self.waited(now) < self.credit
    }

    /// There is no room for it: whether it is to wait, or else to be dropped.
    pub(super) const fn waits(&mut self, now: Instant) -> bool {
        if self.since.is_none() {
            self.since = Some(now);
        }
        self.goes_on(now)
    }

    /// The guest took it.
    pub(super) fn taken(&mut self, now: Instant) {
        self.gone(now);
        self.credit = self.credit.saturating_add(EARNED).min(MOST);
    }

    /// It is gone, to others or dropped.
    pub(super) const fn gone(&mut self, now: Instant) {
        self.credit = self.credit.saturating_sub(self.waited(now));
        self.since = None;
    }

    const fn waited(&self, now: Instant) -> u64 {
        match self.since {
            Some(since) => now.0.saturating_sub(since.0),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a guest that has taken so many frames in time.
    fn after(frames: u64) -> Hold {
        let mut hold = Hold::default();
        (0..frames).for_each(|_| hold.taken(Instant(0)));
        hold
    }

    #[test]
    fn a_frame_is_shown_once_and_waits_as_long_as_those_before_it_earned() {
        let mut hold = after(5);
        assert!(!hold.was_shown());
        assert!(hold.waits(Instant(7)));
        assert!(hold.was_shown());
        assert!(hold.waits(Instant(6 + 5 * EARNED)));
        assert!(!hold.waits(Instant(7 + 5 * EARNED)));
    }

    #[test]
    fn no_guest_saves_more_than_the_most() {
        let mut hold = after(1000);
        assert!(hold.waits(Instant(0)));
        assert!(hold.waits(Instant(MOST - 1)));
        assert!(!hold.waits(Instant(MOST)));
    }

    #[test]
    fn a_guest_that_takes_nothing_delays_once() {
        let mut hold = after(1000);
        hold.waits(Instant(0));
        hold.gone(Instant(MOST));
        assert!(!hold.was_shown() && !hold.waits(Instant(MOST)));
        hold.gone(Instant(MOST));
        assert!(!hold.waits(Instant(2 * MOST)));
    }

    #[test]
    fn a_guest_that_takes_each_frame_as_late_as_it_can_delays_each_by_what_a_frame_earns() {
        const FRAMES: u64 = 100;
        const STEP: u64 = 1000;
        let mut hold = after(1000);
        let mut now = 0;
        for _ in 0..FRAMES {
            assert!(hold.waits(Instant(now)));
            while hold.goes_on(Instant(now + STEP)) {
                now += STEP;
            }
            hold.taken(Instant(now));
        }
        assert!(now > MOST && now <= MOST + FRAMES * EARNED, "{now}");
    }
}
