//! One CPU of the machine: its guest, its stack, its tables, and what others may ask of it.

use crate::apic::LocalApic;
use crate::descriptors::Descriptors;
use crate::exit::nmi::NonMaskable;
use crate::machine::Machine;
use crate::memory::RamWord;
use crate::svm::{HostState, Vcpu};
use core::arch::{asm, naked_asm};
use core::ptr::with_exposed_provenance;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use sekisho_mediator::cpu::interrupt_command::{ApicMode, CpuView};
use sekisho_mediator::cpu::mtrr::MemoryTypes;
use sekisho_mediator::cpu::recall::Recall;
use x86_64::registers::model_specific::GsBase;

/// What belongs to one CPU alone. Found through GS in the host.
#[repr(C, align(4096))]
pub(crate) struct Cpu {
    pub(crate) vcpu: Vcpu,
    /// End of the host stack.
    pub(crate) stack_top: u64,
    /// Set by the machine-check handler.
    pub(crate) machine_check_seen: AtomicU8,
    /// Where the guest's NMIs stand.
    pub(crate) non_maskable: NonMaskable,
    /// The host's descriptor tables.
    pub(crate) descriptors: Descriptors,
    /// This CPU's interrupt controller.
    pub(crate) apic: LocalApic,
    /// The stores to the local APIC that this CPU has met.
    pub(crate) recall: Recall<RamWord>,
    /// The memory type registers, as they are.
    pub(crate) memory_types: MemoryTypes,
    /// IA32_TSC_ADJUST as the guest sees it.
    pub(crate) tsc_adjust: u64,
    /// What every CPU's host runs with.
    pub(crate) host: HostState,
    /// Physical address of the page in which VMRUN keeps the host's state.
    pub(crate) save_area: u64,
    /// Number in the machine's list.
    pub(crate) index: usize,
    /// This CPU's entry in the machine's list.
    pub(crate) peer: &'static Peer,
    /// The machine it belongs to.
    pub(crate) machine: &'static Machine,
}

impl Cpu {
    /// The CPU this runs on, for its last words. Only behind [`crate::descriptors::load`], which points GS at it.
    pub(crate) fn current() -> Option<&'static Self> {
        let address = usize::try_from(GsBase::read().as_u64()).ok()?;
        // SAFETY: the host's GS base is a `Cpu` placed for ever. Only code that never returns to the exit handler, which
        // holds the CPU mutably, calls this, and it reads what never changes.
        unsafe { with_exposed_provenance::<Self>(address).as_ref() }
    }
}

/// What other CPUs may see and ask of one.
pub(crate) struct Peer {
    apic_id: AtomicU32,
    /// See [`Request`].
    pub(crate) request: Request,
    logical_destination: AtomicU32,
    destination_format: AtomicU32,
    mode: AtomicU32,
    /// Events counted on this CPU, by [`crate::counters::Counter`]; written by it alone.
    pub(crate) counters: [AtomicU64; crate::counters::COUNT],
}

/// [`Peer::mode`]: not entered yet.
const MODE_OUTSIDE: u32 = 0;
const MODE_DISABLED: u32 = 1;
const MODE_XAPIC: u32 = 2;
const MODE_X2APIC: u32 = 3;

impl Peer {
    /// A CPU that has not been entered.
    pub(crate) const fn new() -> Self {
        Self {
            apic_id: AtomicU32::new(u32::MAX),
            request: Request::new(),
            logical_destination: AtomicU32::new(0),
            destination_format: AtomicU32::new(u32::MAX),
            mode: AtomicU32::new(MODE_OUTSIDE),
            counters: [const { AtomicU64::new(0) }; crate::counters::COUNT],
        }
    }

    /// Notes how the CPU's interrupt controller is set, in the mode that its kind of access means.
    pub(crate) fn note(&self, apic: LocalApic) {
        let mode = match apic {
            LocalApic::Page(_) => ApicMode::XApic,
            LocalApic::Registers => ApicMode::X2Apic,
            LocalApic::Disabled => ApicMode::Disabled,
        };
        self.note_mode(apic, mode);
    }

    /// Notes how the CPU's interrupt controller is set.
    pub(crate) fn note_mode(&self, apic: LocalApic, mode: ApicMode) {
        self.apic_id.store(apic.id(), Ordering::Relaxed);
        self.logical_destination
            .store(apic.logical_destination(), Ordering::Relaxed);
        self.destination_format
            .store(apic.destination_format(), Ordering::Relaxed);
        let mode = match mode {
            ApicMode::Disabled => MODE_DISABLED,
            ApicMode::XApic => MODE_XAPIC,
            ApicMode::X2Apic => MODE_X2APIC,
        };
        self.mode.store(mode, Ordering::Release);
    }

    /// Notes a write to the logical destination register.
    pub(crate) fn note_logical_destination(&self, value: u32) {
        self.logical_destination.store(value, Ordering::Relaxed);
    }

    /// Notes a write to the destination format register.
    pub(crate) fn note_destination_format(&self, value: u32) {
        self.destination_format.store(value, Ordering::Relaxed);
    }

    /// APIC ID, once it is inside.
    pub(crate) fn apic_id(&self) -> Option<u32> {
        (self.mode.load(Ordering::Acquire) != MODE_OUTSIDE).then(|| self.apic_id.load(Ordering::Relaxed))
    }

    /// What decides whether an interrupt command means this CPU.
    pub(crate) fn view(&self) -> CpuView {
        let mode = match self.mode.load(Ordering::Acquire) {
            MODE_XAPIC => ApicMode::XApic,
            MODE_X2APIC => ApicMode::X2Apic,
            _ => ApicMode::Disabled,
        };
        CpuView {
            apic_id: self.apic_id.load(Ordering::Relaxed),
            logical_destination: self.logical_destination.load(Ordering::Relaxed),
            destination_format: self.destination_format.load(Ordering::Relaxed),
            mode,
        }
    }
}

/// INIT and startup IPIs on their way to a CPU: one word, so that sender and receiver need no lock.
///
/// Running -> INIT -> parked -> start -> running. A startup IPI counts only behind an INIT, and an INIT cancels it.
pub(crate) struct Request {
    state: AtomicU32,
    /// Senders between their request and the end of their NMI for it.
    calling: AtomicU32,
    /// The guest has sent this CPU an NMI.
    non_maskable: AtomicBool,
}

const RUNNING: u32 = 0;
const PARKED: u32 = 1 << 8;
const INIT: u32 = 1 << 9;
const START: u32 = 1 << 10;

/// What [`Request::take`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// INIT: park.
    Park,
    /// Parked, and to start at this vector.
    Start(u8),
}

impl Request {
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(RUNNING),
            calling: AtomicU32::new(0),
            non_maskable: AtomicBool::new(false),
        }
    }

    /// An INIT arrives; `wake` sends the CPU an NMI.
    pub(crate) fn init(&self, wake: impl FnOnce()) {
        self.call(|| {
            self.state.store(INIT, Ordering::Release);
            wake();
        });
    }

    /// A startup IPI arrives; `wake` sends the CPU an NMI, if it counts.
    pub(crate) fn start(&self, vector: u8, wake: impl FnOnce()) {
        let next = |state: u32| {
            let waits = state & (INIT | PARKED) != 0 && state & START == 0;
            waits.then_some(state | START | u32::from(vector))
        };
        self.call(|| {
            if self
                .state
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, next)
                .is_ok()
            {
                wake();
            }
        });
    }

    /// The guest's NMI arrives; `wake` sends the CPU one.
    pub(crate) fn non_maskable(&self, wake: impl FnOnce()) {
        self.call(|| {
            self.non_maskable.store(true, Ordering::Release);
            wake();
        });
    }

    /// Whether the guest has sent this CPU an NMI since the last look; several are one, as in a CPU.
    pub(crate) fn take_non_maskable(&self) -> bool {
        self.non_maskable.swap(false, Ordering::AcqRel)
    }

    fn call(&self, request: impl FnOnce()) {
        self.calling.fetch_add(1, Ordering::AcqRel);
        request();
        self.calling.fetch_sub(1, Ordering::AcqRel);
    }

    /// What is asked of this CPU now, each request once.
    pub(crate) fn take(&self) -> Asked {
        let next = |state: u32| {
            if state & INIT != 0 {
                return Some(state & !INIT | PARKED);
            }
            (state & START != 0).then_some(RUNNING)
        };
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
            Ok(before) if before & INIT != 0 => Asked::Park,
            Ok(before) => Asked::Start(before as u8),
            Err(_) => Asked::Nothing,
        }
    }

    /// Waits until every NMI sent for a request has been delivered, so that none is left for the guest. Senders are
    /// in the hypervisor, a few instructions from the end of their call.
    pub(crate) fn settle(&self) {
        while self.calling.load(Ordering::Acquire) != 0 {
            core::hint::spin_loop();
        }
    }
}

/// Sleeps until the next NMI. With GIF off at the call, none is lost: one that is pending when GIF comes on is taken
/// before the HLT, and `faults::non_maskable_interrupt` knows that address and steps over it.
pub(crate) fn wait_for_nmi() {
    // SAFETY: interrupts are masked, so only NMI, machine check and INIT can come, all of which are handled.
    unsafe { asm!("call {}", sym wait, clobber_abi("sysv64")) };
}

#[unsafe(naked)]
extern "sysv64" fn wait() {
    naked_asm!(
        "stgi",
        ".global sekisho_waiting_halt",
        "sekisho_waiting_halt:",
        "hlt",
        "clgi",
        "ret"
    )
}

/// The end of this CPU: nothing wakes it but a reset.
pub(crate) fn halt_for_ever() -> ! {
    loop {
        // SAFETY: GIF off: not even an NMI is taken.
        unsafe { asm!("clgi", "cli", "hlt", options(nomem, nostack)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the startup IPI woke the CPU.
    fn starts(request: &Request, vector: u8) -> bool {
        let mut woken = false;
        request.start(vector, || woken = true);
        woken
    }

    #[test]
    fn a_startup_counts_only_behind_an_init() {
        let request = Request::new();
        assert!(!starts(&request, 8));
        assert_eq!(request.take(), Asked::Nothing);
        request.init(|| ());
        assert_eq!(request.take(), Asked::Park);
        assert_eq!(request.take(), Asked::Nothing);
        assert!(starts(&request, 8));
        assert!(!starts(&request, 9));
        assert_eq!(request.take(), Asked::Start(8));
        assert!(!starts(&request, 9));
    }

    #[test]
    fn a_startup_right_behind_an_init_is_not_lost() {
        let request = Request::new();
        request.init(|| ());
        assert!(starts(&request, 0x9a));
        assert_eq!(request.take(), Asked::Park);
        assert_eq!(request.take(), Asked::Start(0x9a));
    }

    #[test]
    fn an_init_cancels_a_startup_that_waits() {
        let request = Request::new();
        request.init(|| ());
        assert_eq!(request.take(), Asked::Park);
        assert!(starts(&request, 1));
        request.init(|| ());
        assert_eq!(request.take(), Asked::Park);
        assert_eq!(request.take(), Asked::Nothing);
        assert!(starts(&request, 2));
        assert_eq!(request.take(), Asked::Start(2));
    }
}
