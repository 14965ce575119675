//! The firmware's ACPI tables: found here, read in `sekisho_mediator::boot::acpi`.

use crate::console::say;
use crate::refuse::Refusal;
use sekisho_mediator::boot::acpi::{Platform, TableAddress, TableMemory, Unreadable, read_platform};
use uefi::boot::MemoryType;
use uefi::mem::memory_map::{MemoryDescriptor, MemoryMap, MemoryMapOwned};
use uefi::table::cfg::ConfigTableEntry;
use uefi::{boot, system};

/// Bytes in a page of the memory map.
const PAGE: u64 = 4096;

/// What the tables say; nothing where there are none.
pub(crate) fn read() -> Result<Platform, Refusal> {
    let Some(pointer) = root_pointer() else {
        say!("no ACPI tables: PCI configuration by ports only");
        return Ok(Platform::default());
    };
    let map = boot::memory_map(MemoryType::LOADER_DATA).map_err(|error| Refusal::Memory(error.status()))?;
    let platform = read_platform(&FirmwareMemory(map), pointer)?;
    if let Some(window) = platform.config_window {
        say!(
            "PCI configuration window at {:#x}, buses 0 to {}",
            window.base,
            window.last_bus
        );
    }
    Ok(platform)
}

/// The root pointer, that of ACPI 2.0 and later where there are both.
fn root_pointer() -> Option<TableAddress> {
    system::with_config_table(|entries| {
        let of = |guid| entries.iter().find(|entry| entry.guid == guid);
        let entry = of(ConfigTableEntry::ACPI2_GUID).or_else(|| of(ConfigTableEntry::ACPI_GUID))?;
        u64::try_from(entry.address.addr()).ok().map(TableAddress)
    })
}

/// The memory of the firmware's map, which the firmware maps at its physical addresses.
struct FirmwareMemory(MemoryMapOwned);

impl FirmwareMemory {
    /// Whether all of `length` bytes from `start` on are memory that holds something.
    fn holds(&self, start: u64, length: usize) -> bool {
        let end = u64::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length));
        let mut covered = start;
        // Tables may lie across adjacent entries; each round reaches the end of another one.
        for _ in self.0.entries() {
            match (end, self.0.entries().find_map(|block| end_around(block, covered))) {
                (Some(end), Some(reached)) if reached >= end => return true,
                (Some(_), Some(reached)) => covered = reached,
                _ => return false,
            }
        }
        false
    }
}

/// Where `block` ends, if it is memory that `address` lies in.
fn end_around(block: &MemoryDescriptor, address: u64) -> Option<u64> {
    let end = block
        .page_count
        .checked_mul(PAGE)?
        .checked_add(block.phys_start)?;
    let is_memory = !matches!(
        block.ty,
        MemoryType::MMIO | MemoryType::MMIO_PORT_SPACE | MemoryType::UNUSABLE | MemoryType::UNACCEPTED
    );
    (is_memory && (block.phys_start..end).contains(&address)).then_some(end)
}

impl TableMemory for FirmwareMemory {
    #[expect(unsafe_code, reason = "tables are given by their physical address")]
    fn copy(&self, address: TableAddress, into: &mut [u8]) -> Result<(), Unreadable> {
        if !self.holds(address.0, into.len()) {
            return Err(Unreadable);
        }
        let start = usize::try_from(address.0).map_err(|_| Unreadable)?;
        let source = core::ptr::with_exposed_provenance::<u8>(start);
        // SAFETY: the firmware's map has these bytes as memory, and boot services run with all memory of the map
        // mapped at its physical address (UEFI 2.10, 2.3.4). `into` is our own and the copy is done bytewise.
        unsafe { core::ptr::copy(source, into.as_mut_ptr(), into.len()) };
        Ok(())
    }
}
