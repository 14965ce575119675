//! Going below a running CPU: its state becomes the guest's, and the hypervisor takes its place.

use crate::apic::LocalApic;
use crate::cpu::Cpu;
use crate::descriptors::Descriptors;
use crate::exit::nmi::NonMaskable;
use crate::machine::Machine;
use crate::paging::{Mapping, Tables};
use crate::region::{Exhausted, PAGE, Region};
use crate::svm::{self, Features, HostState, Vcpu, capture};
use crate::msr_access;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use sekisho_abi::boot::Status;
use sekisho_mediator::cpu::mtrr;
use sekisho_mediator::log::Event;
use x86_64::registers::model_specific::Msr;

/// Pages of a CPU's host stack.
const STACK_PAGES: u64 = 8;
const APIC_BASE: u32 = 0x1b;
/// APIC_BASE.BSC: the CPU that starts at power-on.
const BOOT_CPU: u64 = 1 << 8;
const MTRR_CAPABILITY: u32 = 0xfe;

/// The built hypervisor, waiting for the CPUs.
pub struct Hypervisor {
    machine: &'static Machine,
    slots: Slots,
}

/// A place for each CPU. The boot CPU's is the first, and it is entered last.
pub(crate) struct Slots {
    cpus: Box<[AtomicPtr<Cpu>]>,
    next: AtomicUsize,
}

impl Slots {
    /// Everything a CPU needs of its own, for every CPU.
    pub(crate) fn new(
        region: &mut Region,
        tables: &mut Tables,
        machine: &'static Machine,
        features: Features,
        host: HostState,
    ) -> Result<Self, Exhausted> {
        let mut cpus = Vec::with_capacity(machine.peers.len());
        for (index, peer) in machine.peers.iter().enumerate() {
            let guard = region.guard()?;
            tables.map(region, guard, PAGE, Mapping::Absent)?;
            let stack = region.pages(STACK_PAGES)?;
            let vcpu = Vcpu::new(region.pages(1)?.cast().as_ptr(), region.pages(1)?.cast().as_ptr(), features);
            let cpu = Cpu {
                vcpu,
                stack_top: stack.as_ptr().addr() as u64 + STACK_PAGES * PAGE,
                nmi_seen: AtomicU8::new(0),
                machine_check_seen: AtomicU8::new(0),
                non_maskable: NonMaskable::default(),
                descriptors: Descriptors::new(region)?,
                apic: LocalApic::Registers,
                memory_types: memory_types(machine, features),
                tsc_adjust: 0,
                host,
                save_area: region.pages(1)?.as_ptr().addr() as u64,
                index,
                peer,
                machine,
            };
            cpus.push(AtomicPtr::new(region.place(cpu)?));
        }
        Ok(Self { cpus: cpus.into(), next: AtomicUsize::new(1) })
    }

    /// The place for the CPU this runs on, once.
    fn take(&self, is_boot_cpu: bool) -> Option<*mut Cpu> {
        let number = if is_boot_cpu { 0 } else { self.next.fetch_add(1, Ordering::Relaxed) };
        let cpu = self.cpus.get(number)?.swap(ptr::null_mut(), Ordering::AcqRel);
        (!cpu.is_null()).then_some(cpu)
    }
}

impl Hypervisor {
    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &'static Machine {
        self.machine
    }

    pub(crate) fn new(machine: &'static Machine, slots: Slots) -> Self {
        Self { machine, slots }
    }

    /// Makes the CPU this runs on a guest: the call returns to its caller, but in the guest.
    ///
    /// # Errors
    /// The [`Status`] if this CPU cannot be entered; it is then as before.
    ///
    /// # Safety
    /// Called with the firmware's identity mapping, once on each CPU, on a stack that outlives the call.
    pub unsafe fn enter(&'static self) -> Result<(), Status> {
        svm::check()?;
        // SAFETY: every CPU with SVM has APIC_BASE.
        let is_boot_cpu = unsafe { Msr::new(APIC_BASE).read() } & BOOT_CPU != 0;
        let cpu = self.slots.take(is_boot_cpu).ok_or(Status::OutOfOrder)?;
        // SAFETY: taken from its slot, so it is this CPU's alone; `begin` never returns, and the guest goes on behind this call with RAX = 0, which is
        // what the call returns.
        unsafe { svm::leave_to(cpu, begin) };
        Ok(())
    }
}

/// The rest of entering, on the host stack: captures the guest, becomes the host, runs the guest.
///
/// # Safety
/// `cpu` is this CPU's own; called by [`svm::leave_to`].
unsafe extern "sysv64" fn begin(cpu: *mut Cpu) -> ! {
    {
        // SAFETY: the caller hands over this CPU's own; the reference ends with the block, before `run` takes it.
        let own = unsafe { &mut *cpu };
        // SAFETY: on the host stack, interrupts masked, firmware tables loaded; `enter` checked the CPU.
        unsafe { capture(own) };
        own.apic = LocalApic::current();
        own.memory_types = memory_types(own.machine, own.vcpu.features());
        own.peer.note(own.apic);
        own.machine.tell(
            Event::CPU_ENTERED,
            format_args!("CPU {} inside, APIC ID {}", own.index, own.apic.id()),
        );
    }
    // SAFETY: fully set up, GIF off, on the host stack.
    unsafe { svm::run(cpu) }
}

/// This CPU's memory type registers.
fn memory_types(machine: &Machine, features: Features) -> mtrr::MemoryTypes {
    let region = mtrr::Region { start: machine.region.start, size: machine.region.length() };
    let read = msr_access::read_known;
    mtrr::MemoryTypes::capture(region, read(MTRR_CAPABILITY), features.physical_bits as u8, read)
}
