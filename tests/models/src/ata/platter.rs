//! What a disk holds: a platter that keeps, a write cache that a power cut takes away, and every byte it was ever
//! given to keep.

use crate::bytes;
use crate::sequence::Sequence;
use std::collections::{BTreeMap, BTreeSet};

/// When a write is safe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// After the next flush.
    Cached,
    /// At once.
    Forced,
}

/// A sector that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uncorrectable {
    /// Which.
    pub lba: u64,
}

/// Sectors on two levels.
#[derive(Clone, Debug)]
pub struct Platter {
    sector_size: usize,
    stable: BTreeMap<u64, Vec<u8>>,
    cached: BTreeMap<u64, Vec<u8>>,
    uncorrectable: BTreeSet<u64>,
    written: Vec<(u64, Vec<u8>)>,
    background: u8,
}

impl Platter {
    /// An empty one with sectors of this many bytes.
    #[must_use]
    pub const fn new(sector_size: usize) -> Self {
        Self {
            sector_size,
            stable: BTreeMap::new(),
            cached: BTreeMap::new(),
            uncorrectable: BTreeSet::new(),
            written: Vec::new(),
            background: 0,
        }
    }

    /// Bytes a sector.
    #[must_use]
    pub const fn sector_size(&self) -> usize {
        self.sector_size
    }

    /// The sector as a read finds it now, through the cache.
    ///
    /// # Errors
    /// [`Uncorrectable`].
    pub fn read(&self, lba: u64) -> Result<Vec<u8>, Uncorrectable> {
        if self.uncorrectable.contains(&lba) {
            return Err(Uncorrectable { lba });
        }
        let cached = self.cached.get(&lba).cloned();
        Ok(cached.unwrap_or_else(|| self.stable(lba)))
    }

    /// The sector as the next power cut leaves it at worst.
    #[must_use]
    pub fn stable(&self, lba: u64) -> Vec<u8> {
        let stable = self.stable.get(&lba).cloned();
        stable.unwrap_or_else(|| vec![self.background; self.sector_size])
    }

    /// Keeps whole sectors, the first at `lba`.
    pub fn write(&mut self, lba: u64, content: &[u8], durability: Durability) {
        for (lba, sector) in (lba..).zip(content.chunks_exact(self.sector_size)) {
            self.uncorrectable.remove(&lba);
            self.written.push((lba, sector.to_vec()));
            self.cached.remove(&lba);
            let level = match durability {
                Durability::Cached => &mut self.cached,
                Durability::Forced => &mut self.stable,
            };
            level.insert(lba, sector.to_vec());
        }
    }

    /// Everything in the cache is safe.
    pub fn flush(&mut self) {
        self.stable.append(&mut self.cached);
    }

    /// The power fails: each sector in the cache was safe already, or is lost.
    pub fn lose_power(&mut self, chance: &mut Sequence) {
        for (lba, sector) in std::mem::take(&mut self.cached) {
            if chance.below(2) == 0 {
                self.stable.insert(lba, sector);
            }
        }
    }

    /// These sectors are forgotten: they read zeros.
    pub fn trim(&mut self, lba: u64, count: u64) {
        for level in [&mut self.stable, &mut self.cached] {
            level.retain(|at, _| at.checked_sub(lba).is_none_or(|behind| behind >= count));
        }
    }

    /// The whole disk is filled with `background`.
    pub fn erase(&mut self, background: u8) {
        self.stable.clear();
        self.cached.clear();
        self.background = background;
    }

    /// Reads of this sector fail until it is written.
    pub fn spoil(&mut self, lba: u64) {
        self.uncorrectable.insert(lba);
    }

    /// Keeps bytes that lie in no sector, a log or the device's buffer.
    pub fn keep_aside(&mut self, content: &[u8]) {
        self.written.push((u64::MAX, content.to_vec()));
    }

    /// Every sector ever written, in order, with its content; `u64::MAX` where the bytes went to no sector.
    #[must_use]
    pub fn written(&self) -> &[(u64, Vec<u8>)] {
        &self.written
    }

    /// Whether `needle` was ever part of what the disk was given to keep.
    #[must_use]
    pub fn ever_held(&self, needle: &[u8]) -> bool {
        let holds = |content: &Vec<u8>| content.windows(needle.len().max(1)).any(|part| part == needle);
        self.written.iter().any(|(_, content)| holds(content))
    }

    /// The sectors from `lba` on as a read finds them now, with zeros where they cannot be read.
    #[must_use]
    pub fn image(&self, lba: u64, count: u64) -> Vec<u8> {
        let read = |lba| self.read(lba).unwrap_or_else(|_| vec![0; self.sector_size]);
        (lba..lba.saturating_add(count)).flat_map(read).collect()
    }

    /// Lays sectors down as they were before the machine started: stable, and not as something that was written.
    pub fn prepare(&mut self, lba: u64, content: &[u8]) {
        for (lba, sector) in (lba..).zip(content.chunks(self.sector_size)) {
            let mut whole = vec![0; self.sector_size];
            bytes::put(&mut whole, 0, sector);
            self.stable.insert(lba, whole);
        }
    }
}
