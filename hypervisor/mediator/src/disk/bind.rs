//! Who says what becomes of a controller's disks: asked once, while nobody else uses the controller.
//!
//! What a volume is may depend on all disks, so each of them is shown before the first is decided.

use super::command::Identity;
use super::filter::SectorFilter;

/// Says what becomes of a controller's disks.
pub trait Binder {
    /// Why it will not.
    type Refusal;

    /// A disk is there. Each is shown once, all of them before the first [`Self::filter`].
    ///
    /// # Errors
    /// The controller is not to be used.
    fn inspect(
        &mut self,
        port: u8,
        identity: &Identity,
        blocks: &mut dyn BlockReader,
    ) -> Result<(), Self::Refusal>;

    /// What becomes of the sectors of the disk at `port`; `None`: they read as zeros and take no writes.
    ///
    /// # Errors
    /// The controller is not to be used.
    fn filter(&mut self, port: u8) -> Result<Option<SectorFilter>, Self::Refusal>;
}

/// A disk did not give its blocks, or said something else than what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable;

/// Reads a disk's logical blocks as they are on it.
pub trait BlockReader {
    /// Fills `data`, a whole number of blocks, from block `first` on.
    ///
    /// # Errors
    /// [`Unreadable`].
    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), Unreadable>;
}
