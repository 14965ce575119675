//! Power cuts at random moments, and the flushes before them.
//!
//! The guest writes file after file, makes each durable, and only then tells its name and checksum; beside that, another
//! file is written all the time that nobody makes durable. Then the emulator is killed. On the disk as it is by then the
//! file system must be clean once its journal is replayed, and every file that was told of must be whole.
//!
//! Each write and flush of the disk is logged meanwhile, so that one run gives many cuts: the disk is also judged as it
//! was after a random entry of the log. And as an emulator that is killed loses no write cache, it is judged as it was
//! at random flushes, without anything that came later: a file is then expected if no later flush was done when it was
//! told of. One whose flush the mediator had answered too early would be missing.

use super::dice::Dice;
use super::platter::{Platter, checksum};
use super::scene::{FORMAT, Scene};
use super::write_log::{self, WriteLog};
use crate::failure::Failure;
use crate::machine::{Disk, Running};
use crate::paths;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The cut comes at a random moment of this time after the first file is durable.
const LONGEST: Duration = Duration::from_secs(30);
/// For the first file.
const PATIENCE: Duration = Duration::from_secs(90);
/// Cuts in one run of the guest: the emulator's end, and the others in its log.
const CUTS_A_RUN: u64 = 20;
/// Of each run's flushes, how many are judged.
const FLUSHES: u64 = 10;
/// Defines what the guest does until it is cut off. It waits for a line before each file, so that its file is durable,
/// and nothing else was made so, when the log is looked at.
const WORK: &str = "work() { RANDOM=$1; n=0; \
    (while :; do dd if=/dev/urandom of=/volume/noise bs=64k count=24; done) 2>/dev/null & \
    while read -r line; do n=$((n+1)); \
    dd if=/dev/urandom of=/volume/f$n bs=$((RANDOM*4+1)) count=1 conv=fsync 2>/dev/null && \
    echo \"synced $(sha256sum /volume/f$n)\"; done; }";

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Emulators killed.
    pub kills: u64,
    /// Power cuts, with those.
    pub cuts: u64,
    /// Flushes that were judged.
    pub flushes: u64,
    /// Files that had to be whole, over all of those.
    pub files: usize,
}

/// A file that the guest was told is durable.
struct Synced {
    name: String,
    sum: String,
    /// The entries that the log had when the guest told of it.
    entries: usize,
}

/// The laptop with an empty file system, and where its copies go.
pub struct Cuts<'a> {
    scene: &'a Scene,
    platter: Platter,
    disk: PathBuf,
    log: PathBuf,
}

impl<'a> Cuts<'a> {
    /// Makes the file system.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn new(scene: &'a Scene) -> Result<Self, Failure> {
        let mut machine = scene.boot("format", Disk::kept(&scene.laptop.path))?;
        machine.run(FORMAT)?;
        machine.power_off()?;
        let folder = paths::cache(&format!("endurance/{}", scene.driver))?;
        Ok(Self {
            scene,
            platter: Platter::new(&scene.laptop, &scene.store, &folder)?,
            disk: folder.join("disk.img"),
            log: folder.join("writes.log"),
        })
    }

    /// Cuts the power `count` times.
    ///
    /// # Errors
    /// [`Failure`] of the first cut that lost something; the disk and the log stay where they are.
    pub fn run(&self, count: u64, dice: &mut Dice) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        while tally.cuts < count {
            let synced = self.cut(dice)?;
            let encrypted = self.platter.read(&self.disk)?;
            let all = files(&synced, usize::MAX);
            self.platter.judge(&encrypted, &all)?;
            tally.kills += 1;
            tally.cuts += 1;
            tally.files += all.len();
            let log = WriteLog::read(&self.log)?;
            let synced = at_flushes(&log, synced);
            for _ in 1..CUTS_A_RUN.min(count - tally.cuts + 1) {
                let entries = usize::try_from(dice.below(log.length() as u64 + 1)).unwrap_or(0);
                tally.files += self.judge(&log, entries, &synced)?;
                tally.cuts += 1;
            }
            let flushes = log.flushes();
            for _ in 0..FLUSHES {
                let chosen = usize::try_from(dice.below(flushes.len() as u64)).unwrap_or(0);
                tally.files += self.judge(&log, flushes.get(chosen).copied().unwrap_or(0), &synced)?;
                tally.flushes += 1;
            }
            println!(
                "endurance: {}: {} of {count} cuts: {} files synced in a run of {} writes and {} flushes",
                self.scene.driver,
                tally.cuts,
                synced.len(),
                log.length() - flushes.len(),
                flushes.len()
            );
        }
        Ok(tally)
    }

    /// Judges the disk as it was after so many entries of the log; how many files it had to hold.
    fn judge(&self, log: &WriteLog, entries: usize, synced: &[Synced]) -> Result<usize, Failure> {
        let mut encrypted = self.platter.encrypted.clone();
        log.replay(entries, self.platter.first, &mut encrypted);
        let files = files(synced, entries);
        self.platter.judge(&encrypted, &files)?;
        Ok(files.len())
    }

    /// Runs a copy of the laptop until a random moment; what was durable by then.
    fn cut(&self, dice: &mut Dice) -> Result<Vec<Synced>, Failure> {
        std::fs::copy(&self.scene.laptop.path, &self.disk).map_err(Failure::file(&self.disk))?;
        std::fs::write(&self.log, []).map_err(Failure::file(&self.log))?;
        let mut machine = self.scene.boot("cut", Disk::logged(&self.disk, &self.log))?;
        machine.run("mount $part /volume")?;
        machine.run(WORK)?;
        machine.give_last(&format!("work {}", dice.below(1 << 15)))?;
        let mut synced = vec![self.next(&mut machine, PATIENCE)?];
        let cut = Instant::now() + dice.time(LONGEST);
        loop {
            match self.next(&mut machine, cut.saturating_duration_since(Instant::now())) {
                Ok(file) => synced.push(file),
                // The moment has come: the emulator is killed where its value goes.
                Err(Failure::Silence { .. }) => return Ok(synced),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The next file.
    fn next(&self, machine: &mut Running, patience: Duration) -> Result<Synced, Failure> {
        machine.com1.type_text("\n").map_err(Failure::file("COM1"))?;
        let deadline = Instant::now() + patience;
        machine.expect_com1("synced ", patience)?;
        let line = machine.expect_com1("\n", deadline.saturating_duration_since(Instant::now()))?;
        let entries = write_log::begun(&self.log)?;
        let (name, sum) = checksum(&line).ok_or_else(|| machine.refute("no checksum"))?;
        Ok(Synced { name, sum, entries })
    }
}

/// A file is durable from the last flush on that was done when the guest told of it.
fn at_flushes(log: &WriteLog, synced: Vec<Synced>) -> Vec<Synced> {
    let flushes = log.flushes();
    let at_flush = |file: Synced| Synced {
        entries: flushes
            .iter()
            .copied()
            .filter(|flush| *flush <= file.entries)
            .max()
            .unwrap_or(0),
        ..file
    };
    synced.into_iter().map(at_flush).collect()
}

/// What was durable after so many entries, with checksums.
fn files(synced: &[Synced], entries: usize) -> BTreeMap<String, String> {
    let durable = synced.iter().filter(|file| file.entries <= entries);
    durable
        .map(|file| (file.name.clone(), file.sum.clone()))
        .collect()
}
