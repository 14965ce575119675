//! Encrypts or decrypts a volume where it lies, chunk by chunk, on all cores, from wherever a run before was cut off.
//!
//! Why that is safe is said in [`crate::journal`]. The disk's bytes are data; nothing of them is looked at.

use crate::journal::{Direction, Journal, Plan, Record};
use crate::medium::Medium;
use sekisho_crypto::xts::SectorCipher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fmt, io, thread};

/// In what dm-crypt's tweaks count.
const TWEAK_UNIT: u64 = 512;

/// Why a conversion stopped. It can go on from there.
#[derive(Debug)]
pub enum Error {
    /// The disk.
    Disk {
        /// Where, in bytes from its beginning.
        at: u64,
        /// What the operating system says.
        error: io::Error,
    },
    /// The journal.
    Journal(io::Error),
    /// The volume is no whole number of sectors.
    Sectors,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { at, error } => write!(f, "the disk, at byte {at}: {error}"),
            Self::Journal(error) => write!(f, "the journal: {error}"),
            Self::Sectors => f.write_str("the volume is not a whole number of sectors"),
        }
    }
}

impl std::error::Error for Error {}

/// Carries the journal's plan out to its end, which the journal then says. `progress` is told the bytes of each chunk
/// that is done.
///
/// # Errors
/// The first [`Error`] of any lane; the others stop behind the chunk they are at.
pub fn convert<D: Medium, J: Medium>(
    disk: &D,
    journal: &Journal<J>,
    cipher: &SectorCipher,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), Error> {
    if journal.is_finished().map_err(Error::Journal)? {
        return Ok(());
    }
    let work = &Work {
        disk,
        journal,
        plan: journal.plan(),
        cipher,
        progress,
        failed: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let lanes = (0..work.plan.lanes).map(|number| scope.spawn(move || work.lane(number)));
        let lanes: Vec<_> = lanes.collect();
        let ends = lanes.into_iter().map(|lane| match lane.join() {
            Ok(end) => end,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        // All are waited for; then the first failure counts.
        ends.collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<(), Error>>()
    })?;
    journal.finish().map_err(Error::Journal)
}

struct Work<'a, D, J> {
    disk: &'a D,
    journal: &'a Journal<J>,
    plan: &'a Plan,
    cipher: &'a SectorCipher,
    progress: &'a (dyn Fn(u64) + Sync),
    failed: AtomicBool,
}

impl<D: Medium, J: Medium> Work<'_, D, J> {
    fn lane(&self, number: u32) -> Result<(), Error> {
        let end = self.rest_of(number);
        if end.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        end
    }

    fn rest_of(&self, lane: u32) -> Result<(), Error> {
        let mut chunk = self.repair(lane)?;
        let (_, longest) = self.plan.extent(0);
        let mut record = Record::new(chunk, longest);
        while chunk < self.plan.chunks() && !self.failed.load(Ordering::Relaxed) {
            let (_, length) = self.plan.extent(chunk);
            if length != record.data().len() {
                record = Record::new(chunk, length);
            }
            record.chunk = chunk;
            self.one(&mut record)?;
            self.tell(chunk);
            chunk += u64::from(self.plan.lanes);
        }
        Ok(())
    }

    /// Brings the lane's last chunk into one state. Returns the chunk to go on with.
    fn repair(&self, lane: u32) -> Result<u64, Error> {
        let Some(record) = self.journal.last(lane).map_err(Error::Journal)? else {
            return Ok(lane.into());
        };
        self.put(record.chunk, record.data())?;
        let lanes = u64::from(self.plan.lanes);
        let next = match self.plan.direction {
            Direction::Encrypt => record.chunk + lanes,
            Direction::Decrypt => record.chunk,
        };
        (u64::from(lane)..next)
            .step_by(usize::try_from(lanes).unwrap_or(usize::MAX))
            .for_each(|done| self.tell(done));
        Ok(next)
    }

    /// Converts one chunk. The order of the steps is what [`crate::journal`] relies on.
    fn one(&self, record: &mut Record) -> Result<(), Error> {
        let (offset, _) = self.plan.extent(record.chunk);
        let (at, tweak) = (self.plan.start + offset, offset / TWEAK_UNIT);
        let read = self.disk.read(at, record.data_mut());
        read.map_err(|error| Error::Disk { at, error })?;
        if self.plan.direction == Direction::Encrypt {
            let encrypted = self.cipher.encrypt(tweak, record.data_mut());
            encrypted.map_err(|_| Error::Sectors)?;
        }
        self.journal.record(record).map_err(Error::Journal)?;
        if self.plan.direction == Direction::Decrypt {
            let decrypted = self.cipher.decrypt(tweak, record.data_mut());
            decrypted.map_err(|_| Error::Sectors)?;
        }
        self.put(record.chunk, record.data())
    }

    /// Writes a chunk in its place, durably.
    fn put(&self, chunk: u64, data: &[u8]) -> Result<(), Error> {
        let (offset, _) = self.plan.extent(chunk);
        let at = self.plan.start + offset;
        let written = self.disk.write(at, data).and_then(|()| self.disk.sync());
        written.map_err(|error| Error::Disk { at, error })
    }

    fn tell(&self, chunk: u64) {
        let (_, length) = self.plan.extent(chunk);
        (self.progress)(u64::try_from(length).unwrap_or(u64::MAX));
    }
}
