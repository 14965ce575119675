//! Reads a fleet: files of any length, on all cores, one machine after the other in the order of the inventory.
//!
//! Machines whose devices are the same are of one [`Model`], which is judged once. Laptops of one make are described by
//! the same text but for their names, so a text that was read before is not read again. What is held at any time are
//! the models and a few parts of the files, however long those are.

use super::read::Written;
use super::split::{Piece, Splitter};
use super::{Disk, InventoryError};
use sekisho_abi::pci::Identity;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, thread};

/// Bytes that are read at once.
const PART: usize = 1 << 20;
/// Parts that wait to be read by a worker, each.
const WAITING: usize = 2;
/// Texts of devices that a worker knows again.
const KNOWN_TEXTS: usize = 4096;

/// A file of an inventory.
pub struct File {
    /// Its name, for messages.
    pub name: String,
    /// What is in it.
    pub input: Box<dyn Read + Send>,
}

/// Machines with the same devices, in the same order.
#[derive(Debug)]
pub struct Model<T> {
    /// Of one survey, no two models have the same. It says nothing of the order.
    pub id: usize,
    /// In the order of the inventory, no slot twice.
    pub devices: Vec<Identity>,
    /// What `judge` said of them.
    pub judgement: T,
}

/// A machine of the inventory.
#[derive(Debug)]
pub struct Sighting<T> {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What its maker calls it, if the inventory says so.
    pub make: Option<String>,
    /// Its devices.
    pub model: Arc<Model<T>>,
    /// What is known of its disks.
    pub disks: Vec<Disk>,
}

/// Why a fleet could not be read.
#[derive(Debug)]
pub struct SurveyError {
    /// The file; `None` where all together have no machine.
    pub file: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a file of an inventory.
#[derive(Debug)]
pub enum Problem {
    /// It could not be read.
    Io(io::Error),
    /// It is no inventory.
    Inventory(Box<InventoryError>),
}

impl fmt::Display for SurveyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        match &self.problem {
            Problem::Io(error) => error.fmt(f),
            Problem::Inventory(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SurveyError {}

/// Shows every machine of `files` to `see`, in order, until it breaks off. `judge` is asked once for each model.
///
/// # Errors
/// [`SurveyError`]: the first in the order of the inventory. What comes before it was seen.
pub fn survey<T: Send + Sync>(
    files: impl Iterator<Item = Result<File, SurveyError>> + Send,
    judge: &(impl Fn(&[Identity]) -> T + Sync),
    see: &mut impl FnMut(Sighting<T>) -> ControlFlow<()>,
) -> Result<(), SurveyError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (parts, waiting) = sync_channel(workers * WAITING);
    let (results, read) = channel();
    let waiting = Mutex::new(waiting);
    let models = Models::default();
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let (over, waiting, models) = (&over, &waiting, &models);
        let unread = results.clone();
        scope.spawn(move || cut(files, &parts, &unread, over));
        for _ in 0..workers {
            let results = results.clone();
            scope.spawn(move || {
                let mut worker = Worker::new(models, judge);
                // To the end in any case: whoever cuts must not wait for room.
                while let Some(part) = next(waiting) {
                    if !over.load(Ordering::Relaxed) && results.send(worker.read(&part)).is_err() {
                        over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        drop(results);
        let seen = in_order(&read, see);
        // Whoever still cuts or reads finds out here.
        over.store(true, Ordering::Relaxed);
        drop(read);
        seen
    })?;
    match seen {
        0 => Err(SurveyError {
            file: None,
            problem: Problem::Inventory(Box::new(InventoryError::Empty)),
        }),
        _ => Ok(()),
    }
}

/// A part of a file with the machines that end in it.
struct Part {
    /// Counted over all files.
    number: u64,
    file: Arc<str>,
    text: Vec<u8>,
    pieces: Vec<Piece>,
    /// The place of its first machine in its file.
    first: usize,
}

/// What became of a part.
struct Done<T> {
    number: u64,
    result: Result<Vec<Sighting<T>>, SurveyError>,
}

/// Cuts the files into parts, in order.
fn cut<T>(
    files: impl Iterator<Item = Result<File, SurveyError>>,
    parts: &SyncSender<Part>,
    results: &Sender<Done<T>>,
    over: &AtomicBool,
) {
    let mut number = 0;
    for file in files {
        let result = file.and_then(|file| cut_file(file, &mut number, parts, over));
        if let Err(error) = result {
            let result = Err(error);
            // Nobody listens any more where an earlier part was wrong.
            let _ = results.send(Done { number, result });
            return;
        }
    }
}

fn cut_file(
    mut file: File,
    number: &mut u64,
    parts: &SyncSender<Part>,
    over: &AtomicBool,
) -> Result<(), SurveyError> {
    let name: Arc<str> = file.name.as_str().into();
    let wrong = |problem| SurveyError {
        file: Some(file.name.clone()),
        problem,
    };
    let mut splitter = Splitter::default();
    let mut first = 0;
    let mut text = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let seen = text.len();
        let part = u64::try_from(PART).unwrap_or(u64::MAX);
        let count = (&mut file.input).take(part).read_to_end(&mut text);
        if count.map_err(|error| wrong(Problem::Io(error)))? == 0 {
            return splitter
                .end()
                .map_err(|error| wrong(Problem::Inventory(Box::new(error))));
        }
        let pieces = splitter
            .split_from(&text, seen)
            .map_err(|error| wrong(Problem::Inventory(Box::new(error))))?;
        let rest = text.get(splitter.open(&text)).unwrap_or_default().to_vec();
        let part = Part {
            number: *number,
            file: Arc::clone(&name),
            text: std::mem::replace(&mut text, rest),
            first,
            pieces,
        };
        first += part.pieces.len();
        *number += 1;
        if parts.send(part).is_err() {
            break;
        }
    }
    Ok(())
}

fn next(waiting: &Mutex<Receiver<Part>>) -> Option<Part> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Shows the machines of all parts in order; how many they were.
fn in_order<T>(
    read: &Receiver<Done<T>>,
    see: &mut impl FnMut(Sighting<T>) -> ControlFlow<()>,
) -> Result<usize, SurveyError> {
    let mut early = BTreeMap::new();
    let mut number = 0;
    let mut seen = 0;
    for done in read {
        early.insert(done.number, done.result);
        while let Some(result) = early.remove(&number) {
            for sighting in result? {
                seen += 1;
                if see(sighting).is_break() {
                    return Ok(seen);
                }
            }
            number += 1;
        }
    }
    Ok(seen)
}

/// Every model that was seen, by its devices.
struct Models<T> {
    known: Mutex<HashMap<Vec<Identity>, Arc<Model<T>>>>,
}

impl<T> Default for Models<T> {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
        }
    }
}

impl<T> Models<T> {
    fn of(&self, devices: Vec<Identity>, judge: &impl Fn(&[Identity]) -> T) -> Arc<Model<T>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = lock().get(&devices) {
            return Arc::clone(model);
        }
        // Judged without the lock; where two workers do so at once, the first counts.
        let judgement = judge(&devices);
        let mut known = lock();
        let id = known.len();
        let model = known.entry(devices.clone()).or_insert_with(|| {
            Arc::new(Model {
                id,
                devices,
                judgement,
            })
        });
        Arc::clone(model)
    }
}

/// Reads parts.
struct Worker<'a, T, J> {
    models: &'a Models<T>,
    judge: &'a J,
    /// The models of texts that were read.
    texts: HashMap<Box<str>, Arc<Model<T>>>,
}

impl<'a, T, J: Fn(&[Identity]) -> T> Worker<'a, T, J> {
    fn new(models: &'a Models<T>, judge: &'a J) -> Self {
        let texts = HashMap::new();
        Self { models, judge, texts }
    }

    fn read(&mut self, part: &Part) -> Done<T> {
        let sightings = part.pieces.iter().enumerate();
        let result = sightings.map(|(place, piece)| self.sighting(part, piece, place));
        let result = result.collect::<Result<Vec<_>, _>>();
        Done {
            number: part.number,
            result: result.map_err(|error| SurveyError {
                file: Some(part.file.to_string()),
                problem: Problem::Inventory(Box::new(error)),
            }),
        }
    }

    fn sighting(&mut self, part: &Part, piece: &Piece, place: usize) -> Result<Sighting<T>, InventoryError> {
        let index = part.first + place;
        let written = Written::read(&part.text, piece)?;
        let model = match self.texts.get(written.device_text()) {
            Some(model) => Arc::clone(model),
            None => {
                let devices = written.devices(&part.text, piece, index)?;
                let model = self.models.of(devices, self.judge);
                if self.texts.len() < KNOWN_TEXTS {
                    self.texts
                        .insert(written.device_text().into(), Arc::clone(&model));
                }
                model
            }
        };
        let machine = written.into_machine(Vec::new(), index)?;
        Ok(Sighting {
            name: machine.name,
            make: machine.model,
            model,
            disks: machine.disks,
        })
    }
}
