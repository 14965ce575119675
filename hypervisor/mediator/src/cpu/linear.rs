//! Guest memory at linear addresses, for the second operand of a string instruction.
//!
//! Both parts of an operand that crosses a page are translated before either is touched.

use super::emulate::Refusal;
use super::walk::{GuestMemory, Intent, Paging, Privilege, Untranslated, translate};

const PAGE: u64 = 4096;

/// Guest memory as the running code sees it; what [`super::emulate::Surroundings`] asks for.
#[derive(Clone, Copy, Debug)]
pub struct LinearMemory<'a, M> {
    /// The guest's paging registers.
    pub paging: Paging,
    /// The running code's rights.
    pub privilege: Privilege,
    /// Its physical memory.
    pub memory: &'a M,
}

impl<M: GuestMemory> LinearMemory<'_, M> {
    /// Reads at `linear`.
    ///
    /// # Errors
    /// [`Refusal::PageFault`] as the guest's tables say, [`Refusal::Undecodable`] where there is no memory.
    pub fn read(&self, linear: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
        let (first, second) = buffer.split_at_mut(in_first_page(linear, buffer.len()));
        let first_at = self.translate(linear, Intent::Read)?;
        let second_at = self.second_page(linear, second.len(), Intent::Read)?;
        self.memory.read(first_at, first)?;
        match second_at {
            Some(address) => Ok(self.memory.read(address, second)?),
            None => Ok(()),
        }
    }

    /// Writes at `linear`.
    ///
    /// # Errors
    /// [`Refusal::PageFault`] as the guest's tables say, [`Refusal::Undecodable`] where there is no memory.
    pub fn write(&self, linear: u64, bytes: &[u8]) -> Result<(), Refusal> {
        let (first, second) = bytes.split_at(in_first_page(linear, bytes.len()));
        let first_at = self.translate(linear, Intent::Write)?;
        let second_at = self.second_page(linear, second.len(), Intent::Write)?;
        self.memory.write(first_at, first)?;
        match second_at {
            Some(address) => Ok(self.memory.write(address, second)?),
            None => Ok(()),
        }
    }

    /// Whether `length` bytes at `linear`, in two pages at most, may be written.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn may_write(&self, linear: u64, length: usize) -> Result<(), Refusal> {
        let second = length - in_first_page(linear, length);
        self.translate(linear, Intent::Write)?;
        self.second_page(linear, second, Intent::Write)?;
        Ok(())
    }

    fn second_page(&self, linear: u64, length: usize, intent: Intent) -> Result<Option<u64>, Refusal> {
        if length == 0 {
            return Ok(None);
        }
        let next = (linear | (PAGE - 1)).wrapping_add(1);
        self.translate(next, intent).map(Some)
    }

    fn translate(&self, linear: u64, intent: Intent) -> Result<u64, Refusal> {
        translate(&self.paging, linear, intent, self.privilege, self.memory).map_err(|reason| match reason {
            Untranslated::PageFault(error_code) => Refusal::PageFault { linear, error_code },
            Untranslated::Unreachable => Refusal::Undecodable,
        })
    }
}

/// How many of `length` bytes at `linear` are in its page.
fn in_first_page(linear: u64, length: usize) -> usize {
    usize::try_from(PAGE - linear % PAGE).map_or(length, |left| left.min(length))
}
