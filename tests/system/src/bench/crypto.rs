//! The sector cipher beside OpenSSL, the portable crates and what AES rounds alone allow.
//!
//! Seconds say little on a machine that others use too, so each contender works in short runs, one after the other over
//! and over, and its best run counts: in a quiet slice all of them are alone.

use super::{Row, limit};
use crate::failure::Failure;
use aes::cipher::KeyInit;
use aes::{Aes128, Aes256};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use std::time::{Duration, Instant};
use xts_mode::{Xts128, get_tweak_default};

/// Bytes of a request: one of a guest that reads ahead; still in the second cache.
const BYTES: usize = 64 << 10;
/// Requests in a run, so that reading the clock does not count.
const REQUESTS: u32 = 4;
/// How many runs.
const RUNS: usize = 5000;
/// Turns of the loop of rounds in its run.
const TURNS: u32 = 4000;
/// The number of the first sector: past 32 bits.
const FIRST: u64 = 1 << 33;

/// The share of the limit to be reached, in %.
const AIMS: [(SectorSize, f64); 2] = [(SectorSize::B512, 90.0), (SectorSize::B4096, 95.0)];
/// How many times as fast as OpenSSL, with 512-byte sectors.
const TIMES_OPENSSL: f64 = 1.5;

/// Which AES: key bits, rounds.
const KEYS: [(u32, u32); 2] = [(256, 14), (128, 10)];

#[derive(Clone, Copy, Debug)]
enum Direction {
    Encrypt,
    Decrypt,
}

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (bits, rounds) in KEYS {
        for (size, aim) in AIMS {
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let best = Best::measure(bits, size, direction)?;
                let limit = best.limit(rounds);
                let name = format!("aes-{bits}-xts, {} bytes, {direction:?}", size.bytes()).to_lowercase();
                rows.push(Row::new(format!("{name}: limit"), speed(limit), "GB/s").higher());
                rows.push(
                    Row::new(format!("{name}: ours"), share(limit, best.ours), "% of limit")
                        .higher()
                        .with_aim(aim)
                        .beside("OpenSSL", share(limit, best.openssl)),
                );
                rows.push(
                    Row::new(
                        format!("{name}: xts-mode"),
                        share(limit, best.portable),
                        "% of limit",
                    )
                    .higher(),
                );
                if size == SectorSize::B512 {
                    let times = best.openssl.as_secs_f64() / best.ours.as_secs_f64();
                    rows.push(
                        Row::new(format!("{name}: ours"), times, "times OpenSSL")
                            .higher()
                            .with_aim(TIMES_OPENSSL),
                    );
                }
            }
        }
    }
    Ok(rows)
}

/// The shortest runs.
struct Best {
    rounds: Duration,
    ours: Duration,
    openssl: Duration,
    portable: Duration,
}

impl Best {
    fn measure(bits: u32, size: SectorSize, direction: Direction) -> Result<Self, Failure> {
        let key: Vec<u8> = (1..).take(bits as usize / 4).collect();
        let ours = SectorCipher::new(&key, size)
            .map_err(|error| failure(format!("the key is refused: {error:?}")))?;
        let mut openssl = OpenSsl::new(&key, direction).map_err(openssl_failure)?;
        let portable = Portable::new(&key).ok_or_else(|| failure("no such key".to_owned()))?;
        let (mut data, mut other) = (vec![0; BYTES], vec![0; BYTES]);

        let mut best = Self {
            rounds: Duration::MAX,
            ours: Duration::MAX,
            openssl: Duration::MAX,
            portable: Duration::MAX,
        };
        for _ in 0..RUNS {
            shorten(&mut best.rounds, || {
                limit::aes_rounds(TURNS).ok_or_else(|| failure("the CPU has no AES instructions".to_owned()))
            })?;
            shorten(&mut best.ours, || {
                repeat(|| match direction {
                    Direction::Encrypt => ours.encrypt(FIRST, &mut data),
                    Direction::Decrypt => ours.decrypt(FIRST, &mut data),
                })
                .map_err(|error| failure(format!("the data is refused: {error:?}")))
            })?;
            shorten(&mut best.openssl, || {
                repeat(|| openssl.work(size, &data, &mut other)).map_err(openssl_failure)
            })?;
            shorten(&mut best.portable, || {
                repeat(|| {
                    portable.work(size, direction, &mut other);
                    Ok(())
                })
            })?;
        }
        Ok(best)
    }

    /// How long a run would take if `rounds` rounds a block were all there is to do.
    fn limit(&self, rounds: u32) -> Duration {
        let needed = f64::from(rounds) * bytes() / 16.0;
        self.rounds
            .mul_f64(needed / (f64::from(TURNS) * f64::from(limit::ROUNDS)))
    }
}

fn shorten(best: &mut Duration, run: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let start = Instant::now();
    run()?;
    *best = start.elapsed().min(*best);
    Ok(())
}

fn repeat<E>(mut request: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    (0..REQUESTS).try_for_each(|_| request())
}

/// Bytes that a run works through.
fn bytes() -> f64 {
    u32::try_from(BYTES).map_or(f64::INFINITY, f64::from) * f64::from(REQUESTS)
}

fn speed(run: Duration) -> f64 {
    bytes() / run.as_secs_f64() / 1e9
}

fn share(limit: Duration, run: Duration) -> f64 {
    100.0 * limit.as_secs_f64() / run.as_secs_f64()
}

/// OpenSSL, which is told each sector's tweak.
struct OpenSsl(CipherCtx, Direction);

impl OpenSsl {
    fn new(key: &[u8], direction: Direction) -> Result<Self, ErrorStack> {
        let cipher = match key.len() {
            32 => Cipher::aes_128_xts(),
            _ => Cipher::aes_256_xts(),
        };
        let mut context = CipherCtx::new()?;
        match direction {
            Direction::Encrypt => context.encrypt_init(Some(cipher), Some(key), None)?,
            Direction::Decrypt => context.decrypt_init(Some(cipher), Some(key), None)?,
        }
        Ok(Self(context, direction))
    }

    fn work(&mut self, size: SectorSize, from: &[u8], to: &mut [u8]) -> Result<(), ErrorStack> {
        let size = size.bytes();
        let mut tweak = u128::from(FIRST);
        for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(size)) {
            let bytes = tweak.to_le_bytes();
            match self.1 {
                Direction::Encrypt => self.0.encrypt_init(None, None, Some(&bytes))?,
                Direction::Decrypt => self.0.decrypt_init(None, None, Some(&bytes))?,
            }
            self.0.cipher_update(from, Some(to))?;
            tweak += if size == 512 { 1 } else { 8 };
        }
        Ok(())
    }
}

/// The crates that the product uses where the CPU has no AES instructions; here they use them, and where it has AVX-512
/// they use that for single blocks, which costs them most of their speed.
enum Portable {
    Aes128(Box<Xts128<Aes128>>),
    Aes256(Box<Xts128<Aes256>>),
}

impl Portable {
    fn new(key: &[u8]) -> Option<Self> {
        let (data, tweak) = key.split_at(key.len() / 2);
        if let (Ok(data), Ok(tweak)) = (Aes128::new_from_slice(data), Aes128::new_from_slice(tweak)) {
            return Some(Self::Aes128(Box::new(Xts128::new(data, tweak))));
        }
        let data = Aes256::new_from_slice(data).ok()?;
        let tweak = Aes256::new_from_slice(tweak).ok()?;
        Some(Self::Aes256(Box::new(Xts128::new(data, tweak))))
    }

    fn work(&self, size: SectorSize, direction: Direction, data: &mut [u8]) {
        let (size, first) = (size.bytes(), u128::from(FIRST));
        match (self, direction) {
            (Self::Aes128(cipher), Direction::Encrypt) => {
                cipher.encrypt_area(data, size, first, get_tweak_default);
            }
            (Self::Aes128(cipher), Direction::Decrypt) => {
                cipher.decrypt_area(data, size, first, get_tweak_default);
            }
            (Self::Aes256(cipher), Direction::Encrypt) => {
                cipher.encrypt_area(data, size, first, get_tweak_default);
            }
            (Self::Aes256(cipher), Direction::Decrypt) => {
                cipher.decrypt_area(data, size, first, get_tweak_default);
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps an error")]
fn openssl_failure(error: ErrorStack) -> Failure {
    failure(format!("OpenSSL: {error}"))
}

fn failure(output: String) -> Failure {
    Failure::Tool {
        command: "measuring the sector cipher".to_owned(),
        output,
    }
}
