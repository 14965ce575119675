//! Four-level page tables, for the hypervisor's own mapping and for the nested one: the format is the same.
//!
//! Source: AMD64 APM volume 2, sections 5.3 (long-mode translation) and 15.25 (nested paging: the walk counts as
//! a user access, so nested entries carry the user bit).

use crate::region::{Exhausted, PAGE, Region};
use core::ptr::NonNull;
use x86_64::structures::paging::PageTableFlags as Flags;

/// Bytes under one entry at each level, from the last.
const SPAN: [u64; 4] = [PAGE, 2 << 20, 1 << 30, 1 << 39];
/// Entries in one table.
const ENTRIES: u64 = 512;
/// The physical address in an entry, for the page sizes used here.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// What a range of addresses leads to.
#[derive(Clone, Copy)]
pub(crate) enum Mapping {
    /// Nothing: an access faults.
    Absent,
    /// Ascending from this physical address.
    Linear(u64, Flags),
    /// Every page leads to this one physical page.
    Same(u64, Flags),
}

/// The root of a set of tables.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    root: NonNull<[u64; 512]>,
}

// SAFETY: the tables lie in the region and are changed only through `&mut Region`, of which there is one.
unsafe impl Send for Tables {}
// SAFETY: as above; shared use only reads `root`.
unsafe impl Sync for Tables {}

impl Tables {
    /// Empty tables.
    pub(crate) fn new(region: &mut Region) -> Result<Self, Exhausted> {
        Ok(Self {
            root: region.pages(1)?.cast(),
        })
    }

    /// The value for CR3 or N_CR3.
    pub(crate) fn root(&self) -> u64 {
        self.root.as_ptr().addr() as u64
    }

    /// Maps `length` bytes at `address`, both multiples of a page, with the largest pages that fit; what was
    /// mapped there before is replaced. To be called before the tables are in use by any CPU.
    pub(crate) fn map(
        &mut self,
        region: &mut Region,
        address: u64,
        length: u64,
        mapping: Mapping,
    ) -> Result<(), Exhausted> {
        debug_assert!(address.is_multiple_of(PAGE) && length.is_multiple_of(PAGE));
        let mut done = 0;
        while done < length {
            done += self.map_one(region, address + done, length - done, mapping, done)?;
        }
        Ok(())
    }

    /// Maps one page of the largest size that fits, and returns that size.
    fn map_one(
        &mut self,
        region: &mut Region,
        address: u64,
        left: u64,
        mapping: Mapping,
        done: u64,
    ) -> Result<u64, Exhausted> {
        let target = match mapping {
            Mapping::Linear(start, _) => start + done,
            Mapping::Absent | Mapping::Same(..) => 0,
        };
        let mut table = self.root;
        for (level, span) in SPAN.into_iter().enumerate().rev() {
            let index = (address / span % ENTRIES) as usize;
            // SAFETY: `table` is the root or was just reached through a present entry of a table made here.
            let entries = unsafe { table.as_mut() };
            #[expect(
                clippy::indexing_slicing,
                reason = "the remainder is below the table's length"
            )]
            let entry = &mut entries[index];
            let large_enough = address.is_multiple_of(span) && target.is_multiple_of(span) && left >= span;
            let shared = matches!(mapping, Mapping::Same(..));
            if level == 0 || (level < 3 && large_enough && !shared) {
                *entry = leaf(mapping, target, level);
                return Ok(span);
            }
            let below = if level == 1 {
                Leaf::Page
            } else {
                Leaf::Large(span / ENTRIES)
            };
            table = Self::descend(region, entry, below)?;
        }
        Ok(PAGE)
    }

    /// The table below `entry`, made if there is none, splitting a large page into `below` if there is one.
    fn descend(region: &mut Region, entry: &mut u64, below: Leaf) -> Result<NonNull<[u64; 512]>, Exhausted> {
        let flags = Flags::from_bits_truncate(*entry);
        let is_table = flags.contains(Flags::PRESENT) && !flags.contains(Flags::HUGE_PAGE);
        if is_table {
            let table = core::ptr::with_exposed_provenance_mut((*entry & ADDRESS) as usize);
            return NonNull::new(table).ok_or(Exhausted);
        }
        let mut table: NonNull<[u64; 512]> = region.pages(1)?.cast();
        if flags.contains(Flags::PRESENT) {
            let (size, huge) = match below {
                Leaf::Page => (PAGE, Flags::empty()),
                Leaf::Large(size) => (size, Flags::HUGE_PAGE),
            };
            let first = *entry & !Flags::HUGE_PAGE.bits() | huge.bits();
            // SAFETY: a fresh page of this size, just taken from the region.
            let entries = unsafe { table.as_mut() };
            for (place, number) in entries.iter_mut().zip(0u64..) {
                *place = first + number * size;
            }
        }
        let through = Flags::PRESENT | Flags::WRITABLE | Flags::USER_ACCESSIBLE;
        *entry = table.as_ptr().expose_provenance() as u64 | through.bits();
        Ok(table)
    }
}

/// What the entries of a table lead to when a large page is split into it.
#[derive(Clone, Copy)]
enum Leaf {
    /// 4 KiB each.
    Page,
    /// This many bytes each.
    Large(u64),
}

/// The entry that ends a walk at `level`.
fn leaf(mapping: Mapping, target: u64, level: usize) -> u64 {
    let huge = if level == 0 {
        Flags::empty()
    } else {
        Flags::HUGE_PAGE
    };
    let used = Flags::PRESENT | Flags::ACCESSED | Flags::DIRTY;
    match mapping {
        Mapping::Absent => 0,
        Mapping::Linear(_, flags) => target | (flags | huge | used).bits(),
        Mapping::Same(page, flags) => page | (flags | used).bits(),
    }
}
