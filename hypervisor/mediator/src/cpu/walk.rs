//! The guest's own page tables, walked in software to find the instruction that just exited.
//!
//! Everything read here is the guest's and may change while we read: each entry is read once and only its copy is
//! used. Accessed and dirty bits are not set: the walks are for bytes the CPU has just fetched, so it has set them
//! already; and the second operand of an emulated string instruction is rare enough that a page wrongly taken for
//! clean would need a guest that copies between a device register and memory it is about to evict.
//! Reserved bits are checked only where ignoring them would make an address (AMD APM volume 2, section 5.3 to 5.5).

/// An address that the guest may not use: no memory there, or not the guest's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreachable;

/// The guest's physical memory. The machine refuses its own pages and devices.
pub trait GuestMemory {
    /// Copies `buffer.len()` bytes out of guest memory; all or nothing.
    ///
    /// # Errors
    /// [`Unreachable`] if any byte is not ordinary guest memory.
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable>;

    /// Copies `bytes` into guest memory; all or nothing.
    ///
    /// # Errors
    /// [`Unreachable`] if any byte is not ordinary guest memory.
    fn write(&self, guest_physical: u64, bytes: &[u8]) -> Result<(), Unreachable>;

    /// One aligned 64-bit word: a table entry, read at once so that it cannot tear.
    ///
    /// # Errors
    /// [`Unreachable`] as for [`Self::read`].
    #[inline]
    fn read_word(&self, guest_physical: u64) -> Result<u64, Unreachable> {
        let mut bytes = [0; 8];
        self.read(guest_physical, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// The registers that say how linear addresses become physical.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging {
    /// CR0.
    pub cr0: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER.
    pub efer: u64,
}

/// What is done at the address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// A data read.
    Read,
    /// A data write.
    Write,
    /// An instruction fetch.
    Fetch,
}

/// With whose rights it is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Privilege {
    /// CPL 0 to 2.
    Supervisor,
    /// CPL 3.
    User,
}

/// Why there is no physical address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untranslated {
    /// The guest's tables refuse it: #PF with this error code (AMD APM volume 2, section 8.4.2).
    PageFault(u32),
    /// A table lies where the guest may not read.
    Unreachable,
}

impl From<Unreachable> for Untranslated {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

const CR0_WP: u64 = 1 << 16;
const CR0_PG: u64 = 1 << 31;
const CR4_PSE: u64 = 1 << 4;
const CR4_PAE: u64 = 1 << 5;
const CR4_LA57: u64 = 1 << 12;
const CR4_SMEP: u64 = 1 << 20;
const EFER_LMA: u64 = 1 << 10;
const EFER_NXE: u64 = 1 << 11;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
/// Bits 51..12: the address in a long-mode or PAE entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
/// What an entry grants; an address has the rights that every level grants.
const RIGHTS: u64 = WRITABLE | USER;

const FAULT_PRESENT: u32 = 1 << 0;
const FAULT_WRITE: u32 = 1 << 1;
const FAULT_USER: u32 = 1 << 2;
const FAULT_RESERVED: u32 = 1 << 3;
const FAULT_FETCH: u32 = 1 << 4;

/// A leaf and the rights gathered on the way to it.
#[derive(Clone, Copy)]
struct Leaf {
    physical: u64,
    /// [`RIGHTS`] that all levels grant, and [`NO_EXECUTE`] if any level forbids execution.
    rights: u64,
}

/// The guest-physical address of `linear`.
///
/// # Errors
/// [`Untranslated`]: what the CPU would raise, or that a table cannot be read.
pub fn translate<M: GuestMemory>(
    paging: &Paging,
    linear: u64,
    intent: Intent,
    privilege: Privilege,
    memory: &M,
) -> Result<u64, Untranslated> {
    let leaf = if paging.efer & EFER_LMA != 0 {
        if paging.cr4 & CR4_LA57 == 0 {
            four_levels(paging.cr3, linear, RIGHTS, memory)
        } else {
            five_levels(paging.cr3, linear, memory)
        }
    } else if paging.cr0 & CR0_PG == 0 {
        return Ok(linear & 0xffff_ffff);
    } else if paging.cr4 & CR4_PAE != 0 {
        physical_address_extension(paging.cr3, linear & 0xffff_ffff, memory)
    } else {
        two_levels(paging, linear & 0xffff_ffff, memory)
    };
    match leaf {
        Ok(leaf) => allow(paging, leaf, intent, privilege),
        Err(Untranslated::PageFault(code)) => Err(Untranslated::PageFault(
            code | intent_code(paging, intent, privilege),
        )),
        Err(unreachable) => Err(unreachable),
    }
}

/// The physical address of code that the CPU has just fetched in four-level long mode; `None` where anything is
/// less usual, which [`translate`] then sorts out.
///
/// Only presence is looked at: the CPU has checked the rights. If the guest has changed its tables since, this
/// reads other bytes of the guest's own memory, as a guest that changes its code would have us read.
#[inline(always)]
pub(super) fn present_address<M: GuestMemory>(paging: &Paging, linear: u64, memory: &M) -> Option<u64> {
    if paging.efer & EFER_LMA == 0 || paging.cr4 & CR4_LA57 != 0 {
        return None;
    }
    let next = |parent: u64, shift: u32| memory.read_word(parent & ADDRESS | linear >> shift & 0xff8).ok();
    let entry4 = next(paging.cr3, 36)?;
    if entry4 & (PRESENT | LARGE) != PRESENT {
        return None;
    }
    let entry3 = next(entry4, 27)?;
    if entry3 & (PRESENT | LARGE) != PRESENT {
        return None;
    }
    let entry2 = next(entry3, 18)?;
    if entry2 & (PRESENT | LARGE) == PRESENT | LARGE {
        return Some(entry2 & ADDRESS & !0x1f_ffff | linear & 0x1f_ffff);
    }
    let entry1 = if entry2 & PRESENT == 0 {
        0
    } else {
        next(entry2, 9)?
    };
    (entry1 & PRESENT != 0).then_some(entry1 & ADDRESS | linear & 0xfff)
}

/// Levels 4 to 1 below `root`.
fn four_levels<M: GuestMemory>(
    root: u64,
    linear: u64,
    granted: u64,
    memory: &M,
) -> Result<Leaf, Untranslated> {
    let (entry4, rights) = step(root, linear >> 39, granted, memory)?;
    if entry4 & LARGE != 0 {
        return Err(Untranslated::PageFault(FAULT_PRESENT | FAULT_RESERVED));
    }
    let (entry3, rights) = step(entry4, linear >> 30, rights, memory)?;
    if entry3 & LARGE != 0 {
        return Ok(leaf(entry3, 30, linear, rights));
    }
    let (entry2, rights) = step(entry3, linear >> 21, rights, memory)?;
    if entry2 & LARGE != 0 {
        return Ok(leaf(entry2, 21, linear, rights));
    }
    let (entry1, rights) = step(entry2, linear >> 12, rights, memory)?;
    Ok(leaf(entry1, 12, linear, rights))
}

#[cold]
fn five_levels<M: GuestMemory>(root: u64, linear: u64, memory: &M) -> Result<Leaf, Untranslated> {
    let (entry5, rights) = step(root, linear >> 48, RIGHTS, memory)?;
    if entry5 & LARGE != 0 {
        return Err(Untranslated::PageFault(FAULT_PRESENT | FAULT_RESERVED));
    }
    four_levels(entry5, linear, rights, memory)
}

/// Three levels of 32-bit PAE; the first has four entries, aligned to 32 bytes, that grant every right.
#[cold]
fn physical_address_extension<M: GuestMemory>(
    cr3: u64,
    linear: u64,
    memory: &M,
) -> Result<Leaf, Untranslated> {
    let entry3 = memory.read_word((cr3 & 0xffff_ffe0) + (linear >> 30) * 8)?;
    if entry3 & PRESENT == 0 {
        return Err(Untranslated::PageFault(0));
    }
    let (entry2, rights) = step(entry3, linear >> 21, RIGHTS, memory)?;
    if entry2 & LARGE != 0 {
        return Ok(leaf(entry2, 21, linear, rights));
    }
    let (entry1, rights) = step(entry2, linear >> 12, rights, memory)?;
    Ok(leaf(entry1, 12, linear, rights))
}

/// Two levels of 32-bit entries, with 4 MiB pages whose bits 39..32 are in entry bits 20..13 (PSE-36).
#[cold]
fn two_levels<M: GuestMemory>(paging: &Paging, linear: u64, memory: &M) -> Result<Leaf, Untranslated> {
    let entry2 = half_word((paging.cr3 & 0xffff_f000) + (linear >> 22) * 4, memory)?;
    if entry2 & LARGE != 0 && paging.cr4 & CR4_PSE != 0 {
        let physical = entry2 & 0xffc0_0000 | (entry2 >> 13 & 0xff) << 32 | linear & 0x3f_ffff;
        let rights = entry2 & RIGHTS;
        return Ok(Leaf { physical, rights });
    }
    let entry1 = half_word((entry2 & 0xffff_f000) + (linear >> 12 & 0x3ff) * 4, memory)?;
    Ok(Leaf {
        physical: entry1 & 0xffff_f000 | linear & 0xfff,
        rights: entry2 & entry1 & RIGHTS,
    })
}

/// One present 32-bit entry.
fn half_word<M: GuestMemory>(address: u64, memory: &M) -> Result<u64, Untranslated> {
    let mut bytes = [0; 4];
    memory.read(address, &mut bytes)?;
    let entry = u64::from(u32::from_le_bytes(bytes));
    if entry & PRESENT == 0 {
        return Err(Untranslated::PageFault(0));
    }
    Ok(entry)
}

/// Reads the present entry number `index` (its low nine bits) of the table that `parent` points to.
#[inline]
fn step<M: GuestMemory>(
    parent: u64,
    index: u64,
    rights: u64,
    memory: &M,
) -> Result<(u64, u64), Untranslated> {
    let entry = memory.read_word(parent & ADDRESS | (index & 0x1ff) << 3)?;
    if entry & PRESENT == 0 {
        return Err(Untranslated::PageFault(0));
    }
    Ok((entry, rights & (entry | NO_EXECUTE) | entry & NO_EXECUTE))
}

#[inline]
fn leaf(entry: u64, shift: u32, linear: u64, rights: u64) -> Leaf {
    let offset = (1 << shift) - 1;
    Leaf {
        physical: entry & ADDRESS & !offset | linear & offset,
        rights,
    }
}

/// The address, if its rights cover what is intended.
#[inline]
fn allow(paging: &Paging, leaf: Leaf, intent: Intent, privilege: Privilege) -> Result<u64, Untranslated> {
    let Leaf { physical, rights } = leaf;
    let user_refused = privilege == Privilege::User && rights & USER == 0;
    let intent_refused = match intent {
        Intent::Read => false,
        Intent::Write => rights & WRITABLE == 0 && (privilege == Privilege::User || paging.cr0 & CR0_WP != 0),
        Intent::Fetch => {
            rights & NO_EXECUTE != 0 && paging.efer & EFER_NXE != 0
                || privilege == Privilege::Supervisor && rights & USER != 0 && paging.cr4 & CR4_SMEP != 0
        }
    };
    if user_refused || intent_refused {
        return Err(Untranslated::PageFault(
            FAULT_PRESENT | intent_code(paging, intent, privilege),
        ));
    }
    Ok(physical)
}

/// The error code's bits that tell what was tried; the fetch bit exists only with NX or SMEP on.
#[cold]
fn intent_code(paging: &Paging, intent: Intent, privilege: Privilege) -> u32 {
    let user = match privilege {
        Privilege::Supervisor => 0,
        Privilege::User => FAULT_USER,
    };
    let fetch_reported = paging.cr4 & CR4_SMEP != 0
        || paging.efer & EFER_NXE != 0 && (paging.efer & EFER_LMA != 0 || paging.cr4 & CR4_PAE != 0);
    user | match intent {
        Intent::Read => 0,
        Intent::Write => FAULT_WRITE,
        Intent::Fetch if fetch_reported => FAULT_FETCH,
        Intent::Fetch => 0,
    }
}
