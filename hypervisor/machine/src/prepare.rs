//! Building the hypervisor, on the boot CPU, while the firmware still runs on the bare machine.
//!
//! Nothing of the running firmware is changed but what the policy takes from it: hidden functions are stopped.

use crate::address::PhysRange;
use crate::clock::Clock;
use crate::cpu::Peer;
use crate::device::{self, Absent, Attached, Devices, NotAttached, Trap};
use crate::enter::{Hypervisor, Slots};
use crate::machine::{Journal, Machine};
use crate::memory::{GuestRam, MESSAGES};
use crate::pci::{Hardware, Pci};
use crate::random;
use crate::region::{Exhausted, Region};
use crate::serial::SerialPort;
use crate::svm::{self, Features, HostState, Permissions, Watched};
use crate::timer::Timer;
use crate::{apic, space};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::sync::atomic::AtomicBool;
use sekisho_abi::boot::{HANDOVER_MAGIC, Handover, HypervisorLayout, PAGE, REGION_SIZE, Status};
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::selection::Driver;
use sekisho_keys::secrets::Secrets;
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::cpu::interrupt_command::MAX_CPUS;
use sekisho_mediator::cpu::msr;
use sekisho_mediator::log::{Event, Log};
use sekisho_mediator::pci::ports::{CONFIG_ADDRESS, CONFIG_DATA, ConfigPorts};
use sekisho_mediator::pci::{Mediator, MemoryRange, discover};
use spin::Mutex;

/// Bytes of heap: parsed policy, device table, decoder tables, log. Nothing is taken from it later.
const HEAP: u64 = 5 << 20;
/// Lines that the log keeps.
const LOG_LINES: usize = 512;
/// Bytes of a bus in the configuration window.
const BUS_WINDOW: u64 = 1 << 20;

impl From<Exhausted> for Status {
    fn from(_: Exhausted) -> Self {
        Self::OutOfMemory
    }
}

/// Builds everything. `heap` is given the memory for the global allocator, once, before anything is allocated.
///
/// # Errors
/// The [`Status`] for the loader; the machine is then as before.
///
/// # Safety
/// `handover` is the loader's, its region is reserved and mapped at its physical address, and this runs on the
/// boot CPU with the firmware's identity mapping.
pub unsafe fn prepare(handover: &Handover, heap: impl FnOnce(*mut u8, usize)) -> Result<Hypervisor, Status> {
    let features = svm::check()?;
    if handover.magic != HANDOVER_MAGIC {
        return Err(Status::WrongHandover);
    }
    let cpus = usize::try_from(handover.cpu_count).map_err(|_| Status::TooMany)?;
    if cpus == 0 || cpus > MAX_CPUS {
        return Err(Status::TooMany);
    }
    let whole = PhysRange::new(handover.region, REGION_SIZE).ok_or(Status::WrongHandover)?;
    // SAFETY: the caller vouches for the section bytes.
    let layout = unsafe { bytes(handover.layout) };
    let image = image_size(layout).ok_or(Status::BadLayout)?;
    // SAFETY: the caller reserved the region; the image ends where the layout says.
    let mut region = unsafe { Region::new(whole, whole.start + image) };
    heap(region.pages(HEAP / u64::from(PAGE))?.as_ptr(), HEAP as usize);
    let layout: HypervisorLayout = postcard::from_bytes(layout).map_err(|_| Status::BadLayout)?;
    check_layout(&layout)?;
    // SAFETY: as for the layout.
    let policy = CompiledPolicy::from_bytes(unsafe { bytes(handover.policy) });
    let policy: &'static CompiledPolicy = Box::leak(Box::new(policy.map_err(|_| Status::BadPolicy)?));
    build(handover, region, &layout, policy, features, cpus)
}

/// The parts, from the bottom up.
fn build(
    handover: &Handover,
    mut region: Region,
    layout: &HypervisorLayout,
    policy: &'static CompiledPolicy,
    features: Features,
    cpus: usize,
) -> Result<Hypervisor, Status> {
    let apic_page = apic::page_address();
    let limit = space::window_limit(features.physical_bits);
    let window = config_window(handover, region.whole(), limit)?;
    let mut pci = take_devices(policy, region.whole(), window)?;
    let traps = device_traps(&pci);
    let timer = timer(handover, &pci, region.whole(), limit);
    let absent = traps.iter().filter_map(Trap::pages).chain(window);
    let timer_page = timer.iter().map(Timer::page);
    let ram: &'static GuestRam = Box::leak(Box::new(GuestRam::new(
        region.whole(),
        absent.clone().chain(timer_page.clone()),
        limit,
    )));
    let clock: &'static Clock = Box::leak(Box::new(Clock::new(handover.tsc_hertz)));
    let nested = space::nested(&mut region, features.physical_bits, apic_page, timer_page, absent)?;
    let ports = [(CONFIG_ADDRESS, CONFIG_DATA + 3)].into_iter();
    let ports = ports.chain(traps.iter().filter_map(Trap::ports));
    let permissions = Permissions::new(&mut region, ports, watched_registers())?;
    let mut tables = space::host(&mut region, layout, ram)?;
    let Attached {
        devices,
        lost,
        absent,
    } = attach_devices(handover, policy, &pci, &traps, &mut region, ram, clock)?;
    for lost in &lost {
        let mut hardware = Hardware::Ports;
        pci.mediator.conceal(&mut hardware, lost.device);
    }
    let peers: &'static [Peer] = Box::leak((0..cpus).map(|_| Peer::new()).collect::<Vec<_>>().into());
    let machine = Machine {
        region: region.whole(),
        clock,
        ram,
        apic_page,
        window,
        peers,
        features: crate::features::guest(),
        guest_status: policy.guest_status,
        reset: reset_register(handover),
        pci: Mutex::new(pci),
        devices: Devices::new(devices, traps),
        timer,
        memory_types: Mutex::new(()),
        journal: Mutex::new(Journal {
            log: Log::new(LOG_LINES),
            serial: SerialPort::new(policy.serial),
        }),
        stop: AtomicBool::new(false),
    };
    let machine: &'static Machine = Box::leak(Box::new(machine));
    let host = HostState {
        page_tables: tables.root(),
        nested_tables: nested.root(),
        permissions,
    };
    let slots = Slots::new(&mut region, &mut tables, machine, features, host)?;
    warm_up();
    tell(machine, policy, &region, &lost, &absent);
    Ok(Hypervisor::new(machine, slots))
}

/// Finds every PCI function, decides its fate, and stops those that the guest will not have.
fn take_devices(
    policy: &'static CompiledPolicy,
    region: PhysRange,
    window: Option<PhysRange>,
) -> Result<Pci, Status> {
    // The uncached window is not mapped yet, so the ports serve until the first CPU is inside.
    let mut hardware = Hardware::Ports;
    let functions = discover(&mut hardware, u8::MAX).map_err(|_| Status::TooMany)?;
    let protected: Vec<MemoryRange> = [Some(region), window]
        .into_iter()
        .flatten()
        .filter_map(|range| MemoryRange::new(range.start, range.length()))
        .collect();
    let mut mediator =
        Mediator::new(functions, &policy.selection, &protected).map_err(|_| Status::NoSuchDriver)?;
    mediator.take_over(&mut hardware);
    if let Some(window) = window {
        let last_bus = (window.length() / BUS_WINDOW).saturating_sub(1).min(255);
        hardware = Hardware::Window(crate::address::HostPhys(window.start), last_bus as u8);
    }
    Ok(Pci {
        mediator,
        hardware,
        ports: ConfigPorts::default(),
    })
}

/// Gives every mediated device its mediator; what is not on its disks is for the log. What stands in the way goes to the
/// loader as a sentence.
fn attach_devices(
    handover: &Handover,
    policy: &CompiledPolicy,
    pci: &Pci,
    traps: &[Trap],
    region: &mut Region,
    ram: &'static GuestRam,
    clock: &'static Clock,
) -> Result<Attached, Status> {
    let secrets = if handover.secrets[1] == 0 {
        Secrets::default()
    } else {
        // SAFETY: `prepare`'s caller vouches for the bytes that the handover names.
        Secrets::from_bytes(unsafe { bytes(handover.secrets) }).map_err(|_| Status::BadPolicy)?
    };
    let mut surroundings = device::Surroundings {
        boot: u128::from(random::seed()) << 64 | u128::from(random::seed()),
        policy,
        secrets: &secrets,
        ram,
        clock,
        wall_clock: wall_clock(handover, clock),
        // SAFETY: as for the secrets.
        random: unsafe { bytes(handover.random) },
        absent: Vec::new(),
    };
    device::attach(pci, traps, region, &mut surroundings).map_err(|refusal| {
        // SAFETY: as above; the loader waits for the answer before it looks.
        report(unsafe { bytes_mut(handover.report) }, &refusal);
        Status::Disk
    })
}

/// The time of day that the loader was told.
fn wall_clock(handover: &Handover, clock: &Clock) -> Option<WallClock> {
    let [since_1970, counter] = handover.time_of_day;
    (since_1970 != 0).then(|| WallClock {
        at: clock.at(counter),
        since_1970,
    })
}

/// Leaves a sentence for the loader, as far as it fits.
fn report(buffer: &mut [u8], refusal: &NotAttached) {
    let mut rest = Rest(buffer);
    // What does not fit is cut off.
    let _ = write!(rest, "{refusal}");
}

/// What is left of a buffer for text.
struct Rest<'a>(&'a mut [u8]);

impl Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let mut bytes = [0; 4];
            let encoded = character.encode_utf8(&mut bytes).as_bytes();
            let place = self.0.split_off_mut(..encoded.len()).ok_or(fmt::Error)?;
            place.copy_from_slice(encoded);
        }
        Ok(())
    }
}

/// Where the guest's accesses to the mediated devices are trapped.
fn device_traps(pci: &Pci) -> Vec<Trap> {
    let mediated = pci.mediator.mediated().enumerate();
    mediated
        .flat_map(|(number, (function, taken))| device::traps(function, taken, number))
        .collect()
}

/// The timer that wakes a CPU, where a device needs one. What overlaps our memory, or lies where we cannot look, is none.
fn timer(handover: &Handover, pci: &Pci, own: PhysRange, limit: u64) -> Option<Timer> {
    let needed = pci
        .mediator
        .mediated()
        .any(|(_, taken)| matches!(taken.driver, Driver::Pro100 | Driver::Pro1000));
    let page = PhysRange::new(handover.timers, PAGE.into()).filter(|page| page.start != 0)?;
    let apart = !own.touches(page.start, page.length()) && !MESSAGES.touches(page.start, page.length());
    if !needed || !apart || page.end > limit {
        return None;
    }
    // SAFETY: the firmware's tables say that the event timers are there; nothing waits for them before the first guest.
    unsafe { Timer::take(page.start) }
}

/// The MSRs that exit, from the mediator's list.
fn watched_registers() -> impl Iterator<Item = (u32, Watched)> {
    msr::OURS.iter().flat_map(|ours| {
        let watched = match ours.read {
            msr::Fate::Through => Watched::Writes,
            msr::Fate::Fault | msr::Fate::Decide => Watched::Both,
        };
        (ours.first..=ours.last).map(move |number| (number, watched))
    })
}

/// The configuration window, if there is one. One that overlaps what is the hypervisor's, or lies where it cannot
/// look, would be a hole.
fn config_window(handover: &Handover, own: PhysRange, limit: u64) -> Result<Option<PhysRange>, Status> {
    let start = handover.config_window;
    if start == 0 {
        return Ok(None);
    }
    let buses = handover.config_window_last_bus.min(255) + 1;
    let window = PhysRange::new(start, buses * BUS_WINDOW).ok_or(Status::BadConfigWindow)?;
    let overlaps = [own, MESSAGES]
        .iter()
        .any(|range| range.touches(start, window.length()));
    if overlaps || !start.is_multiple_of(BUS_WINDOW) || window.end > limit {
        return Err(Status::BadConfigWindow);
    }
    Ok(Some(window))
}

fn reset_register(handover: &Handover) -> Option<(u16, u8)> {
    let port = u16::try_from(handover.reset_port)
        .ok()
        .filter(|port| *port != 0)?;
    Some((port, u8::try_from(handover.reset_value).ok()?))
}

/// The bytes at a physical address and length that the loader gave.
///
/// # Safety
/// They are there, identity-mapped, and do not change while they are used.
unsafe fn bytes([address, length]: [u64; 2]) -> &'static [u8] {
    let start = with_exposed_provenance::<u8>(address as usize);
    // SAFETY: the caller vouches.
    unsafe { core::slice::from_raw_parts(start, length as usize) }
}

/// The same, to write to.
///
/// # Safety
/// As for [`bytes`], and nobody else uses them meanwhile.
unsafe fn bytes_mut([address, length]: [u64; 2]) -> &'static mut [u8] {
    let start = with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: the caller vouches.
    unsafe { core::slice::from_raw_parts_mut(start, length as usize) }
}

/// The image's size, read without allocating: entry and memory size are the first two fields.
fn image_size(layout: &[u8]) -> Option<u64> {
    let ((_entry, memory_size), _): ((u32, u32), _) = postcard::take_from_bytes(layout).ok()?;
    (u64::from(memory_size) < REGION_SIZE).then_some(u64::from(memory_size))
}

/// Segments are pages in ascending order within the image.
fn check_layout(layout: &HypervisorLayout) -> Result<(), Status> {
    let mut end = 0;
    for segment in &layout.segments {
        let next = segment
            .offset
            .checked_add(segment.memory_size)
            .ok_or(Status::BadLayout)?;
        if segment.offset < end || !segment.offset.is_multiple_of(PAGE) || next > layout.memory_size {
            return Err(Status::BadLayout);
        }
        end = next;
    }
    if layout.memory_size.is_multiple_of(PAGE) {
        Ok(())
    } else {
        Err(Status::BadLayout)
    }
}

/// Makes the decoder build its tables now: later there is no memory for them.
fn warm_up() {
    sekisho_mediator::cpu::emulate::warm_up();
}

fn tell(
    machine: &Machine,
    policy: &CompiledPolicy,
    region: &Region,
    lost: &[NotAttached],
    absent: &[Absent],
) {
    machine.tell(
        Event::STARTED,
        format_args!("version {} policy {}", env!("CARGO_PKG_VERSION"), policy.name),
    );
    let (used, whole) = (region.used() >> 10, region.whole().length() >> 10);
    machine.tell(
        Event::MEMORY,
        format_args!("{used} of {whole} KiB used, {} CPUs", machine.peers.len()),
    );
    for lost in lost {
        machine.tell(Event::NETWORK_CONCEALED, format_args!("{lost}; concealed"));
    }
    let pci = machine.pci.lock();
    for line in pci.mediator.listing(&policy.origins) {
        machine.tell(Event::PCI_FUNCTION, format_args!("{line}"));
    }
    for absent in absent {
        machine.tell(Event::CLEAR_ABSENT, format_args!("{absent}"));
    }
}
