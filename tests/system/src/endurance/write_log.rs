//! The log of a disk's writes and flushes that the emulator's block driver `blklogwrites` keeps.
//!
//! The format is that of the Linux kernel's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst and
//! drivers/md/dm-log-writes.c): a super block of one sector, then each entry as one sector that says what was done and
//! the sectors of data after it; all numbers are little-endian. The super block says how many entries were begun; an
//! emulator that was killed has not written the last of them.

use crate::failure::Failure;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

/// Bytes of a sector of the log, and of the disk: the driver's default.
const SECTOR: usize = 512;
/// `WRITE_LOG_MAGIC`, the first word of the super block.
const MAGIC: u64 = 0x006a_7366_7773_6872;
/// `WRITE_LOG_VERSION`, the second.
const VERSION: u64 = 1;
/// `LOG_FLUSH_FLAG`.
const FLUSH: u64 = 1;
/// `LOG_DISCARD_FLAG`: no data follow.
const DISCARD: u64 = 4;

/// What the disk was told, in order.
pub struct WriteLog {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// One thing that the disk was told.
struct Entry {
    /// First sector of the disk.
    sector: u64,
    flags: u64,
    /// Where its data lie in the log.
    data: Range<usize>,
}

/// How many entries the log has by now.
///
/// # Errors
/// [`Failure::File`].
pub fn begun(path: &Path) -> Result<usize, Failure> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(Failure::file(path))?;
    file.take(SECTOR as u64)
        .read_to_end(&mut start)
        .map_err(Failure::file(path))?;
    Ok(counted(&start))
}

/// The entries that a super block counts.
fn counted(bytes: &[u8]) -> usize {
    let known = word(bytes, 0) == Some(MAGIC) && word(bytes, 1) == Some(VERSION);
    let count = word(bytes, 2).filter(|_| known).unwrap_or(0);
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The word of this number, of 8 bytes.
fn word(bytes: &[u8], number: usize) -> Option<u64> {
    let bytes = bytes.get(number * 8..number * 8 + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

impl WriteLog {
    /// The entries that are whole.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(Failure::file(path))?;
        Ok(Self::parse(bytes))
    }

    fn parse(bytes: Vec<u8>) -> Self {
        let mut entries = Vec::new();
        let mut place = SECTOR;
        for _ in 0..counted(&bytes) {
            let Some(entry) = entry(&bytes, place) else { break };
            place = entry.data.end;
            entries.push(entry);
        }
        Self { bytes, entries }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.entries.len()
    }

    /// After how many entries a flush has just been done.
    #[must_use]
    pub fn flushes(&self) -> Vec<usize> {
        let numbered = (1..).zip(&self.entries);
        let flushes = numbered.filter(|(_, entry)| entry.flags & FLUSH != 0);
        flushes.map(|(number, _)| number).collect()
    }

    /// Does the first `count` entries to `region`, which begins at the disk's sector `first`.
    pub fn replay(&self, count: usize, first: u64, region: &mut [u8]) {
        for entry in self.entries.iter().take(count) {
            let data = self.bytes.get(entry.data.clone()).unwrap_or_default();
            for (number, sector) in (entry.sector..).zip(data.chunks_exact(SECTOR)) {
                let place = number
                    .checked_sub(first)
                    .and_then(|number| usize::try_from(number).ok());
                let place = place.and_then(|number| region.get_mut(number * SECTOR..)?.get_mut(..SECTOR));
                if let Some(place) = place {
                    place.copy_from_slice(sector);
                }
            }
        }
    }
}

/// The entry at this place, if it is whole.
fn entry(bytes: &[u8], place: usize) -> Option<Entry> {
    let start = place.checked_add(SECTOR)?;
    let head = bytes.get(place..start)?;
    let (sector, sectors, flags) = (word(head, 0)?, word(head, 1)?, word(head, 2)?);
    // Room was made for it, and it was not written.
    if sectors == 0 && flags == 0 {
        return None;
    }
    let length = match flags & DISCARD {
        0 => usize::try_from(sectors).ok()?.checked_mul(SECTOR)?,
        _ => 0,
    };
    let data = start..start.checked_add(length)?;
    bytes.get(data.clone())?;
    Some(Entry { sector, flags, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(words: &[u64]) -> Vec<u8> {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(SECTOR, 0);
        bytes
    }

    /// Writes sectors 10 and 11, flushes, writes sector 10 again, and is cut off in a write to sector 11.
    fn log() -> Vec<u8> {
        let parts = [
            sector(&[MAGIC, VERSION, 4, SECTOR as u64]),
            sector(&[10, 2, 0, 0]),
            vec![1; 2 * SECTOR],
            sector(&[0, 0, FLUSH, 0]),
            sector(&[10, 1, 0, 0]),
            vec![2; SECTOR],
            sector(&[11, 1, 0, 0]),
        ];
        parts.concat()
    }

    #[test]
    fn a_replay_to_a_flush_has_what_was_written_before_it_and_nothing_else() {
        let log = WriteLog::parse(log());
        assert_eq!(log.flushes(), [2]);
        let mut region = vec![0; 2 * SECTOR];
        log.replay(2, 11, &mut region);
        assert_eq!(region, [vec![1; SECTOR], vec![0; SECTOR]].concat());
    }

    #[test]
    fn later_entries_replace_earlier_ones() {
        let mut region = vec![0; 2 * SECTOR];
        WriteLog::parse(log()).replay(3, 10, &mut region);
        assert_eq!(region, [vec![2; SECTOR], vec![1; SECTOR]].concat());
    }

    #[test]
    fn an_entry_that_was_not_written_whole_is_none() {
        assert_eq!(WriteLog::parse(log()).length(), 3);
        let mut hole = log();
        hole.extend([0; 4 * SECTOR]);
        let place = 7 * SECTOR;
        if let Some(head) = hole.get_mut(place..place + SECTOR) {
            head.fill(0);
        }
        assert_eq!(WriteLog::parse(hole).length(), 3);
    }
}
