//! A whole handshake and the first packets, byte by byte.
//!
//! There are no official vectors. These were computed from the paper's formulas (sections 5.4.2 to 5.4.6) with none of the code
//! that runs here: BLAKE2s and HMAC of CPython's standard library, X25519 and ChaCha20-Poly1305 of OpenSSL. Private keys
//! are bytes of 11 (initiator) and 22 (responder), ephemeral ones of 33 and 44, the preshared key of 55, the initiator's
//! cookie of 66.

use crate::cookie::Stamp;
use crate::message::{CookieReply, DataHeader, Initiation, Response, Sealed};
use crate::noise::{Claimed, Identity, Initiated, Keys, Remote};
use crate::outlet::Random;
use crate::session::{Role, Session};
use crate::time::{Clock, Instant, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use sekisho_crypto::aead::Vectors;
use sekisho_crypto::secret::Secret;
use sekisho_crypto::{blake2s, x25519, xchacha};

const INITIATION: &str = "0100000001ccbbaa7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b1481e498\
    317da959fba46669572516a5e6c021bfa620bb6c56ca0082e1feae14988c2c64d024c617734a263f76a008df04d0f94bad8ee75ec8ebc26955fb\
    021bce1575d03dac7e38064a920cb1b918436d30a468221d9a8136493ec392d0e6b583f6ad128f3d3bd47e6042e109";
const RESPONSE: &str = "0200000002ffeedd01ccbbaaff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b8d\
    ec993c021297b911e5d6c01b3f56b7471f3e1430abcb3a6f29b0ea9268cb06\
    00000000000000000000000000000000";
const PACKETS: [&str; 2] = [
    "0400000002ffeedd00000000000000006d703aff7c468ab9bd5d064c77112b4d29ad42ae31fd5d54e3f222bd3e9a6860",
    "0400000002ffeedd0100000000000000a93ca7cbd0da2d22178d13ab4ed0ffa066750aa45392c9424d151732ad52a68b",
];
const ANSWER: &str =
    "0400000001ccbbaa0000000000000000b76040807fb49576d08eb2dc2d5ace90918463eeb4b4f282407824a70ee97429";
const INDICES: (u32, u32) = (0xaabb_cc01, 0xddee_ff02);
const CONTENT: &[u8] = b"a packet";
const NOW: Instant = Instant(0);

/// Where a random key should be, always this byte.
struct Always(u8);

impl Random for Always {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// One end of the handshake.
struct End {
    identity: Identity,
    remote: Remote,
    stamp: Stamp,
}

impl End {
    fn new(own: u8, other: u8) -> Self {
        let private = Secret::new([own; 32]);
        let public = x25519::public_key(&Secret::new([other; 32]));
        let identity = Identity {
            public: x25519::public_key(&private),
            private,
        };
        let remote = Remote::new(&identity, public, Some(Secret::new([0x55; 32]))).unwrap();
        let stamp = Stamp::new(&public);
        Self {
            identity,
            remote,
            stamp,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn initiate(end: &End) -> (Initiated, Initiation) {
    let clock = Clock {
        now: NOW,
        since_epoch: Duration::new(1_700_000_000, 0x0a12_3456),
    };
    let date = Timestamp::at(&clock, NOW);
    Initiated::new(&end.identity, &end.remote, INDICES.0, date, &mut Always(0x33)).unwrap()
}

/// Lets `stamp` have a cookie of 66 for the message that it stamped last.
fn grant(stamp: &mut Stamp, responder: &[u8; 32], first: &[u8]) {
    let key = Secret::new(blake2s::hash(&[b"cookie--", responder]));
    let mut text = [0x66; 16];
    let tag = xchacha::seal(&key, &[9; 24], first, &mut text).unwrap();
    let reply = CookieReply {
        receiver: INDICES.0,
        nonce: [9; 24],
        cookie: Sealed { text, tag },
    };
    let reply = CookieReply::parse(&reply.bytes()).unwrap();
    stamp.accept(&reply, NOW).unwrap();
}

#[test]
fn the_initiation_is_that_of_the_paper_with_both_macs() {
    let mut end = End::new(0x11, 0x22);
    let mut message = initiate(&end).1.bytes();
    end.stamp.put(&mut message, NOW);
    grant(&mut end.stamp, &end.remote.public, &message[116..132]);
    end.stamp.put(&mut message, NOW);
    assert_eq!(hex(&message), INITIATION);
}

fn respond(end: &End) -> (Keys, Response) {
    let claimed = Claimed::open(&end.identity, Initiation::parse(&bytes(INITIATION)).unwrap()).unwrap();
    assert_eq!(claimed.public, end.remote.public);
    let (proven, date) = claimed.prove(&end.remote).unwrap();
    assert_eq!(hex(&date.0), "400000006553f10a0a000000");
    assert_eq!(proven.sender, INDICES.0);
    proven.respond(&end.remote, INDICES.1, &mut Always(0x44)).unwrap()
}

#[test]
fn the_response_is_that_of_the_paper() {
    let mut end = End::new(0x22, 0x11);
    let mut message = respond(&end).1.bytes();
    end.stamp.put(&mut message, NOW);
    assert_eq!(hex(&message), RESPONSE);
}

#[test]
fn packets_are_those_of_the_paper_both_ways() {
    let end = End::new(0x11, 0x22);
    let response = Response::parse(&bytes(RESPONSE)).unwrap();
    let keys = initiate(&end)
        .0
        .finish(&end.identity, &end.remote, &response)
        .unwrap();
    let mut one = Session::new(INDICES.0, INDICES.1, keys, Role::Initiator, NOW);
    let keys = respond(&End::new(0x22, 0x11)).0;
    let mut other = Session::new(INDICES.1, INDICES.0, keys, Role::Responder, NOW);
    let mut message = Vec::new();
    for expected in PACKETS {
        one.seal(Vectors::NARROW, CONTENT, 1420, &mut message).unwrap();
        assert_eq!(hex(&message), expected);
    }
    other.seal(Vectors::NARROW, CONTENT, 1420, &mut message).unwrap();
    assert_eq!(hex(&message), ANSWER);

    check(&mut other, PACKETS[1]);
    check(&mut other, PACKETS[0]);
    check(&mut one, ANSWER);
}

fn check(session: &mut Session, message: &str) {
    let mut message = bytes(message);
    let header = DataHeader::parse(&message).unwrap();
    assert_eq!(header.receiver, session.ours);
    let mut padded = CONTENT.to_vec();
    padded.resize(16, 0);
    assert_eq!(
        session.open(Vectors::NARROW, header.counter, &mut message[16..], NOW),
        Ok(&mut padded[..])
    );
}
