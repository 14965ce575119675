//! Whether the key store and a disk fit each other, without changing anything.
//!
//! What is checked: the policy's places exist, both copies of the partition table agree, the sealed secrets open, every
//! volume's header is whole, opens, and gives the key that is sealed, nothing is half converted, everything lies as it is
//! pinned, and a sample of the volume's sectors does not look like plaintext.
//!
//! What is not: XTS has no integrity, so no reader can tell damaged ciphertext from good; and plaintext that looks random,
//! such as compressed files, is not told from ciphertext.

use crate::folder;
use crate::medium::Medium;
use crate::session::{self, Job, Session, Volume};
use crate::target::Target;
use sekisho_abi::disk::pin;
use sekisho_abi::disk::resolve::clear_without_partition;
use sekisho_abi::storage::{ClearPartition, Pin, PinKind};
use sekisho_keys::luks2::{Condition, Conversion, KeyId, UnlockError};
use std::{fmt, io, slice};

/// Sectors looked at in each volume, evenly spaced.
const SAMPLE: u64 = 1024;
/// Bytes of a sample.
const SECTOR: usize = 512;
/// Of 512 random bytes 221 are different, and with a chance below 10^-30 fewer than this.
const FEWEST_DIFFERENT: usize = 150;

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// Of each volume.
    pub volumes: Vec<Report>,
    /// What the policy says is in clear and is no partition of the disk.
    pub absent: Vec<ClearPartition>,
}

/// What was found of one volume.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// Its first and last logical block.
    pub blocks: (u64, u64),
    /// By what a person knows its key.
    pub key: KeyId,
    /// Sectors that were looked at.
    pub sampled: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Something wrong with a volume.
#[derive(Debug)]
pub enum Fault {
    /// One copy of its header is not as it should be.
    Condition(Condition),
    /// Its header does not open.
    Locked(UnlockError),
    /// Its header has another key than the sealed secrets.
    OtherKey,
    /// It is half converted.
    Converting,
    /// It lies elsewhere than it is pinned, or is not pinned.
    Pin(pin::Error),
    /// Sectors that look like plaintext.
    Plain {
        /// How many of the sample.
        sectors: u64,
        /// The logical block of the first.
        first: u64,
    },
}

/// Why nothing could be verified.
#[derive(Debug)]
pub enum Error {
    /// The volumes or the store could not be opened.
    Session(session::Error),
    /// A file of the key store.
    Folder(folder::Error),
    /// The disk.
    Disk(io::Error),
}

impl Report {
    /// What is wrong, a sentence each.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        self.faults.iter().map(|fault| match fault {
            // It may be about a partition in clear, and says what.
            Fault::Pin(error) => error.to_string(),
            fault => format!("volume `{}`: {fault}", self.name),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(Condition::Whole) => f.write_str("its header is whole"),
            Self::Condition(Condition::PrimaryDamaged) => {
                f.write_str("the first copy of its header is damaged")
            }
            Self::Condition(Condition::SecondaryDamaged) => {
                f.write_str("the second copy of its header is damaged")
            }
            Self::Condition(Condition::OneIsOlder) => {
                f.write_str("one copy of its header is older than the other")
            }
            Self::Locked(error) => write!(f, "its header: {error}"),
            Self::OtherKey => f.write_str("its header has another key than the sealed secrets"),
            Self::Converting => f.write_str("it is half converted: make the call again that was cut off"),
            Self::Pin(error) => error.fmt(f),
            Self::Plain { sectors, first } => {
                write!(
                    f,
                    "{sectors} of its sectors look like plaintext, the first at block {first}"
                )
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Disk(error) => write!(f, "the disk: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// Looks at every volume of the job.
///
/// # Errors
/// [`Error`] where there is nothing to look at; what is wrong with a volume is in its [`Report`].
pub fn verify(target: &Target, job: &Job<'_>) -> Result<Findings, Error> {
    let session = Session::open(target, job).map_err(Error::Session)?;
    let volumes = session.volumes().map_err(Error::Session)?;
    let reports = volumes.iter().map(|volume| report(target, &session, volume));
    let (disk, map) = (slice::from_ref(&session.disk), slice::from_ref(&session.map));
    Ok(Findings {
        volumes: reports.collect::<Result<_, _>>()?,
        absent: clear_without_partition(job.storage, disk, map)
            .into_iter()
            .cloned()
            .collect(),
    })
}

fn report(target: &Target, session: &Session<'_>, volume: &Volume) -> Result<Report, Error> {
    let mut faults = Vec::new();
    if volume.header.condition() != Condition::Whole {
        faults.push(Fault::Condition(volume.header.condition()));
    }
    let journal = session.job.folder.journal(&volume.name).map_err(Error::Folder)?;
    if volume.header.conversion() == Conversion::UnderWay || journal.is_some() {
        faults.push(Fault::Converting);
    } else {
        faults.extend(key_fault(session, volume));
        faults.extend(pin_fault(session, volume).map(Fault::Pin));
    }
    let (sampled, plain) = sample(target, session, volume).map_err(Error::Disk)?;
    faults.extend(plain);
    Ok(Report {
        name: volume.name.clone(),
        blocks: (volume.blocks.first(), volume.blocks.last()),
        key: volume.header.key_id(),
        sampled,
        faults,
    })
}

fn key_fault(session: &Session<'_>, volume: &Volume) -> Option<Fault> {
    match volume.header.unlock(session.job.passphrase) {
        Err(error) => Some(Fault::Locked(error)),
        Ok(unlocked) => {
            let sealed = session.opened.secrets.volume(&volume.name);
            let same = sealed.is_some_and(|sealed| sealed.key == unlocked.key);
            (!same).then_some(Fault::OtherKey)
        }
    }
}

/// Of the volume's own pin and those of the partitions in clear beside it.
fn pin_fault(session: &Session<'_>, volume: &Volume) -> Option<pin::Error> {
    let found = match pin::pins_of(session.job.storage, &session.disk, &session.map) {
        Ok(found) => found,
        Err(error) => return Some(error),
    };
    let is_own = |it: &&Pin| it.kind == PinKind::Volume && it.name == volume.name;
    let beside = |it: &&Pin| it.kind == PinKind::Clear;
    let concerned = found.iter().filter(is_own).chain(found.iter().filter(beside));
    let checks = concerned.map(|it| pin::check(it, &session.opened.secrets.pins));
    checks.filter_map(Result::err).next()
}

/// How many sectors were looked at, and those that look like plaintext.
fn sample(target: &Target, session: &Session<'_>, volume: &Volume) -> io::Result<(u64, Option<Fault>)> {
    let step = volume.blocks.length().div_ceil(SAMPLE).max(1);
    let block = u64::from(session.disk.shape.block_size.bytes());
    let said = usize::try_from(volume.index)
        .ok()
        .and_then(|at| session.job.storage.volumes.get(at));
    let trimmed = said.is_some_and(|said| said.discard);
    let (mut sampled, mut plain, mut first) = (0, 0, None);
    let mut sector = [0; SECTOR];
    for number in
        (volume.blocks.first()..=volume.blocks.last()).step_by(usize::try_from(step).unwrap_or(usize::MAX))
    {
        Medium::read(&target.file, number.saturating_mul(block), &mut sector)?;
        sampled += 1;
        // What was trimmed may read as zeros.
        let is_trimmed = trimmed && sector == [0; SECTOR];
        if !is_trimmed && looks_plain(&sector) {
            plain += 1;
            first.get_or_insert(number);
        }
    }
    let fault = first.map(|first| Fault::Plain {
        sectors: plain,
        first,
    });
    Ok((sampled, fault))
}

fn looks_plain(sector: &[u8; SECTOR]) -> bool {
    let mut seen = [false; 256];
    for byte in sector {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() < FEWEST_DIFFERENT
}
