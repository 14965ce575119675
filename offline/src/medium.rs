//! Where bytes are kept: a disk, an image or a journal. The tests' own loses what was not synced.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes by offset, of which those written before a sync that succeeded outlive a power cut.
pub trait Medium: Sync {
    /// Fills `into` from `at`.
    ///
    /// # Errors
    /// As the operating system says, and where the medium ends before.
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes `bytes` to `at`. A power cut before [`Self::sync`] may keep any of the sectors and lose the others.
    ///
    /// # Errors
    /// As the operating system says.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written before is on stable storage.
    ///
    /// # Errors
    /// As the operating system says; what was written may be lost then.
    fn sync(&self) -> io::Result<()>;
}

impl Medium for File {
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, at)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
