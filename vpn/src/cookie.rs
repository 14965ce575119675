//! The two MACs of handshake messages and the cookies between them (the paper, sections 5.3, 5.4.4 and 5.4.7).
//!
//! The first MAC shows that the sender knows whom it talks to; the second, that it gets what is sent to its address.

use crate::load::{Load, Sources};
use crate::message::{COOKIE_SIZE, CookieReply, MAC_SIZE, Macs, Sealed, sender};
use crate::outlet::{Random, Reason};
use crate::time::Instant;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use sekisho_crypto::secret::{Secret, same};
use sekisho_crypto::{blake2s, xchacha};

const LABEL_MAC: &[u8] = b"mac1----";
const LABEL_COOKIE: &[u8] = b"cookie--";
/// The age at which the secret behind our cookies is replaced.
const SECRET_LASTS: Duration = Duration::from_secs(120);
/// The age up to which we use a peer's cookie: less by what a message may take on its way.
const COOKIE_LASTS: Duration = Duration::from_secs(120 - 5);

/// The keys that follow from the public key of whoever a handshake message is for.
pub(crate) struct Labels {
    mac: [u8; 32],
    cookie: Secret<32>,
}

impl Labels {
    pub(crate) fn new(receiver: &[u8; 32]) -> Self {
        Self {
            mac: blake2s::hash(&[LABEL_MAC, receiver]),
            cookie: Secret::new(blake2s::hash(&[LABEL_COOKIE, receiver])),
        }
    }
}

/// Looks at handshake messages for us before anything costly is done for them.
pub(crate) struct Gate {
    labels: Labels,
    secret: Secret<32>,
    secret_since: Option<Instant>,
    load: Load,
    sources: Sources,
}

/// What becomes of a handshake message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// It is worked on.
    Granted,
    /// Its sender has to come again with this cookie.
    Postponed([u8; COOKIE_SIZE]),
    Refused(Reason),
}

impl Gate {
    pub(crate) fn new(public: &[u8; 32]) -> Self {
        Self {
            labels: Labels::new(public),
            secret: Secret::zeroed(),
            secret_since: None,
            load: Load::new(),
            sources: Sources::new(),
        }
    }

    /// Judges an initiation or a response.
    pub(crate) fn admit(
        &mut self,
        from: SocketAddr,
        message: &[u8],
        now: Instant,
        random: &mut dyn Random,
    ) -> Admission {
        let Some(macs) = Macs::of(message) else {
            return Admission::Refused(Reason::Malformed);
        };
        if !same(&blake2s::mac(&self.labels.mac, &[macs.body]), macs.first) {
            return Admission::Refused(Reason::BadMac);
        }
        if !self.load.is_high(now) {
            return Admission::Granted;
        }
        let cookie = self.cookie(from, now, random);
        if !same(
            &blake2s::mac(cookie.expose(), &[macs.body_and_first]),
            macs.second,
        ) {
            let reply = self.reply(&cookie, macs.first, sender(message), random);
            return reply.map_or(Admission::Refused(Reason::Malformed), Admission::Postponed);
        }
        if !self.sources.admit(from.ip(), now) {
            return Admission::Refused(Reason::RateLimited);
        }
        Admission::Granted
    }

    /// What only we could have told whoever is at this address.
    fn cookie(&mut self, from: SocketAddr, now: Instant, random: &mut dyn Random) -> Secret<MAC_SIZE> {
        if self
            .secret_since
            .is_none_or(|since| now.since(since) >= SECRET_LASTS)
        {
            random.fill(self.secret.expose_mut());
            self.secret_since = Some(now);
        }
        let port = from.port().to_be_bytes();
        let cookie = match from.ip() {
            IpAddr::V4(address) => blake2s::mac(self.secret.expose(), &[&address.octets(), &port]),
            IpAddr::V6(address) => blake2s::mac(self.secret.expose(), &[&address.octets(), &port]),
        };
        Secret::new(cookie)
    }

    fn reply(
        &self,
        cookie: &Secret<MAC_SIZE>,
        first: &[u8; MAC_SIZE],
        receiver: Option<u32>,
        random: &mut dyn Random,
    ) -> Option<[u8; COOKIE_SIZE]> {
        let mut nonce = [0; xchacha::NONCE_SIZE];
        random.fill(&mut nonce);
        let mut text = *cookie.expose();
        let tag = xchacha::seal(&self.labels.cookie, &nonce, first, &mut text).ok()?;
        let reply = CookieReply {
            receiver: receiver?,
            nonce,
            cookie: Sealed { text, tag },
        };
        Some(reply.bytes())
    }
}

/// Puts MACs into handshake messages to a peer, and keeps the cookie that it gave us.
pub(crate) struct Stamp {
    labels: Labels,
    cookie: Option<(Secret<MAC_SIZE>, Instant)>,
    /// The first MAC of the last message, until a cookie came for it.
    last: Option<[u8; MAC_SIZE]>,
}

impl Stamp {
    pub(crate) fn new(peer: &[u8; 32]) -> Self {
        Self {
            labels: Labels::new(peer),
            cookie: None,
            last: None,
        }
    }

    /// Fills the two MACs that `message` ends with.
    pub(crate) fn put(&mut self, message: &mut [u8], now: Instant) {
        let Some((body_and_first, second)) = message.split_last_chunk_mut::<MAC_SIZE>() else {
            return;
        };
        let Some((body, first)) = body_and_first.split_last_chunk_mut::<MAC_SIZE>() else {
            return;
        };
        *first = blake2s::mac(&self.labels.mac, &[body]);
        self.last = Some(*first);
        let is_fresh = |(_, since): &&(Secret<MAC_SIZE>, Instant)| now.since(*since) < COOKIE_LASTS;
        *second = match self.cookie.as_ref().filter(is_fresh) {
            Some((cookie, _)) => blake2s::mac(cookie.expose(), &[body_and_first]),
            None => [0; MAC_SIZE],
        };
    }

    /// Takes the cookie out of a reply to our last message, of which only the first counts.
    pub(crate) fn accept(&mut self, reply: &CookieReply, now: Instant) -> Option<()> {
        let first = self.last?;
        let mut cookie = Secret::new(reply.cookie.text);
        xchacha::open(
            &self.labels.cookie,
            &reply.nonce,
            &first,
            cookie.expose_mut(),
            &reply.cookie.tag,
        )
        .ok()?;
        self.cookie = Some((cookie, now));
        self.last = None;
        Some(())
    }
}
