//! Why the guest stopped, and who answers: one match.

mod device;
mod hypercall;
mod memory;
mod model_specific;
pub(crate) mod nmi;
mod port;
pub(crate) mod startup;
pub(crate) mod wake;

use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::svm::{Exception, Watch};
use core::arch::asm;
use core::arch::x86_64::__cpuid_count;
use sekisho_mediator::cpu::cpuid::{self, GuestView, Leaf};
use sekisho_mediator::cpu::emulate::{Direction, Refusal};
use sekisho_mediator::cpu::fetch::{InstructionBytes, fetch};
use sekisho_mediator::log::Event;

/// A rarer VM exit, in no vendor's terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// RDMSR of a register of ours.
    ReadMsr,
    /// WRMSR of a register of ours.
    WriteMsr,
    /// An NMI arrived: the guest's, or another CPU's call.
    Nmi,
    /// IRET is about to be executed.
    InterruptReturn,
    /// One instruction was executed.
    SingleStep,
    /// INVD.
    InvalidateCaches,
    /// PAUSE, while it is watched.
    Pause,
    /// VMMCALL.
    Hypercall,
    /// Another instruction of the virtualization extension.
    Virtualization,
    /// The guest's exceptions nested once too often.
    TripleFault,
    /// The guest gave its registers values with which no CPU runs. On the bare machine it would have faulted at once;
    /// here the fault was missed, and there is no state to go back to.
    RefusedState,
    /// None of these: never asked for.
    Unknown(u64),
}

/// A nested page fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MemoryFault {
    /// Guest-physical, to the byte.
    pub(crate) address: u64,
    pub(crate) direction: Direction,
    /// What met it.
    pub(crate) met_by: MetBy,
}

/// What met a nested page fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MetBy {
    /// The instruction's own access.
    Instruction,
    /// The CPU's walk of the guest's page tables.
    TableWalk,
}

/// IN or OUT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PortAccess {
    pub(crate) port: u16,
    /// Bytes: 1, 2 or 4.
    pub(crate) width: u8,
    pub(crate) read: bool,
    /// INS or OUTS.
    pub(crate) string: bool,
    /// RIP behind the instruction.
    pub(crate) next_rip: u64,
}

/// Answers the exit of this CPU's guest. Called by the world switch, with GIF off.
///
/// The most frequent exits come before the rest, so that they do not pay for its registers.
pub(crate) extern "sysv64" fn handle(cpu: &mut Cpu) {
    cpu.vcpu.entered();
    match cpu.vcpu.usual_exit() {
        Usual::Cpuid => cpu_identification(cpu),
        Usual::Memory => memory::handle(cpu),
        Usual::Port => port::handle(cpu),
        Usual::Other => answer(cpu),
    }
}

/// The exits that come often, told apart first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Usual {
    /// CPUID.
    Cpuid,
    /// An access that the nested tables refuse; see [`MemoryFault`].
    Memory,
    /// IN or OUT at a port of ours; see [`PortAccess`].
    Port,
    /// One of [`Exit`].
    Other,
}

#[inline(never)]
fn answer(cpu: &mut Cpu) {
    match cpu.vcpu.exit() {
        Exit::ReadMsr => model_specific::read(cpu),
        Exit::WriteMsr => model_specific::write(cpu),
        Exit::Nmi => {
            cpu.vcpu.redeliver_interrupted();
            nmi::arrived(cpu);
        }
        Exit::InterruptReturn => nmi::returning(cpu),
        Exit::SingleStep => nmi::stepped(cpu),
        Exit::InvalidateCaches => invalidate_caches(cpu),
        Exit::Pause => device::paused(cpu),
        Exit::Hypercall => hypercall::handle(cpu),
        Exit::Virtualization => {
            let rip = cpu.vcpu.rip();
            cpu.tell_of(
                Counter::Virtualization,
                Event::CPU_REFUSED,
                format_args!("SVM instruction at {rip:#x}"),
            );
            cpu.raise(Exception::InvalidOpcode);
        }
        Exit::TripleFault => {
            cpu.count(Counter::TripleFault);
            cpu.machine.restart(cpu.index, "triple fault");
        }
        Exit::RefusedState => {
            cpu.count(Counter::RefusedState);
            cpu.machine
                .restart(cpu.index, "register values that the CPU refuses");
        }
        Exit::Unknown(code) => cpu
            .machine
            .stop(cpu.index, format_args!("unknown exit {code:#x}")),
    }
}

/// CPUID takes two bytes; a CPU that does not tell the next RIP is not asked whether prefixes came before, which no
/// compiler writes and which would cost a page walk on each of the most frequent exits.
#[inline(never)]
fn cpu_identification(cpu: &mut Cpu) {
    cpu.count(Counter::Cpuid);
    let leaf = cpu.vcpu.rax() as u32;
    let subleaf = cpu.vcpu.registers.general[1] as u32;
    let raw = __cpuid_count(leaf, subleaf);
    let raw = Leaf {
        eax: raw.eax,
        ebx: raw.ebx,
        ecx: raw.ecx,
        edx: raw.edx,
    };
    let view = GuestView {
        cr4: cpu.vcpu.cr4(),
        cpu_index: cpu.index as u32,
    };
    let seen = cpuid::filter(leaf, subleaf, raw, &view);
    cpu.vcpu.set_rax(u64::from(seen.eax));
    let general = &mut cpu.vcpu.registers.general;
    general[3] = u64::from(seen.ebx);
    general[1] = u64::from(seen.ecx);
    general[2] = u64::from(seen.edx);
    let next = cpu.vcpu.next_rip(2);
    cpu.vcpu.retire(next);
}

/// INVD would throw away what the hypervisor has written; the caches are written back first.
fn invalidate_caches(cpu: &mut Cpu) {
    cpu.count(Counter::InvalidateCaches);
    // SAFETY: WBINVD keeps memory as it is.
    unsafe { asm!("wbinvd", options(nostack)) };
    let next = cpu.vcpu.next_rip(2);
    cpu.vcpu.retire(next);
}

impl Cpu {
    /// Counts an event on this CPU.
    #[inline]
    pub(crate) fn count(&self, counter: Counter) {
        use core::sync::atomic::Ordering::Relaxed;
        if let Some(counter) = self.peer.counters.get(counter as usize) {
            counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    /// Gives the guest an exception, or restarts the machine if that is one too many.
    pub(crate) fn raise(&mut self, exception: Exception) {
        if self.vcpu.inject(exception).is_err() {
            self.count(Counter::TripleFault);
            self.machine.restart(self.index, "triple fault");
        }
    }

    /// The event in delivery meets memory that does not exist: #DF, or a restart.
    pub(crate) fn fail_delivery(&mut self) {
        if self.vcpu.inject_double_fault().is_err() {
            self.count(Counter::TripleFault);
            self.machine.restart(self.index, "triple fault");
        }
    }

    /// The exception that tells the guest why an instruction was not carried out.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Undecodable => {
                let rip = self.vcpu.rip();
                self.tell_of(
                    Counter::Undecodable,
                    Event::NOT_DECODED,
                    format_args!("instruction at {rip:#x}"),
                );
                self.raise(Exception::InvalidOpcode);
            }
            Refusal::PageFault { linear, error_code } => {
                self.raise(Exception::PageFault(linear, error_code));
            }
        }
    }

    /// The bytes of the instruction that exited: the CPU's own copy, else the guest's memory.
    #[inline]
    pub(crate) fn instruction(&self) -> Option<InstructionBytes> {
        let view = self.vcpu.view();
        let fetched = view.fetched();
        if !fetched.is_empty() {
            return Some(InstructionBytes::new(fetched));
        }
        fetch(
            &view.paging(),
            view.code_address(),
            view.privilege(),
            self.machine.ram,
        )
        .ok()
    }

    /// Turns watching for IRET off.
    pub(crate) fn forget_interrupt_return(&mut self) {
        self.vcpu.watch_interrupt_return(Watch::Off);
    }
}
