//! The journal of a conversion: what is needed to finish it after a power cut at any moment.
//!
//! The volume is worked on in chunks, and chunk `k` of `lanes` belongs to lane `k mod lanes`, which does its chunks in
//! ascending order. Each lane has two slots, used in turn. A slot holds a record: the *ciphertext* of one chunk. So no
//! plaintext is ever in the journal, and repair is the same in both directions: write the record's ciphertext to its
//! place. Then the chunk is done if the volume is being encrypted, and to be done again if it is being decrypted.
//!
//! What makes that right is the order of each chunk, in [`crate::convert`]:
//! 1. its record is written to the lane's slot that is not the last one, and synced;
//! 2. only then is the chunk written in its place, and synced;
//! 3. only then comes the record of the lane's next chunk.
//!
//! So a record that is whole says that every earlier chunk of the lane is done and durable; and while a record is being
//! written, which may tear it, its chunk is untouched and the record before is whole. A torn record is told by its hash.
//!
//! | bytes | |
//! |---|---|
//! | 0 to 4095 | `SKCONVER`, the [`Plan`], zeros, SHA-256 of all before |
//! | 4096 to 8191 | once every chunk is done: the run's id, zeros, SHA-256 of these |
//! | then for each lane, twice | 4,096: the run's id, the chunk's number, zeros, SHA-256 of these and the data; the data |

use crate::medium::Medium;
use sekisho_abi::storage::DiskId;
use sekisho_crypto::Hash;
use serde::{Deserialize, Serialize};
use std::{fmt, io};

const MAGIC: &[u8; 8] = b"SKCONVER";
/// Bytes of the head of the journal, and of each record.
const HEAD: usize = 4096;
/// Bytes at the end of a head.
const HASH: usize = 32;
/// Bytes of a chunk at most, and of lanes at most: what a damaged plan could make this program reserve.
const MAX_CHUNK: u32 = 64 << 20;
const MAX_LANES: u32 = 1024;

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Direction {
    /// Plaintext becomes ciphertext.
    Encrypt,
    /// Ciphertext becomes plaintext.
    Decrypt,
}

/// What is being done; fixed when it begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Random: no record of another run is taken for one of this.
    pub run: [u8; 16],
    /// Which way.
    pub direction: Direction,
    /// UUID of the volume's LUKS2 header.
    pub header: String,
    /// The disk.
    pub disk: Option<DiskId>,
    /// Where the volume begins on the disk, in bytes.
    pub start: u64,
    /// Bytes of the volume.
    pub length: u64,
    /// Bytes of a chunk, but for the last.
    pub chunk: u32,
    /// How many chunks are worked on at once.
    pub lanes: u32,
}

/// Why a journal is not one.
#[derive(Debug)]
pub enum Error {
    /// It could not be read or written.
    Io(io::Error),
    /// Its head is damaged or of another version.
    Damaged,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the journal: {error}"),
            Self::Damaged => f.write_str("the journal is damaged or of another version"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Plan {
    /// How many chunks there are.
    #[must_use]
    pub const fn chunks(&self) -> u64 {
        self.length.div_ceil(self.chunk as u64)
    }

    /// Where a chunk begins in the volume, and its bytes.
    #[must_use]
    pub fn extent(&self, chunk: u64) -> (u64, usize) {
        let offset = chunk.saturating_mul(self.chunk.into()).min(self.length);
        let length = (self.length - offset).min(self.chunk.into());
        (offset, usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn is_sound(&self) -> bool {
        let end = self.start.checked_add(self.length);
        let chunk = (1..=MAX_CHUNK).contains(&self.chunk) && self.chunk.is_multiple_of(4096);
        end.is_some() && self.length > 0 && chunk && (1..=MAX_LANES).contains(&self.lanes)
    }
}

/// A journal whose head is whole.
pub struct Journal<M> {
    medium: M,
    plan: Plan,
}

/// One record: a head, then the ciphertext of a chunk.
pub struct Record {
    /// Of the chunk.
    pub chunk: u64,
    bytes: Vec<u8>,
}

impl Record {
    /// Of `length` bytes of data, all zeros.
    #[must_use]
    pub fn new(chunk: u64, length: usize) -> Self {
        Self {
            chunk,
            bytes: vec![0; HEAD + length],
        }
    }

    /// The ciphertext.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    /// The ciphertext, to be changed.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(HEAD..).unwrap_or_default()
    }
}

impl<M: Medium> Journal<M> {
    /// A new journal, durable when this returns but for its name in its folder.
    ///
    /// # Errors
    /// [`Error`].
    pub fn create(medium: M, plan: Plan) -> Result<Self, Error> {
        let mut head = vec![0; HEAD];
        let (body, hash) = head.split_at_mut(HEAD - HASH);
        let (magic, text) = body.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        postcard::to_slice(&plan, text).map_err(|_| Error::Damaged)?;
        Hash::Sha256.digest(&[body], hash);
        medium.write(0, &head)?;
        medium.sync()?;
        Ok(Self { medium, plan })
    }

    /// A journal that is there.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(medium: M) -> Result<Self, Error> {
        let mut head = vec![0; HEAD];
        medium.read(0, &mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Damaged,
            _ => Error::Io(error),
        })?;
        let (body, hash) = head.split_at(HEAD - HASH);
        let text = body.strip_prefix(MAGIC).filter(|_| hash == digest(&[body]));
        let plan = text.and_then(|text| postcard::take_from_bytes::<Plan>(text).ok());
        let (plan, _) = plan.filter(|(plan, _)| plan.is_sound()).ok_or(Error::Damaged)?;
        Ok(Self { medium, plan })
    }

    /// What is being done.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Says, durably, that every chunk is done: from then on no record is written to its place again, for the volume may
    /// be in use and have changed since.
    ///
    /// # Errors
    /// As the medium says.
    pub fn finish(&self) -> io::Result<()> {
        let mut mark = vec![0; HEAD];
        let (body, hash) = mark.split_at_mut(HEAD - HASH);
        put_names(body, &self.plan.run);
        hash.copy_from_slice(&digest(&[body]));
        self.medium.write(HEAD as u64, &mark)?;
        self.medium.sync()
    }

    /// Whether every chunk is done.
    ///
    /// # Errors
    /// As the medium says.
    pub fn is_finished(&self) -> io::Result<bool> {
        let Some(mark) = self.read_whole(HEAD as u64, HEAD)? else {
            return Ok(false);
        };
        let (body, hash) = mark.split_at(HEAD - HASH);
        Ok(body.starts_with(&self.plan.run) && hash == digest(&[body]))
    }

    /// Writes the record of a chunk to the slot of its lane that is not the last one. Durable when this returns.
    ///
    /// # Errors
    /// As the medium says; then the chunk is not to be written in its place.
    pub fn record(&self, record: &mut Record) -> io::Result<()> {
        let (head, data) = record.bytes.split_at_mut(HEAD);
        let (body, hash) = head.split_at_mut(HEAD - HASH);
        put_names(
            body,
            &[self.plan.run.as_slice(), &record.chunk.to_le_bytes()].concat(),
        );
        hash.copy_from_slice(&digest(&[body, data]));
        self.medium.write(self.slot(record.chunk), &record.bytes)?;
        self.medium.sync()
    }

    /// The last record of a lane that is whole; `None` where the lane has not begun.
    ///
    /// # Errors
    /// As the medium says.
    pub fn last(&self, lane: u32) -> io::Result<Option<Record>> {
        // The lane's first two chunks lie in its two slots; later ones tell their number themselves.
        let (first, second) = (u64::from(lane), u64::from(lane) + u64::from(self.plan.lanes));
        let (first, second) = (self.read(first)?, self.read(second)?);
        Ok([first, second]
            .into_iter()
            .flatten()
            .max_by_key(|record| record.chunk))
    }

    /// The record in the slot that a chunk uses, if it is whole.
    fn read(&self, of: u64) -> io::Result<Option<Record>> {
        let Some(head) = self.read_whole(self.slot(of), HEAD)? else {
            return Ok(None);
        };
        let Some(named) = head.strip_prefix(&self.plan.run) else {
            return Ok(None);
        };
        let chunk = u64::from_le_bytes(named.first_chunk().copied().unwrap_or_default());
        if chunk >= self.plan.chunks() || self.slot(chunk) != self.slot(of) {
            return Ok(None);
        }
        let (_, length) = self.plan.extent(chunk);
        let Some(bytes) = self.read_whole(self.slot(of), HEAD + length)? else {
            return Ok(None);
        };
        let (head, data) = bytes.split_at(HEAD);
        let (body, hash) = head.split_at(HEAD - HASH);
        let whole = hash == digest(&[body, data]);
        Ok(whole.then_some(Record { chunk, bytes }))
    }

    /// `None` where the journal ends before: nothing was written there yet.
    fn read_whole(&self, at: u64, length: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; length];
        match self.medium.read(at, &mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            read => read.map(|()| Some(bytes)),
        }
    }

    fn slot(&self, chunk: u64) -> u64 {
        let lanes = u64::from(self.plan.lanes);
        let slot = (chunk % lanes) * 2 + (chunk / lanes) % 2;
        let size = HEAD as u64 + u64::from(self.plan.chunk);
        2 * HEAD as u64 + slot * size
    }
}

fn put_names(body: &mut [u8], names: &[u8]) {
    for (byte, name) in body.iter_mut().zip(names) {
        *byte = *name;
    }
}

fn digest(parts: &[&[u8]]) -> [u8; HASH] {
    let mut hash = [0; HASH];
    Hash::Sha256.digest(parts, &mut hash);
    hash
}
