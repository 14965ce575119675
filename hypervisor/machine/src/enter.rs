//! Going below a running CPU: its state becomes the guest's, and the hypervisor takes its place.

use crate::apic::LocalApic;
use crate::cpu::Cpu;
use crate::descriptors::Descriptors;
use crate::exit::nmi::NonMaskable;
use crate::exit::startup::BOOT_CPU;
use crate::machine::Machine;
use crate::msr_access;
use crate::paging::{Mapping, Tables};
use crate::region::{Exhausted, PAGE, Region};
use crate::svm::{self, Features, HostState, Vcpu, capture};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use sekisho_abi::boot::Status;
use sekisho_mediator::cpu::mtrr;
use sekisho_mediator::cpu::recall::Recall;
use sekisho_mediator::cpu::registers::Registers;
use sekisho_mediator::log::Event;

/// Pages of a CPU's host stack.
const STACK_PAGES: u64 = 8;
const APIC_BASE: u32 = 0x1b;
/// APIC_BASE.BSC: the CPU that starts at power-on.
const IS_BOOT_CPU: u64 = 1 << 8;
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
            let vcpu = Vcpu::new(
                region.pages(1)?.cast().as_ptr(),
                region.pages(1)?.cast().as_ptr(),
                features,
            );
            let cpu = Cpu {
                vcpu,
                stack_top: stack.as_ptr().addr() as u64 + STACK_PAGES * PAGE,
                machine_check_seen: AtomicU8::new(0),
                non_maskable: NonMaskable::default(),
                descriptors: Descriptors::new(region)?,
                apic: LocalApic::Registers,
                recall: Recall::default(),
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
        Ok(Self {
            cpus: cpus.into(),
            next: AtomicUsize::new(1),
        })
    }

    /// The place for the CPU this runs on, once.
    fn take(&self, is_boot_cpu: bool) -> Option<*mut Cpu> {
        let number = if is_boot_cpu {
            0
        } else {
            self.next.fetch_add(1, Ordering::Relaxed)
        };
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

    /// Makes the CPU this runs on a guest, which goes on behind the loader's call, with RAX = 0.
    ///
    /// # Errors
    /// The [`Status`] if this CPU cannot be entered; it is then as before.
    ///
    /// # Safety
    /// Called with the firmware's identity mapping, once on each CPU; `caller` is what the loader's call left.
    pub unsafe fn enter(&'static self, caller: &Caller) -> Result<Infallible, Status> {
        svm::check()?;
        let is_boot_cpu = msr_access::read_known(APIC_BASE) & IS_BOOT_CPU != 0;
        let cpu = self.slots.take(is_boot_cpu).ok_or(Status::OutOfOrder)?;
        // SAFETY: taken from its slot, so it is this CPU's alone; the reference ends here.
        unsafe { &mut *cpu }.vcpu.registers = caller.registers();
        // SAFETY: as above; the firmware maps the region, and `begin` never returns.
        unsafe { svm::leave_to(cpu, begin) }
    }
}

/// What a `sysv64` call leaves for its return, as the entry point pushes it: the loader's own code goes on from
/// here as guest, so nothing of the hypervisor's may be left on its way.
#[repr(C)]
pub struct Caller {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    rbp: u64,
    rbx: u64,
    rflags: u64,
    rip: u64,
}

impl Caller {
    /// The registers behind the return: RAX is 0, the status for "done".
    fn registers(&self) -> Registers {
        let mut registers = Registers {
            rip: self.rip,
            rflags: self.rflags,
            ..Registers::default()
        };
        let behind = ptr::from_ref(self).addr() + size_of::<Self>();
        registers.general[3] = self.rbx;
        registers.general[4] = behind as u64;
        registers.general[5] = self.rbp;
        let upper = [self.r12, self.r13, self.r14, self.r15];
        for (to, from) in registers.general.iter_mut().skip(12).zip(upper) {
            *to = from;
        }
        registers
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
        if own.index == BOOT_CPU
            && let Some(timer) = &own.machine.timer
        {
            // Destinations of messages have eight bits; the boot CPU's ID fits on every machine.
            timer.wakes(own.apic.id() as u8);
            own.machine.poll();
        }
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
    let region = mtrr::Region {
        start: machine.region.start,
        size: machine.region.length(),
    };
    let read = msr_access::read_known;
    mtrr::MemoryTypes::capture(region, read(MTRR_CAPABILITY), features.physical_bits as u8, read)
}
