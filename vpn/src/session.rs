//! A session: two keys, two counters, and how long they may be used. The three of a peer, and how one follows another.
//!
//! Every call of the transport cipher is here.

use crate::message::{DATA_HEADER, DataHeader, PADDING, TAG_SIZE};
use crate::noise::Keys;
use crate::outlet::Reason;
use crate::replay::Window;
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;
use sekisho_crypto::aead::{self, Vectors};

/// Packets after which the sender asks for new keys.
const REKEY_AFTER_MESSAGES: u64 = 1 << 60;
/// Packets after which keys are of no more use.
const REJECT_AFTER_MESSAGES: u64 = u64::MAX - (1 << 13);
/// The age at which the initiator asks for new keys.
const REKEY_AFTER_TIME: Duration = Duration::from_secs(120);
/// The age at which keys are of no more use.
pub(crate) const REJECT_AFTER_TIME: Duration = Duration::from_secs(180);
/// The age at which an initiator that only receives asks for new keys: in time for one attempt and a bit.
const REKEY_BEFORE_REJECT: Duration = Duration::from_secs(180 - 10 - 5);

/// Who began the handshake. Only the initiator asks for new keys as these grow old, so that not both do at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Initiator,
    Responder,
}

/// What one handshake led to.
pub(crate) struct Session {
    /// Our index: what the peer writes into packets for us.
    pub(crate) ours: u32,
    /// The peer's.
    pub(crate) theirs: u32,
    keys: Keys,
    role: Role,
    born: Instant,
    /// The next packet's.
    counter: u64,
    window: Window,
}

impl Session {
    pub(crate) const fn new(ours: u32, theirs: u32, keys: Keys, role: Role, now: Instant) -> Self {
        Self {
            ours,
            theirs,
            keys,
            role,
            born: now,
            counter: 0,
            window: Window::new(),
        }
    }

    /// Whether its keys may still be sent with.
    pub(crate) fn may_send(&self, now: Instant) -> bool {
        now.since(self.born) < REJECT_AFTER_TIME && self.counter < REJECT_AFTER_MESSAGES
    }

    /// Whether, having sent, we should ask for new keys.
    pub(crate) fn is_worn_by_sending(&self, now: Instant) -> bool {
        let is_old = self.role == Role::Initiator && now.since(self.born) >= REKEY_AFTER_TIME;
        is_old || self.counter > REKEY_AFTER_MESSAGES
    }

    /// Whether, having received, we should ask for new keys, since nothing that we sent made us.
    pub(crate) fn is_worn_by_receiving(&self, now: Instant) -> bool {
        self.role == Role::Initiator && now.since(self.born) >= REKEY_BEFORE_REJECT
    }

    /// Makes the message that carries `packet` in `message`, which has room for it: header, packet, padding up to
    /// `mtu`, tag. `None` if there are no counters left.
    pub(crate) fn seal(
        &mut self,
        vectors: Vectors,
        packet: &[u8],
        mtu: usize,
        message: &mut Vec<u8>,
    ) -> Option<()> {
        let counter = self.counter;
        if counter >= REJECT_AFTER_MESSAGES {
            return None;
        }
        self.counter += 1;
        let header = DataHeader {
            receiver: self.theirs,
            counter,
        };
        let padded = packet.len().next_multiple_of(PADDING).min(mtu).max(packet.len());
        message.clear();
        message.extend_from_slice(&header.bytes());
        message.extend_from_slice(packet);
        message.resize(DATA_HEADER + padded, 0);
        let text = message.get_mut(DATA_HEADER..)?;
        let tag = aead::seal(vectors, &self.keys.send, &nonce(counter), &[], text).ok()?;
        message.extend_from_slice(&tag);
        Some(())
    }

    /// Decrypts what follows the header of a data message, in its place: the packet and its padding. On an error the
    /// session is as it was.
    ///
    /// # Errors
    /// [`Reason::Expired`], [`Reason::Replayed`], [`Reason::Forged`].
    pub(crate) fn open<'a>(
        &mut self,
        vectors: Vectors,
        counter: u64,
        sealed: &'a mut [u8],
        now: Instant,
    ) -> Result<&'a mut [u8], Reason> {
        if now.since(self.born) >= REJECT_AFTER_TIME || counter >= REJECT_AFTER_MESSAGES {
            return Err(Reason::Expired);
        }
        if !self.window.is_new(counter) {
            return Err(Reason::Replayed);
        }
        let (text, tag) = sealed
            .split_last_chunk_mut::<TAG_SIZE>()
            .ok_or(Reason::Malformed)?;
        aead::open(vectors, &self.keys.receive, &nonce(counter), &[], text, tag)
            .map_err(|_| Reason::Forged)?;
        self.window.mark(counter);
        Ok(text)
    }
}

/// Four zeros and the counter (the paper, section 5.4.6).
fn nonce(counter: u64) -> [u8; aead::NONCE_SIZE] {
    let [a, b, c, d, e, f, g, h] = counter.to_le_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h]
}

/// A place for a session. Places change their names by pointer, so that keys are wiped where they lie.
type Place = Box<Option<Session>>;

/// The sessions of one peer.
pub(crate) struct Sessions {
    /// For packets on their way while `current` came into use.
    previous: Place,
    /// What we send with.
    current: Place,
    /// As responder, what we send with once the peer has: only then it is known to have our response.
    next: Place,
}

/// Which of them an index is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    Previous,
    Current,
    Next,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            previous: Box::new(None),
            current: Box::new(None),
            next: Box::new(None),
        }
    }

    /// The one to send with.
    pub(crate) fn current(&mut self) -> Option<&mut Session> {
        self.current.as_mut().as_mut()
    }

    /// The session that packets with our index `ours` belong to.
    pub(crate) fn find(&mut self, ours: u32) -> Option<(Which, &mut Session)> {
        [
            (Which::Current, &mut self.current),
            (Which::Next, &mut self.next),
            (Which::Previous, &mut self.previous),
        ]
        .into_iter()
        .filter_map(|(which, place)| Some((which, place.as_mut().as_mut()?)))
        .find(|(_, session)| session.ours == ours)
    }

    /// The peer has answered our initiation.
    pub(crate) fn use_at_once(&mut self, session: Session) {
        // A next that was never used is kept for what the peer may already have sent with it.
        let older = if self.next.is_some() {
            &mut self.next
        } else {
            &mut self.current
        };
        core::mem::swap(&mut self.previous, older);
        *self.current = Some(session);
        *self.next = None;
    }

    /// We have answered the peer's initiation.
    pub(crate) fn use_when_confirmed(&mut self, session: Session) {
        *self.next = Some(session);
        *self.previous = None;
    }

    /// The peer has sent with `next`.
    pub(crate) fn confirm(&mut self) {
        core::mem::swap(&mut self.previous, &mut self.current);
        core::mem::swap(&mut self.current, &mut self.next);
        *self.next = None;
    }

    /// Wipes all keys, and says whether there were any.
    pub(crate) fn erase(&mut self) -> bool {
        let mut any = false;
        for place in [&mut self.previous, &mut self.current, &mut self.next] {
            any |= place.is_some();
            **place = None;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_crypto::secret::Secret;

    const NOW: Instant = Instant(0);

    /// A session that has sent `counter` packets, and one at the other end.
    fn ends(counter: u64) -> (Session, Session) {
        let keys = |send, receive| Keys {
            send: Secret::new([send; 32]),
            receive: Secret::new([receive; 32]),
        };
        let mut one = Session::new(1, 2, keys(3, 4), Role::Responder, NOW);
        one.counter = counter;
        (one, Session::new(2, 1, keys(4, 3), Role::Initiator, NOW))
    }

    #[test]
    fn new_keys_are_asked_for_after_two_to_the_sixtieth_messages() {
        let (mut session, _) = ends((1 << 60) - 1);
        let mut message = Vec::new();
        session.seal(Vectors::NARROW, b"", 0, &mut message).unwrap();
        assert!(!session.is_worn_by_sending(NOW));
        session.seal(Vectors::NARROW, b"", 0, &mut message).unwrap();
        assert!(session.is_worn_by_sending(NOW));
    }

    #[test]
    fn the_last_counters_are_neither_used_nor_accepted() {
        let last = u64::MAX - (1 << 13) - 1;
        let (mut session, mut other) = ends(last);
        let mut message = Vec::new();
        session.seal(Vectors::NARROW, b"", 0, &mut message).unwrap();
        assert_eq!(
            other.open(Vectors::NARROW, last, &mut message[16..], NOW),
            Ok(&mut [][..])
        );
        assert!(!session.may_send(NOW));
        assert_eq!(session.seal(Vectors::NARROW, b"", 0, &mut message), None);
        assert_eq!(
            other.open(Vectors::NARROW, last + 1, &mut message[16..], NOW),
            Err(Reason::Expired)
        );
    }

    #[test]
    fn a_forged_packet_leaves_its_counter_to_the_true_one() {
        let (mut session, mut other) = ends(5);
        let mut message = Vec::new();
        session
            .seal(Vectors::NARROW, b"0123456789abcdef", 16, &mut message)
            .unwrap();
        let mut forged = message.clone();
        forged[20] ^= 1;
        assert_eq!(
            other.open(Vectors::NARROW, 5, &mut forged[16..], NOW),
            Err(Reason::Forged)
        );
        assert!(
            other
                .open(Vectors::NARROW, 5, &mut message.clone()[16..], NOW)
                .is_ok()
        );
        assert_eq!(
            other.open(Vectors::NARROW, 5, &mut message[16..], NOW),
            Err(Reason::Replayed)
        );
    }

    #[test]
    fn what_was_sent_with_the_older_keys_is_still_found_after_each_change() {
        let session = |ours| Session::new(ours, 0, ends(0).0.keys, Role::Initiator, NOW);
        let known = |sessions: &mut Sessions| -> Vec<u32> {
            (1..9).filter(|ours| sessions.find(*ours).is_some()).collect()
        };
        let mut sessions = Sessions::new();
        sessions.use_at_once(session(1));
        sessions.use_at_once(session(2));
        assert_eq!(known(&mut sessions), [1, 2]);
        sessions.use_when_confirmed(session(3));
        assert_eq!(known(&mut sessions), [2, 3]);
        assert!(sessions.current().is_some_and(|current| current.ours == 2));
        sessions.confirm();
        assert!(sessions.current().is_some_and(|current| current.ours == 3));
        assert_eq!(known(&mut sessions), [2, 3]);
        sessions.use_when_confirmed(session(4));
        sessions.use_at_once(session(5));
        assert_eq!(known(&mut sessions), [4, 5]);
        assert!(sessions.erase() && !sessions.erase());
        assert_eq!(known(&mut sessions), []);
    }
}
