//! Packets to and from a peer.

use super::Peer;
use super::handshake::Attempt;
use crate::call::{Call, Shared};
use crate::hold::Kept;
use crate::message::{DATA_HEADER, DataHeader};
use crate::outlet::Reason;
use crate::packet::Packet;
use crate::session::Which;
use core::net::SocketAddr;

impl Peer {
    /// Sends `packet`, or holds it and asks for keys.
    pub(crate) fn send(&mut self, packet: &[u8], call: &mut Call<'_>) {
        if self.seal_and_send(packet, call).is_some() {
            return;
        }
        if self.hold.push(packet) == Kept::InPlaceOfOldest {
            call.dropped(Some(usize::from(self.number)), Reason::HoldFull);
        }
        self.initiate(Attempt::First, call);
    }

    /// Sends a packet without content, or asks for keys: with these there will be one.
    pub(super) fn send_keepalive(&mut self, call: &mut Call<'_>) {
        if self.seal_and_send(&[], call).is_none() {
            self.initiate(Attempt::First, call);
        }
    }

    /// Sends what has waited for keys, and says how many packets those were.
    pub(super) fn send_held(&mut self, call: &mut Call<'_>) -> usize {
        let count = self.hold.length();
        for _ in 0..count {
            let Some(packet) = self.hold.pop() else {
                break;
            };
            self.send(&packet, call);
            self.hold.recycle(packet);
        }
        count
    }

    /// Takes a data message; `None` if it held no packet, else the bytes of it that are one.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::NoSession`], [`Reason::Expired`], [`Reason::Replayed`], [`Reason::Forged`],
    /// [`Reason::BadContent`], [`Reason::BadSource`].
    pub(crate) fn receive<'a>(
        &mut self,
        header: &DataHeader,
        from: SocketAddr,
        datagram: &'a mut [u8],
        call: &mut Call<'_>,
    ) -> Result<Option<&'a [u8]>, Reason> {
        let length = datagram.len();
        let sealed = datagram.get_mut(DATA_HEADER..).ok_or(Reason::Malformed)?;
        let (which, session) = self.sessions.find(header.receiver).ok_or(Reason::NoSession)?;
        let text = session.open(call.shared.vectors, header.counter, sealed, call.now)?;
        self.heard(length, call);
        self.found(from, call);
        if which == Which::Next {
            self.sessions.confirm();
            self.shook_hands(call);
            self.send_held(call);
        }
        self.refresh_late(call);
        if text.is_empty() {
            return Ok(None);
        }
        self.timers.received_content(call.now);
        let packet = Packet::parse(text).ok_or(Reason::BadContent)?;
        if call.shared.routes.peer(packet.source) != Some(usize::from(self.number)) {
            return Err(Reason::BadSource);
        }
        Ok(text.get(..packet.length))
    }

    /// `None` if there are no keys to send with.
    fn seal_and_send(&mut self, packet: &[u8], call: &mut Call<'_>) -> Option<()> {
        let session = self
            .sessions
            .current()
            .filter(|session| session.may_send(call.now))?;
        let Shared {
            vectors,
            mtu,
            message,
            ..
        } = &mut *call.shared;
        session.seal(*vectors, packet, *mtu, message)?;
        let is_worn = session.is_worn_by_sending(call.now);
        self.timers.sent(call.now);
        if !packet.is_empty() {
            self.timers.sent_content(call.now, call.random);
        }
        self.emit_made(call);
        if is_worn {
            self.initiate(Attempt::First, call);
        }
        Some(())
    }

    /// Asks for new keys, once, if the current ones end soon and nothing that we sent has made us ask.
    fn refresh_late(&mut self, call: &mut Call<'_>) {
        let current = self.sessions.current();
        let is_worn = current.is_some_and(|session| session.is_worn_by_receiving(call.now));
        if is_worn && !self.has_asked_late {
            self.has_asked_late = true;
            self.initiate(Attempt::First, call);
        }
    }
}
