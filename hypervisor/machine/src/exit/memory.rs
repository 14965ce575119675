//! Accesses that the nested tables refuse: the xAPIC page, the configuration window, the hypervisor's own memory.

use super::startup;
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::machine::Machine;
use crate::svm::{Exception, Vcpu};
use sekisho_mediator::cpu::apic_page::{ApicWrite, COMMAND_HIGH, apic_write};
use sekisho_mediator::cpu::emulate::{
    Device, Direction, Fault, Outcome, Refusal, Segment, Surroundings, emulate, skip,
};
use sekisho_mediator::cpu::interrupt_command::InterruptCommand;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::cpu::walk::{GuestMemory, Intent, Untranslated, translate};

/// Error code of a #PF for a table entry with reserved bits set: what a guest sees whose page tables lie where
/// reads give ones (APM volume 2, 8.4.2: P and RSV).
const RESERVED_ENTRY: u32 = 1 | 8;
const PAGE_OFFSET: u64 = 0xfff;

/// A nested page fault at `address`.
pub(crate) fn handle(cpu: &mut Cpu, address: u64, write: bool, guest_table: bool) {
    let direction = if write { Direction::Write } else { Direction::Read };
    let fault = Fault { address, direction };
    let machine = cpu.machine;
    if guest_table {
        return table_fault(cpu, address);
    }
    if address & !PAGE_OFFSET == machine.apic_page {
        cpu.count(Counter::ApicWrite);
        let mut page = ApicPage {
            offset: (address & PAGE_OFFSET) as u16,
            written: None,
        };
        if carry_out(cpu, fault, &mut page)
            && let Some((width, value)) = page.written
        {
            write_apic(cpu, page.offset, width, value);
        }
    } else if let Some(offset) = machine.window_offset(address) {
        cpu.count(Counter::ConfigWindow);
        carry_out(cpu, fault, &mut ConfigWindow { machine, offset });
    } else {
        nothing_there(cpu, fault);
    }
}

/// The guest's page tables lead through memory that does not exist for it. Reads there would give ones.
fn table_fault(cpu: &mut Cpu, address: u64) {
    cpu.count_unreachable(address);
    let linear = cpu.vcpu.code_address();
    cpu.raise(Exception::PageFault(linear, RESERVED_ENTRY));
}

/// Memory that does not exist for the guest: stores vanish, loads give ones.
fn nothing_there(cpu: &mut Cpu, fault: Fault) {
    cpu.count_unreachable(fault.address);
    let Some(bytes) = cpu.instruction() else {
        return cpu.refuse(Refusal::Undecodable);
    };
    cpu.vcpu.gather();
    let mode = cpu.vcpu.mode();
    let mut registers = cpu.vcpu.registers;
    let result = skip(
        &mut registers,
        mode,
        &bytes,
        fault,
        &Around(&cpu.vcpu, cpu.machine),
    );
    finish(cpu, registers, result);
}

/// Carries the instruction out against `device`; whether it was.
#[inline]
fn carry_out<D: Device>(cpu: &mut Cpu, fault: Fault, device: &mut D) -> bool {
    let Some(bytes) = cpu.instruction() else {
        cpu.refuse(Refusal::Undecodable);
        return false;
    };
    cpu.vcpu.gather();
    let mode = cpu.vcpu.mode();
    let mut registers = cpu.vcpu.registers;
    let result = emulate(
        &mut registers,
        mode,
        &bytes,
        fault,
        device,
        &Around(&cpu.vcpu, cpu.machine),
    );
    finish(cpu, registers, result)
}

#[inline]
fn finish(
    cpu: &mut Cpu,
    registers: sekisho_mediator::cpu::registers::Registers,
    result: Result<Outcome, Refusal>,
) -> bool {
    match result {
        Ok(Outcome::Done | Outcome::SingleStep) => {
            cpu.vcpu.registers = registers;
            cpu.vcpu.scatter();
            cpu.vcpu.retire(registers.rip);
            true
        }
        Err(refusal) => {
            cpu.refuse(refusal);
            false
        }
    }
}

/// The xAPIC page. The write is noted and done after the instruction, when the whole CPU is at hand.
struct ApicPage {
    offset: u16,
    written: Option<(Width, u64)>,
}

impl Device for ApicPage {
    fn read(&mut self, width: Width) -> u64 {
        // Reads do not exit; a read-modify-write reads here. Registers are 32 bits wide and aligned (16.3.2).
        if self.offset & 0xf == 0 && width == Width::Four {
            u64::from(crate::apic::LocalApic::current().read(u32::from(self.offset)))
        } else {
            width.mask()
        }
    }

    #[inline]
    fn write(&mut self, width: Width, value: u64) {
        self.written = Some((width, value));
    }
}

#[inline]
fn write_apic(cpu: &mut Cpu, offset: u16, width: Width, value: u64) {
    let (register, value) = (u32::from(offset), value as u32);
    match apic_write(offset, width) {
        ApicWrite::Pass => {}
        ApicWrite::Vanish => return,
        ApicWrite::LogicalDestination => cpu.peer.note_logical_destination(value),
        ApicWrite::DestinationFormat => cpu.peer.note_destination_format(value),
        ApicWrite::Command => {
            let high = cpu.apic.read(u32::from(COMMAND_HIGH));
            let command = InterruptCommand::xapic(value, high);
            return startup::command(cpu, command, |cpu| cpu.apic.write(register, value));
        }
    }
    cpu.apic.write(register, value);
}

/// The configuration window (PCI Express MMCONFIG).
struct ConfigWindow {
    machine: &'static Machine,
    offset: u64,
}

impl Device for ConfigWindow {
    fn read(&mut self, width: Width) -> u64 {
        self.machine.configure(|pci| pci.window_read(self.offset, width))
    }

    fn write(&mut self, width: Width, value: u64) {
        self.machine
            .configure(|pci| pci.window_write(self.offset, width, value));
    }
}

/// The rest of the guest's CPU, for the instructions that need it.
struct Around<'a>(&'a Vcpu, &'static Machine);

impl Around<'_> {
    /// Calls `step` with the guest-physical address of each page's part of `length` bytes at `linear`.
    fn each_page(
        &self,
        linear: u64,
        length: usize,
        intent: Intent,
        mut step: impl FnMut(u64, core::ops::Range<usize>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut done = 0;
        while done < length {
            let at = linear.wrapping_add(done as u64);
            let left_in_page = (PAGE_OFFSET + 1 - (at & PAGE_OFFSET)) as usize;
            let end = length.min(done.saturating_add(left_in_page));
            let physical = translate(&self.0.paging(), at, intent, self.0.privilege(), &self.1.ram);
            match physical {
                Ok(physical) => step(physical, done..end)?,
                Err(Untranslated::PageFault(error_code)) => {
                    return Err(Refusal::PageFault {
                        linear: at,
                        error_code,
                    });
                }
                Err(Untranslated::Unreachable) => return Err(Refusal::Undecodable),
            }
            done = end;
        }
        Ok(())
    }
}

impl Surroundings for Around<'_> {
    fn segment_base(&self, segment: Segment) -> u64 {
        self.0.segment_base(segment)
    }

    fn read(&self, linear: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
        self.each_page(linear, buffer.len(), Intent::Read, |physical, part| {
            let part = buffer.get_mut(part).ok_or(Refusal::Undecodable)?;
            Ok(self.1.ram.read(physical, part)?)
        })
    }

    fn write(&self, linear: u64, bytes: &[u8]) -> Result<(), Refusal> {
        self.each_page(linear, bytes.len(), Intent::Write, |physical, part| {
            let part = bytes.get(part).ok_or(Refusal::Undecodable)?;
            Ok(self.1.ram.write(physical, part)?)
        })
    }
}

impl Cpu {
    /// Counts an access to memory that does not exist for the guest.
    fn count_unreachable(&self, address: u64) {
        let own = self.machine.region.contains(address);
        self.count(if own {
            Counter::OwnMemory
        } else {
            Counter::BeyondMemory
        });
    }
}
