//! When something is to be done without anything having come (the paper, section 6). Which event sets which alarm is
//! here; what an alarm leads to is the peer's.

use crate::outlet::Random;
use crate::session::REJECT_AFTER_TIME;
use crate::time::Instant;
use core::num::NonZeroU16;
use core::time::Duration;

/// The least time between two initiations to one peer.
pub(crate) const REKEY_TIMEOUT: Duration = Duration::from_secs(5);
/// What is answered with nothing else is answered with an empty packet after this long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Initiations without an answer before we give up: one every five of 90 s (`REKEY_ATTEMPT_TIME`).
pub(crate) const MAX_ATTEMPTS: u8 = 90 / 5;
/// When keys that no new ones followed are wiped.
const ERASE_AFTER: Duration = Duration::from_secs(REJECT_AFTER_TIME.as_secs() * 3);
/// Up to this many milliseconds are added to retries, lest two peers repeat their collision.
const JITTER: u16 = 333;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alarm {
    /// An initiation got no answer.
    Retransmit,
    /// The peer has sent and we have not.
    Keepalive,
    /// We have sent and the peer has not: it may have lost its keys.
    Reinitiate,
    /// The keys are too old for anything.
    Erase,
    /// A NAT in between is about to forget us.
    Persistent,
}

const ALARMS: [Alarm; 5] = [
    Alarm::Retransmit,
    Alarm::Keepalive,
    Alarm::Reinitiate,
    Alarm::Erase,
    Alarm::Persistent,
];

/// Alarms that may ring at one moment.
pub(crate) const MAX_ALARMS: usize = ALARMS.len();

/// The alarms of one peer.
pub(crate) struct Timers {
    alarms: [Option<Instant>; ALARMS.len()],
    /// Another packet came while a keepalive was due already.
    owes_another: bool,
    every: Option<Duration>,
}

impl Timers {
    /// Persistent keepalives begin at once.
    pub(crate) fn new(keepalive: Option<NonZeroU16>, now: Instant) -> Self {
        let every = keepalive.map(|seconds| Duration::from_secs(u64::from(seconds.get())));
        let mut timers = Self {
            alarms: [None; ALARMS.len()],
            owes_another: false,
            every,
        };
        timers.set(Alarm::Persistent, every.map(|_| now));
        timers
    }

    /// When to look again.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.alarms.iter().flatten().min().copied()
    }

    /// An alarm whose time has come, which is thereby off. Each is met once until it is set again.
    pub(crate) fn rings(&mut self, now: Instant) -> Option<Alarm> {
        let alarm = ALARMS
            .into_iter()
            .find(|alarm| self.at(*alarm).is_some_and(|moment| moment <= now))?;
        self.set(alarm, None);
        Some(alarm)
    }

    /// An initiation was sent, or would have been.
    pub(crate) fn initiated(&mut self, now: Instant, random: &mut dyn Random) {
        self.set(
            Alarm::Retransmit,
            Some(jittered(now.after(REKEY_TIMEOUT), random)),
        );
    }

    /// An initiation is to be sent at `moment`, not before.
    pub(crate) fn initiate_at(&mut self, moment: Instant) {
        self.set(Alarm::Retransmit, Some(moment));
    }

    /// Whether an initiation was sent that has not been answered.
    pub(crate) fn is_initiating(&self) -> bool {
        self.at(Alarm::Retransmit).is_some()
    }

    /// There are new keys, though not necessarily in use.
    pub(crate) fn keyed(&mut self, now: Instant) {
        self.set(Alarm::Erase, Some(now.after(ERASE_AFTER)));
    }

    /// The new keys are in use.
    pub(crate) fn shook_hands(&mut self) {
        self.set(Alarm::Retransmit, None);
    }

    /// There was no answer to anything. Keys there may be are wiped in time.
    pub(crate) fn gave_up(&mut self, now: Instant) {
        self.set(Alarm::Keepalive, None);
        if self.at(Alarm::Erase).is_none() {
            self.set(Alarm::Erase, Some(now.after(ERASE_AFTER)));
        }
    }

    /// Any message to the peer.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.set(Alarm::Keepalive, None);
        self.passed(now);
    }

    /// A packet with content to the peer.
    pub(crate) fn sent_content(&mut self, now: Instant, random: &mut dyn Random) {
        if self.at(Alarm::Reinitiate).is_none() {
            let moment = now.after(KEEPALIVE_TIMEOUT).after(REKEY_TIMEOUT);
            self.set(Alarm::Reinitiate, Some(jittered(moment, random)));
        }
    }

    /// Any authentic message from the peer.
    pub(crate) fn received(&mut self, now: Instant) {
        self.set(Alarm::Reinitiate, None);
        self.passed(now);
    }

    /// A packet with content from the peer.
    pub(crate) fn received_content(&mut self, now: Instant) {
        if self.at(Alarm::Keepalive).is_none() {
            self.set(Alarm::Keepalive, Some(now.after(KEEPALIVE_TIMEOUT)));
        } else {
            self.owes_another = true;
        }
    }

    /// A keepalive was sent. What came while it was due is answered by another.
    pub(crate) fn kept_alive(&mut self, now: Instant) {
        if core::mem::take(&mut self.owes_another) {
            self.set(Alarm::Keepalive, Some(now.after(KEEPALIVE_TIMEOUT)));
        }
    }

    /// Any authentic message, either way: what lies between has seen it.
    pub(crate) fn passed(&mut self, now: Instant) {
        if let Some(every) = self.every {
            self.set(Alarm::Persistent, Some(now.after(every)));
        }
    }

    fn at(&self, alarm: Alarm) -> Option<Instant> {
        self.alarms.get(alarm as usize).copied().flatten()
    }

    fn set(&mut self, alarm: Alarm, moment: Option<Instant>) {
        if let Some(place) = self.alarms.get_mut(alarm as usize) {
            *place = moment;
        }
    }
}

fn jittered(moment: Instant, random: &mut dyn Random) -> Instant {
    let mut bytes = [0; 2];
    random.fill(&mut bytes);
    moment.after(Duration::from_millis(u64::from(
        u16::from_le_bytes(bytes) % (JITTER + 1),
    )))
}
