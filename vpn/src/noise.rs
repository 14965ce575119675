//! The handshake Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (the paper, sections 5.4.1 to 5.4.5): from two key pairs, a
//! preshared key and two messages to the keys of a session.
//!
//! Every message may be forged. Whoever calls checks MACs before and decides what a valid message is worth.

use crate::message::{Initiation, Response, Sealed};
use crate::outlet::Random;
use crate::time::{TIMESTAMP_SIZE, Timestamp};
use sekisho_crypto::aead::Vectors;
use sekisho_crypto::secret::Secret;
use sekisho_crypto::{aead, blake2s, x25519};

const CONSTRUCTION: &[u8] = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
const IDENTIFIER: &[u8] = b"WireGuard v1 zx2c4 Jason@zx2c4.com";
/// A handshake's keys are used once each, so their nonce is always the first.
const FIRST: [u8; aead::NONCE_SIZE] = [0; aead::NONCE_SIZE];

/// Who we are.
pub(crate) struct Identity {
    pub(crate) private: Secret<32>,
    pub(crate) public: [u8; 32],
}

/// Who a peer is.
pub(crate) struct Remote {
    pub(crate) public: [u8; 32],
    /// What both static keys have in common.
    common: Secret<32>,
    /// Zeros if there is none.
    preshared: Secret<32>,
}

impl Remote {
    /// `None` for a public key of low order.
    pub(crate) fn new(identity: &Identity, public: [u8; 32], preshared: Option<Secret<32>>) -> Option<Self> {
        Some(Self {
            public,
            common: x25519::agree(&identity.private, &public)?,
            preshared: preshared.unwrap_or_else(Secret::zeroed),
        })
    }
}

/// The keys of a session, from the side of whoever holds them.
pub(crate) struct Keys {
    pub(crate) send: Secret<32>,
    pub(crate) receive: Secret<32>,
}

/// An initiation of ours that waits for its response.
pub(crate) struct Initiated {
    /// Our index of the session to be.
    pub(crate) index: u32,
    ephemeral: Secret<32>,
    transcript: Transcript,
}

impl Initiated {
    /// Makes an initiation; `None` for a public key of low order, which [`Remote::new`] has ruled out.
    pub(crate) fn new(
        identity: &Identity,
        remote: &Remote,
        index: u32,
        timestamp: Timestamp,
        random: &mut dyn Random,
    ) -> Option<(Self, Initiation)> {
        let mut transcript = Transcript::new(&remote.public);
        let (ephemeral, public) = ephemeral(random);
        transcript.mix_public(&public);
        let key = transcript.mix_for_key(&x25519::agree(&ephemeral, &remote.public)?);
        let static_key = transcript.seal(&key, identity.public)?;
        let key = transcript.mix_for_key(&remote.common);
        let timestamp = transcript.seal(&key, timestamp.0)?;
        let message = Initiation {
            sender: index,
            ephemeral: public,
            identity: static_key,
            timestamp,
        };
        let initiated = Self {
            index,
            ephemeral,
            transcript,
        };
        Some((initiated, message))
    }

    /// The keys that `response` completes; `None` if it is not the answer to this.
    pub(crate) fn finish(&self, identity: &Identity, remote: &Remote, response: &Response) -> Option<Keys> {
        // On a copy: a forged response must not spoil what the true one needs.
        let mut transcript = self.transcript.copy();
        transcript.mix_public(&response.ephemeral);
        transcript.mix(&x25519::agree(&self.ephemeral, &response.ephemeral)?);
        transcript.mix(&x25519::agree(&identity.private, &response.ephemeral)?);
        let key = transcript.mix_preshared(&remote.preshared);
        transcript.open(&key, &response.nothing)?;
        let [send, receive] = transcript.split();
        Some(Keys { send, receive })
    }
}

/// An initiation of someone's, decrypted as far as to know whose it says to be.
pub(crate) struct Claimed {
    /// Whose.
    pub(crate) public: [u8; 32],
    /// Their index of the session to be.
    pub(crate) sender: u32,
    ephemeral: [u8; 32],
    timestamp: Sealed<TIMESTAMP_SIZE>,
    transcript: Transcript,
}

impl Claimed {
    /// `None` if it is not for us.
    pub(crate) fn open(identity: &Identity, message: Initiation) -> Option<Self> {
        let mut transcript = Transcript::new(&identity.public);
        transcript.mix_public(&message.ephemeral);
        let key = transcript.mix_for_key(&x25519::agree(&identity.private, &message.ephemeral)?);
        let public = transcript.open(&key, &message.identity)?;
        Some(Self {
            public,
            sender: message.sender,
            ephemeral: message.ephemeral,
            timestamp: message.timestamp,
            transcript,
        })
    }

    /// Whether it is truly of the peer whose key it names: then its date. It may still be an old one come again.
    pub(crate) fn prove(mut self, remote: &Remote) -> Option<(Proven, Timestamp)> {
        let key = self.transcript.mix_for_key(&remote.common);
        let timestamp = self.transcript.open(&key, &self.timestamp)?;
        let proven = Proven {
            sender: self.sender,
            ephemeral: self.ephemeral,
            transcript: self.transcript,
        };
        Some((proven, Timestamp(timestamp)))
    }
}

/// An initiation of a peer's.
pub(crate) struct Proven {
    /// Their index of the session to be.
    pub(crate) sender: u32,
    ephemeral: [u8; 32],
    transcript: Transcript,
}

impl Proven {
    /// Answers it, with `index` as ours; `None` if the peer's ephemeral key turns out to be of low order.
    pub(crate) fn respond(
        self,
        remote: &Remote,
        index: u32,
        random: &mut dyn Random,
    ) -> Option<(Keys, Response)> {
        let mut transcript = self.transcript;
        let (ephemeral, public) = ephemeral(random);
        transcript.mix_public(&public);
        transcript.mix(&x25519::agree(&ephemeral, &self.ephemeral)?);
        transcript.mix(&x25519::agree(&ephemeral, &remote.public)?);
        let key = transcript.mix_preshared(&remote.preshared);
        let nothing = transcript.seal(&key, [])?;
        let [receive, send] = transcript.split();
        let response = Response {
            sender: index,
            receiver: self.sender,
            ephemeral: public,
            nothing,
        };
        Some((Keys { send, receive }, response))
    }
}

fn ephemeral(random: &mut dyn Random) -> (Secret<32>, [u8; 32]) {
    let mut private = Secret::zeroed();
    random.fill(private.expose_mut());
    let public = x25519::public_key(&private);
    (private, public)
}

/// What both sides have seen and agreed on so far.
struct Transcript {
    /// `C` of the paper.
    chaining: Secret<32>,
    /// `H`.
    hash: [u8; 32],
}

impl Transcript {
    fn new(responder: &[u8; 32]) -> Self {
        let chaining = blake2s::hash(&[CONSTRUCTION]);
        let hash = blake2s::hash(&[&chaining, IDENTIFIER]);
        Self {
            chaining: Secret::new(chaining),
            hash: blake2s::hash(&[&hash, responder]),
        }
    }

    fn copy(&self) -> Self {
        Self {
            chaining: Secret::new(*self.chaining.expose()),
            hash: self.hash,
        }
    }

    fn see(&mut self, parts: [&[u8]; 2]) {
        let [first, second] = parts;
        self.hash = blake2s::hash(&[&self.hash, first, second]);
    }

    fn mix_public(&mut self, ephemeral: &[u8; 32]) {
        let [chaining] = blake2s::derive(&self.chaining, ephemeral);
        self.chaining = chaining;
        self.see([ephemeral, &[]]);
    }

    fn mix(&mut self, agreed: &Secret<32>) {
        let [chaining] = blake2s::derive(&self.chaining, agreed.expose());
        self.chaining = chaining;
    }

    fn mix_for_key(&mut self, agreed: &Secret<32>) -> Secret<32> {
        let [chaining, key] = blake2s::derive(&self.chaining, agreed.expose());
        self.chaining = chaining;
        key
    }

    fn mix_preshared(&mut self, preshared: &Secret<32>) -> Secret<32> {
        let [chaining, seen, key] = blake2s::derive(&self.chaining, preshared.expose());
        self.chaining = chaining;
        self.see([seen.expose(), &[]]);
        key
    }

    fn seal<const N: usize>(&mut self, key: &Secret<32>, mut text: [u8; N]) -> Option<Sealed<N>> {
        let tag = aead::seal(Vectors::NARROW, key, &FIRST, &self.hash, &mut text).ok()?;
        self.see([&text, &tag]);
        Some(Sealed { text, tag })
    }

    fn open<const N: usize>(&mut self, key: &Secret<32>, sealed: &Sealed<N>) -> Option<[u8; N]> {
        let mut text = sealed.text;
        aead::open(Vectors::NARROW, key, &FIRST, &self.hash, &mut text, &sealed.tag).ok()?;
        self.see([&sealed.text, &sealed.tag]);
        Some(text)
    }

    /// The initiator's key to send with, and the responder's.
    fn split(&self) -> [Secret<32>; 2] {
        blake2s::derive(&self.chaining, &[])
    }
}
