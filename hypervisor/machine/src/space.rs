//! The two address spaces: what the hypervisor sees, and what the guest sees.

use crate::address::PhysRange;
use crate::memory::{self, DEVICE_WINDOW, GuestRam, RAM_WINDOW, WINDOW_LIMIT};
use crate::paging::{Mapping, Tables};
use crate::region::{Exhausted, PAGE, Region};
use sekisho_abi::boot::{Access, HypervisorLayout};
use x86_64::structures::paging::PageTableFlags as Flags;

/// Nested paging in four levels reaches this far; what a guest names beyond does not exist for it.
const NESTED_LIMIT: u64 = 1 << 48;

/// Bytes of physical address space that the windows show.
pub(crate) fn window_limit(physical_bits: u32) -> u64 {
    1u64.checked_shl(physical_bits)
        .unwrap_or(WINDOW_LIMIT)
        .min(WINDOW_LIMIT)
}

/// The hypervisor's own tables: its image with each segment's access, the rest of its region as data, and the two
/// windows on everything else.
pub(crate) fn host(
    region: &mut Region,
    layout: &HypervisorLayout,
    ram: &GuestRam,
) -> Result<Tables, Exhausted> {
    let whole = region.whole();
    let mut tables = Tables::new(region)?;
    let data = Flags::PRESENT | Flags::WRITABLE | Flags::NO_EXECUTE;
    let image_end = whole.start + u64::from(layout.memory_size);
    for segment in &layout.segments {
        let start = whole.start + u64::from(segment.offset);
        let length = u64::from(segment.memory_size).next_multiple_of(PAGE);
        let flags = match segment.access {
            Access::Read => Flags::PRESENT | Flags::NO_EXECUTE,
            Access::Execute => Flags::PRESENT,
            Access::Write => data,
        };
        tables.map(region, start, length, Mapping::Linear(start, flags))?;
    }
    let rest = whole.end - image_end;
    tables.map(region, image_end, rest, Mapping::Linear(image_end, data))?;
    tables.map(region, RAM_WINDOW, ram.limit, Mapping::Linear(0, data))?;
    let uncached = data | Flags::NO_CACHE | Flags::WRITE_THROUGH;
    tables.map(region, DEVICE_WINDOW, ram.limit, Mapping::Linear(0, uncached))?;
    for window in [RAM_WINDOW, DEVICE_WINDOW] {
        tables.map(region, window + whole.start, whole.length(), Mapping::Absent)?;
    }
    Ok(tables)
}

/// The guest's physical address space: the machine's, but for the hypervisor's region (every page of it reads as
/// ones), the pages in `read_only` (the xAPIC page is always one), the rest of the interrupt addresses and the pages in `absent` (every access
/// exits).
pub(crate) fn nested(
    region: &mut Region,
    physical_bits: u32,
    apic_page: u64,
    read_only: impl Iterator<Item = PhysRange>,
    absent: impl Iterator<Item = PhysRange>,
) -> Result<Tables, Exhausted> {
    let whole = region.whole();
    let mut tables = Tables::new(region)?;
    let visible = Flags::PRESENT | Flags::USER_ACCESSIBLE;
    let all = visible | Flags::WRITABLE;
    let limit = 1u64
        .checked_shl(physical_bits)
        .unwrap_or(NESTED_LIMIT)
        .min(NESTED_LIMIT);
    tables.map(region, 0, limit, Mapping::Linear(0, all))?;
    let ones = region.pages(1)?;
    // SAFETY: a fresh page of ours.
    unsafe { ones.as_ptr().write_bytes(0xff, PAGE as usize) };
    let ones = ones.as_ptr().addr() as u64;
    tables.map(region, whole.start, whole.length(), Mapping::Same(ones, visible))?;
    tables.map(region, apic_page, PAGE, Mapping::Linear(apic_page, visible))?;
    // A store to the other pages of the interrupt address range would be a message: any interrupt, INIT too, to any CPU
    // (APM volume 2, 16.11: messages are writes to FEEx_xxxxh). Devices' own messages do not come this way.
    let messages = memory::MESSAGES;
    for page in (messages.start..messages.end)
        .step_by(PAGE as usize)
        .filter(|page| *page != apic_page)
    {
        tables.map(region, page, PAGE, Mapping::Absent)?;
    }
    for range in read_only {
        tables.map(
            region,
            range.start,
            range.length(),
            Mapping::Linear(range.start, visible),
        )?;
    }
    for range in absent {
        tables.map(region, range.start, range.length(), Mapping::Absent)?;
    }
    Ok(tables)
}
