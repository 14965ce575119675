//! Taking the machine from the firmware.

use crate::tables;
use uefi::boot::{self, AllocateType, MemoryType};
use uefi::mem::memory_map::{MemoryMap, MemoryMapOwned};

/// Size and alignment of the hypervisor's region, as DESIGN.md and the loader have it.
const REGION_SIZE: u64 = 16 << 20;
const REGION_ALIGNMENT: u64 = 2 << 20;
const PAGE: u64 = 4096;

/// The machine, with the firmware's services gone and interrupts off.
pub struct Machine {
    map: MemoryMapOwned,
    /// A page below 1 MiB that belongs to this program.
    pub low_page: u64,
}

/// Leaves the firmware. Called once.
///
/// # Panics
/// If the firmware has no page below 1 MiB.
#[must_use]
pub fn take() -> Machine {
    let low = boot::allocate_pages(AllocateType::MaxAddress(0x9_f000), MemoryType::LOADER_DATA, 1)
        .expect("a page below 1 MiB");
    // SAFETY: no service of the firmware and nothing it allocated is used afterwards.
    let map = unsafe { boot::exit_boot_services(None) };
    x86_64::instructions::interrupts::disable();
    tables::load();
    Machine {
        map,
        low_page: low.as_ptr() as u64,
    }
}

impl Machine {
    /// The region that looks like the hypervisor's: reserved, of its size and alignment.
    #[must_use]
    pub fn region(&self) -> Option<u64> {
        self.map
            .entries()
            .filter(|entry| entry.ty == MemoryType::RESERVED && entry.page_count * PAGE == REGION_SIZE)
            .map(|entry| entry.phys_start)
            .find(|start| start % REGION_ALIGNMENT == 0)
    }
}

/// The twelve bytes of CPUID leaf 0x4000_0000.
#[must_use]
pub fn hypervisor_signature() -> [u8; 12] {
    let leaf = core::arch::x86_64::__cpuid(0x4000_0000);
    let mut bytes = [0; 12];
    for (place, register) in bytes.chunks_exact_mut(4).zip([leaf.ebx, leaf.ecx, leaf.edx]) {
        place.copy_from_slice(&register.to_le_bytes());
    }
    bytes
}
