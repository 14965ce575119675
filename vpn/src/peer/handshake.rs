//! How sessions with a peer come about: our initiations and their answers, its initiations and ours, cookies.

use super::Peer;
use crate::call::Call;
use crate::message::{CookieReply, Response};
use crate::noise::{Claimed, Initiated};
use crate::outlet::{Event, Reason};
use crate::session::{Role, Session};
use crate::timers::REKEY_TIMEOUT;
use core::net::SocketAddr;
use core::time::Duration;

/// The least time between two initiations of a peer that are answered: fifty a second.
const INITIATION_EVERY: Duration = Duration::from_millis(20);

/// Whether an initiation begins a handshake or repeats one that got no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attempt {
    First,
    Again,
}

impl Peer {
    /// Sends an initiation, now or as soon as five seconds have passed since the last handshake message.
    pub(super) fn initiate(&mut self, attempt: Attempt, call: &mut Call<'_>) {
        if attempt == Attempt::First {
            if self.timers.is_initiating() {
                return;
            }
            self.attempts = 1;
        }
        if let Some(last) = self.last_sent
            && call.now.since(last) < REKEY_TIMEOUT
        {
            return self.timers.initiate_at(last.after(REKEY_TIMEOUT));
        }
        self.timers.initiated(call.now, call.random);
        if self.endpoint.is_none() {
            return;
        }
        let index = self.new_index(call);
        let date = call.date();
        let made = Initiated::new(&call.shared.identity, &self.remote, index, date, call.random);
        let Some((initiated, message)) = made else {
            return;
        };
        self.initiated = Some(initiated);
        let mut bytes = message.bytes();
        self.stamp.put(&mut bytes, call.now);
        self.last_sent = Some(call.now);
        self.timers.sent(call.now);
        self.emit(&bytes, call);
    }

    /// Takes an initiation that says to be this peer's, and answers it.
    ///
    /// # Errors
    /// [`Reason::BadHandshake`], [`Reason::OldInitiation`], [`Reason::Flood`].
    pub(crate) fn answer(
        &mut self,
        claimed: Claimed,
        from: SocketAddr,
        length: usize,
        call: &mut Call<'_>,
    ) -> Result<(), Reason> {
        let (proven, date) = claimed.prove(&self.remote).ok_or(Reason::BadHandshake)?;
        if date <= self.last_date {
            return Err(Reason::OldInitiation);
        }
        let last = self.last_initiation;
        if last.is_some_and(|last| call.now.since(last) < INITIATION_EVERY) {
            return Err(Reason::Flood);
        }
        self.last_date = date;
        self.last_initiation = Some(call.now);
        let (index, theirs) = (self.new_index(call), proven.sender);
        let (keys, response) = proven
            .respond(&self.remote, index, call.random)
            .ok_or(Reason::BadHandshake)?;
        let session = Session::new(index, theirs, keys, Role::Responder, call.now);
        self.sessions.use_when_confirmed(session);
        self.timers.keyed(call.now);
        self.heard(length, call);
        let mut bytes = response.bytes();
        self.stamp.put(&mut bytes, call.now);
        self.last_sent = Some(call.now);
        self.timers.sent(call.now);
        // To there, but no further: after a restart of ours an initiation may be an old one, sent again from elsewhere. The
        // peer has moved when it uses the new keys from there.
        self.sent += bytes.len() as u64;
        call.out.datagram(from, &bytes);
        Ok(())
    }

    /// Takes the answer to our initiation, and sends with the new keys at once: that confirms them.
    ///
    /// # Errors
    /// [`Reason::BadHandshake`].
    pub(crate) fn complete(
        &mut self,
        response: &Response,
        from: SocketAddr,
        length: usize,
        call: &mut Call<'_>,
    ) -> Result<(), Reason> {
        let keys = self
            .initiated
            .as_ref()
            .filter(|initiated| initiated.index == response.receiver)
            .and_then(|initiated| initiated.finish(&call.shared.identity, &self.remote, response))
            .ok_or(Reason::BadHandshake)?;
        self.initiated = None;
        let session = Session::new(
            response.receiver,
            response.sender,
            keys,
            Role::Initiator,
            call.now,
        );
        self.sessions.use_at_once(session);
        self.timers.keyed(call.now);
        self.heard(length, call);
        self.found(from, call);
        self.shook_hands(call);
        if self.send_held(call) == 0 {
            self.send_keepalive(call);
        }
        Ok(())
    }

    /// Keeps a cookie for the next handshake message.
    ///
    /// # Errors
    /// [`Reason::NoSession`], [`Reason::BadHandshake`].
    pub(crate) fn keep_cookie(&mut self, reply: &CookieReply, call: &Call<'_>) -> Result<(), Reason> {
        if !self.uses(reply.receiver) {
            return Err(Reason::NoSession);
        }
        self.stamp.accept(reply, call.now).ok_or(Reason::BadHandshake)
    }

    /// New keys came into use.
    pub(super) fn shook_hands(&mut self, call: &mut Call<'_>) {
        self.timers.shook_hands();
        self.has_asked_late = false;
        self.last_handshake = Some(call.now);
        let peer = usize::from(self.number);
        call.out.event(Event::HandshakeDone { peer });
    }

    /// Random but for its lowest byte, which tells the peer it is for.
    fn new_index(&mut self, call: &mut Call<'_>) -> u32 {
        let mut bytes = [0; 4];
        call.random.fill(&mut bytes);
        let [_, b, c, d] = bytes;
        let mut index = u32::from_le_bytes([self.number, b, c, d]);
        // At most four are in use.
        while self.uses(index) {
            index = index.wrapping_add(1 << 8);
        }
        index
    }

    fn uses(&mut self, index: u32) -> bool {
        let is_initiated = self
            .initiated
            .as_ref()
            .is_some_and(|initiated| initiated.index == index);
        is_initiated || self.sessions.find(index).is_some()
    }
}
