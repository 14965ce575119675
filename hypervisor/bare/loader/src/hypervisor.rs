//! The hypervisor in memory: its region, its two calls.

use crate::clock;
use crate::console::say;
use crate::refuse::Refusal;
use crate::report::Report;
use sekisho_abi::boot::{
    Access, HANDOVER_MAGIC, Handover, HypervisorLayout, REGION_SIZE, Status as Answer, call,
};
use sekisho_crypto::secret::SecretBytes;
use sekisho_mediator::boot::acpi::Platform;
use sekisho_mediator::boot::image::Verified;
use sekisho_mediator::boot::place::place;
use sekisho_mediator::boot::region::choose;
use uefi::boot::{self, AllocateType, MemoryAttribute, MemoryType, PAGE_SIZE};
use uefi::mem::memory_map::MemoryMap;
use uefi::proto::security::MemoryProtection;
use uefi::{Error, Status};

/// What the hypervisor gets, and the loader wipes.
#[derive(Clone, Copy)]
pub(crate) struct Entrusted<'s> {
    pub(crate) secrets: Option<&'s SecretBytes>,
    pub(crate) random: Option<&'s SecretBytes>,
}

/// The entry point; see [`call`].
type Entry = extern "sysv64" fn(u64, *const Handover) -> u64;

/// The placed hypervisor. Once a CPU is inside, the region is gone for the loader: only `entry` is called then.
pub(crate) struct Hypervisor {
    region: u64,
    entry: Entry,
    report: Report,
}

impl Hypervisor {
    /// Reserves the region and places the image's hypervisor at its start.
    pub(crate) fn place(image: &Verified<'_>) -> Result<Self, Refusal> {
        let region = reserve()?;
        say!("{} KiB reserved at {region:#x}", REGION_SIZE / 1024);
        let memory = region_bytes(region)?;
        place(&image.layout, image.hypervisor, memory, region)?;
        allow_execution(region, &image.layout).map_err(|error| Refusal::Memory(error.status()))?;
        Ok(Self {
            region,
            entry: entry_point(region + u64::from(image.layout.entry))?,
            report: Report::new(),
        })
    }

    /// What the hypervisor is told. `image` and the handover stay where they are until the boot CPU has entered,
    /// `entrusted` until [`Self::prepare`] has returned.
    pub(crate) fn handover(
        &self,
        image: &Verified<'_>,
        platform: Platform,
        cpu_count: u64,
        entrusted: Entrusted<'_>,
    ) -> Handover {
        let window = platform.config_window;
        let reset = platform.reset;
        Handover {
            magic: HANDOVER_MAGIC,
            region: self.region,
            layout: place_of(image.layout_bytes),
            policy: place_of(image.policy_bytes),
            config_window: window.map_or(0, |window| window.base),
            config_window_last_bus: window.map_or(0, |window| window.last_bus.into()),
            reset_port: reset.map_or(0, |reset| reset.port.into()),
            reset_value: reset.map_or(0, |reset| reset.value.into()),
            timers: platform.timers.unwrap_or(0),
            cpu_count,
            secrets: entrusted
                .secrets
                .map_or([0, 0], |secrets| place_of(secrets.expose())),
            random: entrusted.random.map_or([0, 0], |bytes| place_of(bytes.expose())),
            report: self.report.place(),
            tsc_hertz: clock::measure(),
            time_of_day: clock::time_of_day(),
        }
    }

    /// Lets the hypervisor check this machine and build everything.
    pub(crate) fn prepare(&self, handover: &Handover) -> Result<(), Refusal> {
        match answer((self.entry)(call::PREPARE, handover))? {
            Ok(()) => Ok(()),
            Err(Answer::Disk) => Err(Refusal::Disk(self.report.sentence())),
            Err(failure) => Err(Refusal::Answer(failure)),
        }
    }

    /// Enters the calling CPU; returns on it as guest. The raw answer, since not every CPU can print.
    pub(crate) fn enter(&self, handover: &Handover) -> u64 {
        (self.entry)(call::ENTER, handover)
    }
}

/// The meaning of a raw answer: unknown, a failure, or done.
pub(crate) fn answer(raw: u64) -> Result<Result<(), Answer>, Refusal> {
    match Answer::from_raw(raw) {
        Some(Answer::Done) => Ok(Ok(())),
        Some(failure) => Ok(Err(failure)),
        None => Err(Refusal::UnknownAnswer(raw)),
    }
}

/// Takes the region out of the firmware's free memory, for ever: reserved memory stays so in the system's map.
fn reserve() -> Result<u64, Refusal> {
    let memory = |error: Error| Refusal::Memory(error.status());
    let map = boot::memory_map(MemoryType::LOADER_DATA).map_err(memory)?;
    let page = u64::try_from(PAGE_SIZE).map_err(|_| Refusal::NoMemory)?;
    let free = map
        .entries()
        .filter(|block| block.ty == MemoryType::CONVENTIONAL)
        .map(|block| {
            block.phys_start
                ..block
                    .phys_start
                    .saturating_add(block.page_count.saturating_mul(page))
        });
    let region = choose(free).ok_or(Refusal::NoMemory)?;
    let pages = usize::try_from(REGION_SIZE / page).map_err(|_| Refusal::NoMemory)?;
    boot::allocate_pages(AllocateType::Address(region), MemoryType::RESERVED, pages).map_err(memory)?;
    Ok(region)
}

/// The region as bytes; call it once, right after [`reserve`].
#[expect(unsafe_code, reason = "the firmware gives memory as an address")]
fn region_bytes(region: u64) -> Result<&'static mut [u8], Refusal> {
    let start = usize::try_from(region).map_err(|_| Refusal::NoMemory)?;
    let length = usize::try_from(REGION_SIZE).map_err(|_| Refusal::NoMemory)?;
    let start = core::ptr::with_exposed_provenance_mut::<u8>(start);
    // SAFETY: `reserve` has just taken these bytes for us alone, and the firmware maps them at their physical
    // address. Any bytes are valid `u8`s.
    unsafe { start.write_bytes(0, length) };
    // SAFETY: as above, initialised by the line above; the only reference, since this is called once.
    Ok(unsafe { core::slice::from_raw_parts_mut(start, length) })
}

/// Lets the code segments be executed where the firmware forbids that for data by default.
///
/// Firmware without this protocol does not forbid it, or offers no way to ask. Everything else may as well stay
/// forbidden: the hypervisor runs on page tables of its own behind its entry.
fn allow_execution(region: u64, layout: &HypervisorLayout) -> uefi::Result {
    let Ok(handle) = boot::get_handle_for_protocol::<MemoryProtection>() else {
        return Ok(());
    };
    let protection = crate::protocol::shared::<MemoryProtection>(handle)?;
    for segment in layout
        .segments
        .iter()
        .filter(|segment| segment.access == Access::Execute)
    {
        let start = region + u64::from(segment.offset);
        let length = u64::from(segment.memory_size).next_multiple_of(sekisho_abi::boot::PAGE.into());
        protection.clear_memory_attributes(start..start + length, MemoryAttribute::EXECUTE_PROTECT)?;
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the hypervisor is another program, known by an address"
)]
fn entry_point(address: u64) -> Result<Entry, Refusal> {
    let address = usize::try_from(address).map_err(|_| Refusal::Memory(Status::UNSUPPORTED))?;
    let code = core::ptr::with_exposed_provenance::<()>(address);
    // SAFETY: not null, and `place` found it in the code that the verified image calls the hypervisor's; that
    // this code is a function of type `Entry` is what `sekisho_abi::boot::call` promises.
    Ok(unsafe { core::mem::transmute::<*const (), Entry>(code) })
}

/// Address and length of bytes that the hypervisor will read.
fn place_of(bytes: &[u8]) -> [u64; 2] {
    [bytes.as_ptr().expose_provenance() as u64, bytes.len() as u64]
}
