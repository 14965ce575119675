//! Encrypts or decrypts the volumes of a disk, so that the key store, the journal and the disk never contradict.
//!
//! The order, each step durable before the next:
//! 1. the journal with its plan;
//! 2. the header's requirement, which keeps cryptsetup and our loader off the volume;
//! 3. the chunks (see [`crate::journal`]), and the journal's word that all are done;
//! 4. the pins in the sealed secrets: recorded, or forgotten;
//! 5. the requirement is taken back;
//! 6. the journal is removed.
//!
//! A call that finds a journal goes on at the step it was cut off; each of 2, 4, 5 and 6 may be done again. A
//! requirement without a journal is a volume whose state nobody knows, and is refused. So is a volume that is pinned, if
//! it is to be encrypted: encrypting twice would lose it.

use crate::convert::{self, convert};
use crate::folder::{self, Folder};
use crate::journal::{self, Direction, Journal, Plan};
use crate::session::{self, Job, Session, Volume};
use crate::target::Target;
use sekisho_abi::disk::pin;
use sekisho_abi::storage::{Pin, PinKind};
use sekisho_keys::luks2::{ChangeError, Conversion, UnlockError};
use sekisho_keys::secrets::SealError;
use sekisho_keys::{NoRandomness, Random};
use std::fmt;
use std::fs::File;
use std::num::NonZeroU32;

/// Bytes that a lane works on at once: long enough that syncing is a small part of the time on any disk.
const CHUNK: u32 = 8 << 20;

/// What became of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was converted, or the rest of it was.
    Converted,
    /// It is encrypted already, and lies as it is pinned.
    Already,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A volume begins, or goes on.
    Volume {
        /// Its name.
        name: &'a str,
        /// Its bytes.
        bytes: u64,
    },
    /// So many bytes more of it are done.
    Done(u64),
}

/// Why it stopped.
#[derive(Debug)]
pub enum Error {
    /// The volumes or the store could not be opened.
    Session(session::Error),
    /// A file of the key store.
    Folder(folder::Error),
    /// The disk does not lie as it is pinned, or cannot be pinned.
    Pin(pin::Error),
    /// A volume's state does not allow it.
    State {
        /// The volume.
        name: String,
        /// Why not.
        why: State,
    },
    /// The disk or the journal failed; the same call goes on.
    Convert(convert::Error),
    /// The journal failed; the same call goes on.
    Journal(journal::Error),
    /// A header could not be changed.
    Change(ChangeError),
    /// The secrets could not be sealed.
    Seal(SealError),
    /// There is no randomness.
    NoRandomness,
}

/// Why a volume's state does not allow what is asked.
#[derive(Debug)]
pub enum State {
    /// It is not encrypted: nothing is pinned of it.
    NotEncrypted,
    /// Its header does not open with this passphrase, or has another key than the sealed secrets.
    Header(Option<UnlockError>),
    /// It is half converted, and its journal is gone.
    JournalMissing,
    /// It is half converted, and its journal is damaged.
    JournalDamaged,
    /// It is half converted the other way, which must be finished first.
    OtherDirection,
    /// The journal is of another header or place: the policy, the disk or the store has changed.
    OtherPlan,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Pin(error) => error.fmt(f),
            Self::State { name, why } => write!(f, "volume `{name}`: {why}"),
            Self::Convert(error) => write!(f, "{error}; the same call goes on"),
            Self::Journal(error) => write!(f, "{error}; the same call goes on"),
            Self::Change(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
            Self::NoRandomness => NoRandomness.fmt(f),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEncrypted => f.write_str("it is not encrypted"),
            Self::Header(Some(error)) => write!(f, "its header: {error}"),
            Self::Header(None) => f.write_str("its header has another key than the sealed secrets"),
            Self::JournalMissing => {
                f.write_str("it is half converted, and its journal is not in the key store")
            }
            Self::JournalDamaged => f.write_str("it is half converted, and its journal is damaged"),
            Self::OtherDirection => {
                f.write_str("it is half converted in the other direction: finish that first")
            }
            Self::OtherPlan => {
                f.write_str("it was begun with another header, disk or place: go on with the same")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        Self::Session(error)
    }
}

impl From<folder::Error> for Error {
    fn from(error: folder::Error) -> Self {
        Self::Folder(error)
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

/// Converts every volume of the job, and says what became of each. `lanes` counts for those that begin now.
///
/// # Errors
/// [`Error`]; volumes before the one it is about are converted.
pub fn work(
    target: &Target,
    job: &Job<'_>,
    direction: Direction,
    lanes: NonZeroU32,
    random: &mut dyn Random,
    progress: &(dyn Fn(Step<'_>) + Sync),
) -> Result<Vec<(String, Outcome)>, Error> {
    let mut session = Session::open(target, job)?;
    // The disk must have something to be pinned by, before anything is changed.
    session.pins()?;
    let mut outcomes = Vec::new();
    for mut volume in session.volumes()? {
        let begun = begin(&session, &mut volume, direction, lanes, random)?;
        let outcome = match &begun {
            None => Outcome::Already,
            Some(journal) => {
                progress(Step::Volume {
                    name: &volume.name,
                    bytes: volume.length,
                });
                let cipher = session.cipher(&volume)?;
                let done = |bytes| progress(Step::Done(bytes));
                convert(&target.file, journal, &cipher, &done).map_err(Error::Convert)?;
                Outcome::Converted
            }
        };
        repin(&mut session, &volume, direction, random)?;
        if begun.is_some() {
            require(job.folder, &mut volume, Conversion::None, random)?;
            job.folder.remove_journal(&volume.name)?;
        }
        outcomes.push((volume.name, outcome));
    }
    Ok(outcomes)
}

/// The journal of a volume that is to be converted, or of one that is being; `None` where it is encrypted already.
fn begin(
    session: &Session<'_>,
    volume: &mut Volume,
    direction: Direction,
    lanes: NonZeroU32,
    random: &mut dyn Random,
) -> Result<Option<Journal<File>>, Error> {
    let folder = session.job.folder;
    let found = match folder.journal(&volume.name)? {
        Some(file) => resume(session, file, volume, direction)?,
        None => None,
    };
    let journal = match found {
        Some(journal) => journal,
        None if volume.header.conversion() == Conversion::UnderWay => {
            return Err(volume.refused(State::JournalMissing));
        }
        None if is_settled(session, volume, direction)? => return Ok(None),
        None => {
            check_header(session, volume)?;
            let plan = plan(session, volume, direction, lanes, random)?;
            Journal::create(folder.new_journal(&volume.name)?, plan).map_err(Error::Journal)?
        }
    };
    // Of a finished one the requirement may have been taken back, and the volume be in use.
    if !journal
        .is_finished()
        .map_err(|error| Error::Journal(error.into()))?
    {
        require(folder, volume, Conversion::UnderWay, random)?;
    }
    Ok(Some(journal))
}

/// The journal that is there; `None` where it was cut off before anything was changed.
fn resume(
    session: &Session<'_>,
    file: File,
    volume: &Volume,
    direction: Direction,
) -> Result<Option<Journal<File>>, Error> {
    let journal = match Journal::open(file) {
        Ok(journal) => journal,
        Err(journal::Error::Damaged) if volume.header.conversion() == Conversion::None => return Ok(None),
        Err(journal::Error::Damaged) => return Err(volume.refused(State::JournalDamaged)),
        Err(error) => return Err(Error::Journal(error)),
    };
    let plan = journal.plan();
    let same = plan.header == volume.header.uuid()
        && plan.disk == session.disk.identity()
        && (plan.start, plan.length) == (volume.start, volume.length);
    if !same {
        return Err(volume.refused(State::OtherPlan));
    }
    if plan.direction != direction {
        return Err(volume.refused(State::OtherDirection));
    }
    Ok(Some(journal))
}

/// Whether there is nothing to do: a volume to be encrypted is pinned, and lies as it is pinned.
fn is_settled(session: &Session<'_>, volume: &Volume, direction: Direction) -> Result<bool, Error> {
    let pins = &session.opened.secrets.pins;
    if !pins.iter().any(|it| volume.is_pinned_by(it)) {
        return match direction {
            Direction::Encrypt => Ok(false),
            Direction::Decrypt => Err(volume.refused(State::NotEncrypted)),
        };
    }
    for found in session.pins()?.iter().filter(|it| volume.is_pinned_by(it)) {
        pin::check(found, pins).map_err(Error::Pin)?;
    }
    Ok(direction == Direction::Encrypt)
}

/// What is encrypted with a key that its header does not give is lost with the sealed secrets.
fn check_header(session: &Session<'_>, volume: &Volume) -> Result<(), Error> {
    let unlocked = volume.header.unlock(session.job.passphrase);
    let unlocked = unlocked.map_err(|error| volume.refused(State::Header(Some(error))))?;
    let secret = session.opened.secrets.volume(&volume.name);
    if secret.is_some_and(|secret| secret.key == unlocked.key) {
        Ok(())
    } else {
        Err(volume.refused(State::Header(None)))
    }
}

fn plan(
    session: &Session<'_>,
    volume: &Volume,
    direction: Direction,
    lanes: NonZeroU32,
    random: &mut dyn Random,
) -> Result<Plan, Error> {
    let mut run = [0; 16];
    random
        .fill(&mut run)
        .map_err(|NoRandomness| Error::NoRandomness)?;
    Ok(Plan {
        run,
        direction,
        header: volume.header.uuid().to_owned(),
        disk: session.disk.identity(),
        start: volume.start,
        length: volume.length,
        chunk: CHUNK,
        lanes: lanes.get(),
    })
}

/// Puts the header's requirement, or takes it back.
fn require(
    folder: &Folder,
    volume: &mut Volume,
    conversion: Conversion,
    random: &mut dyn Random,
) -> Result<(), Error> {
    if volume.header.conversion() != conversion {
        volume.header.set_conversion(conversion, random)?;
        folder.replace_header(&volume.name, volume.header.file())?;
    }
    Ok(())
}

/// Records where a volume and the partitions in clear lie, or forgets a volume, and with the last of a disk its
/// partitions in clear.
fn repin(
    session: &mut Session<'_>,
    volume: &Volume,
    direction: Direction,
    random: &mut dyn Random,
) -> Result<(), Error> {
    let disk = session.disk.identity();
    let found = session.pins()?;
    let pins = &session.opened.secrets.pins;
    let is_here = |it: &Pin| Some(&it.disk) == disk.as_ref();
    let is_kept = |it: &&Pin| !volume.is_pinned_by(it) && (it.kind == PinKind::Volume || !is_here(it));
    let mut new: Vec<Pin> = pins.iter().filter(is_kept).cloned().collect();
    if direction == Direction::Encrypt {
        new.extend(found.iter().filter(|it| volume.is_pinned_by(it)).cloned());
    }
    if new.iter().any(|it| it.kind == PinKind::Volume && is_here(it)) {
        new.extend(found.into_iter().filter(|it| it.kind == PinKind::Clear));
    }
    if new != *pins {
        session.opened.secrets.pins = new;
        let sealed = session.opened.seal(random).map_err(Error::Seal)?;
        session.job.folder.replace_secrets(&sealed)?;
    }
    Ok(())
}

impl Session<'_> {
    fn pins(&self) -> Result<Vec<Pin>, Error> {
        pin::pins_of(self.job.storage, &self.disk, &self.map).map_err(Error::Pin)
    }
}

impl Volume {
    fn is_pinned_by(&self, pin: &Pin) -> bool {
        pin.kind == PinKind::Volume && pin.name == self.name
    }

    fn refused(&self, why: State) -> Error {
        Error::State {
            name: self.name.clone(),
            why,
        }
    }
}
