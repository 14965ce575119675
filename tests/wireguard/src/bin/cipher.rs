//! Our transport cipher beside `ring`'s, which boringtun seals and opens with, and the portable crate's: nanoseconds a
//! packet.
//!
//! All work in short runs, one after the other over and over, and the best run of each counts. One line a figure: what,
//! ours, ring's, the crate's, with tabs between.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sekisho_crypto::aead::{self, KEY_SIZE, NONCE_SIZE, TAG_SIZE, Vectors};
use sekisho_crypto::secret::Secret;
use std::time::{Duration, Instant};

/// Bytes of a packet: what a full frame has room for, and an acknowledgement.
const LENGTHS: [usize; 2] = [1420, 64];
/// Packets in a run, so that reading the clock does not count.
const PACKETS: u32 = 32;
/// How many runs.
const RUNS: usize = 5000;

const KEY: [u8; KEY_SIZE] = [7; KEY_SIZE];
const NONCE: [u8; NONCE_SIZE] = [1; NONCE_SIZE];

fn main() {
    for length in LENGTHS {
        let mut sealed = vec![0; length];
        let tag = aead::seal(Vectors::NARROW, &Secret::new(KEY), &NONCE, &[], &mut sealed).unwrap();
        let packet = Packet {
            text: sealed.clone(),
            sealed,
            tag,
        };
        for (what, work) in [("seal", Work::Seal), ("open", Work::Open)] {
            let [ours, ring, portable] = best(packet.clone(), work).map(|run| (run / PACKETS).as_nanos());
            println!("{what}, {length} bytes\t{ours}\t{ring}\t{portable}");
        }
    }
}

#[derive(Clone, Copy)]
enum Work {
    Seal,
    Open,
}

#[derive(Clone)]
struct Packet {
    text: Vec<u8>,
    sealed: Vec<u8>,
    tag: [u8; TAG_SIZE],
}

impl Packet {
    /// A run. What is opened must be sealed again before: by copying, the same for all.
    fn run(&mut self, best: &mut Duration, work: Work, packet: impl Fn(&mut [u8], &[u8; TAG_SIZE])) {
        let start = Instant::now();
        for _ in 0..PACKETS {
            if let Work::Open = work {
                self.text.copy_from_slice(&self.sealed);
            }
            packet(&mut self.text, &self.tag);
        }
        *best = start.elapsed().min(*best);
    }
}

/// The shortest runs: ours, `ring`'s, the crate's.
fn best(mut packet: Packet, work: Work) -> [Duration; 3] {
    let (vectors, ours) = (Vectors::of_process(), Secret::new(KEY));
    let ring = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).unwrap());
    let portable = ChaCha20Poly1305::new(&KEY.into());
    let mut best = [Duration::MAX; 3];
    let [for_ours, for_ring, for_portable] = &mut best;
    for _ in 0..RUNS {
        packet.run(for_ours, work, |text, tag| match work {
            Work::Seal => drop(aead::seal(vectors, &ours, &NONCE, &[], text).unwrap()),
            Work::Open => aead::open(vectors, &ours, &NONCE, &[], text, tag).unwrap(),
        });
        packet.run(for_ring, work, |text, tag| {
            let nonce = Nonce::assume_unique_for_key(NONCE);
            match work {
                Work::Seal => drop(
                    ring.seal_in_place_separate_tag(nonce, Aad::empty(), text)
                        .unwrap(),
                ),
                Work::Open => {
                    let tag = (*tag).into();
                    let opened = ring.open_in_place_separate_tag(nonce, Aad::empty(), tag, text, 0..);
                    assert!(opened.is_ok());
                }
            }
        });
        packet.run(for_portable, work, |text, tag| {
            let (nonce, text) = ((&NONCE).into(), text.into());
            match work {
                Work::Seal => drop(portable.encrypt_inout_detached(nonce, &[], text).unwrap()),
                Work::Open => portable
                    .decrypt_inout_detached(nonce, &[], text, tag.into())
                    .unwrap(),
            }
        });
    }
    best
}
