//! The memory the loader reserved: handed out page by page while the hypervisor is built, then never again.
//!
//! Nothing is freed and nothing is taken after [`crate::prepare`] returns, so a guest cannot make the
//! hypervisor grow.

use crate::address::PhysRange;
use core::ptr::{self, NonNull};

/// Bytes in a page.
pub(crate) const PAGE: u64 = 4096;

/// The region is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Exhausted;

/// What is left of the region.
pub(crate) struct Region {
    whole: PhysRange,
    next: u64,
}

impl Region {
    /// The region `whole`, of which everything before `first_free` is the hypervisor's image.
    ///
    /// # Safety
    /// `first_free..whole.end` is memory that nobody else uses, mapped at its physical address and writable,
    /// for as long as the machine runs.
    pub(crate) unsafe fn new(whole: PhysRange, first_free: u64) -> Self {
        Self {
            whole,
            next: first_free.next_multiple_of(PAGE),
        }
    }

    /// The whole region, image included.
    pub(crate) const fn whole(&self) -> PhysRange {
        self.whole
    }

    /// Bytes taken so far, image included.
    pub(crate) const fn used(&self) -> u64 {
        self.next - self.whole.start
    }

    /// `count` zeroed pages in a row.
    pub(crate) fn pages(&mut self, count: u64) -> Result<NonNull<u8>, Exhausted> {
        let length = count.checked_mul(PAGE).ok_or(Exhausted)?;
        let end = self.next.checked_add(length).ok_or(Exhausted)?;
        if end > self.whole.end {
            return Err(Exhausted);
        }
        let start =
            ptr::with_exposed_provenance_mut::<u8>(usize::try_from(self.next).map_err(|_| Exhausted)?);
        self.next = end;
        // SAFETY: `new`'s caller gave us these bytes, and `next` has moved past them: they are handed out once.
        unsafe { start.write_bytes(0, usize::try_from(length).map_err(|_| Exhausted)?) };
        NonNull::new(start).ok_or(Exhausted)
    }

    /// The same, the first at a multiple of `alignment`; what lies before it stays unused.
    pub(crate) fn aligned_pages(&mut self, count: u64, alignment: u64) -> Result<NonNull<u8>, Exhausted> {
        let aligned = self
            .next
            .checked_next_multiple_of(alignment.max(PAGE))
            .ok_or(Exhausted)?;
        if aligned > self.whole.end {
            return Err(Exhausted);
        }
        self.next = aligned;
        self.pages(count)
    }

    /// Leaves one page unused, to be unmapped: an overrun faults instead of reaching what lies before it.
    pub(crate) fn guard(&mut self) -> Result<u64, Exhausted> {
        self.pages(1).map(|page| page.as_ptr().addr() as u64)
    }

    /// A value that lives as long as the machine, at the start of pages of its own.
    pub(crate) fn place<T>(&mut self, value: T) -> Result<&'static mut T, Exhausted> {
        const { assert!(align_of::<T>() <= 4096) };
        let bytes = (size_of::<T>() as u64).max(1);
        let place = self.pages(bytes.div_ceil(PAGE))?.cast::<T>();
        // SAFETY: fresh pages, large enough and page-aligned, and nobody else has the address.
        unsafe { place.write(value) };
        // SAFETY: written just above; `&mut` is the only reference, for ever.
        Ok(unsafe { &mut *place.as_ptr() })
    }
}
