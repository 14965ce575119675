//! Accesses that the nested tables refuse: the xAPIC page, the configuration window, the hypervisor's own memory.

use super::{MemoryFault, MetBy, device, startup, wake};
use crate::address::HostPhys;
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::machine::Machine;
use crate::memory::{DeviceRegister, GuestRam};
use crate::svm::{Exception, View};
use sekisho_mediator::cpu::apic_page::{ApicWrite, COMMAND_HIGH, apic_write};
use sekisho_mediator::cpu::emulate::{Device, Fault, Refusal, Segment, Surroundings, emulate, skip};
use sekisho_mediator::cpu::interrupt_command::InterruptCommand;
use sekisho_mediator::cpu::linear::LinearMemory;
use sekisho_mediator::cpu::recall::Value;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::log::Event;

/// Error code of a #PF for a table entry with reserved bits set: what a guest sees whose page tables lie where
/// reads give ones (APM volume 2, 8.4.2: P and RSV).
const RESERVED_ENTRY: u32 = 1 | 8;
const PAGE_OFFSET: u64 = 0xfff;

/// A nested page fault.
#[inline(never)]
pub(crate) fn handle(cpu: &mut Cpu) {
    if !known_apic_write(cpu) {
        find_device(cpu, cpu.vcpu.memory_fault());
    }
}

#[inline(never)]
fn find_device(cpu: &mut Cpu, fault: MemoryFault) {
    let MemoryFault {
        address,
        direction,
        met_by,
    } = fault;
    let fault = Fault { address, direction };
    let machine = cpu.machine;
    if cpu.vcpu.is_delivering() {
        cpu.count_unreachable(address);
        cpu.fail_delivery();
    } else if met_by == MetBy::TableWalk {
        table_fault(cpu, address);
    } else if address & !PAGE_OFFSET == machine.apic_page {
        apic_page(cpu, fault);
    } else if let Some(offset) = machine.window_offset(address) {
        config_window(cpu, fault, offset);
    } else if let Some(timer) = machine.timer_at(address) {
        wake::timer_page(cpu, fault, timer);
    } else if let Some((trap, offset)) = machine.devices.at_address(address) {
        device::memory(cpu, fault, trap, offset);
    } else if let Some(room) = machine.devices.room_beside(address) {
        let address = HostPhys(address);
        carry_out(cpu, fault, &mut Neighbour { address, room });
    } else {
        nothing_there(cpu, fault);
    }
}

/// A write to the xAPIC page by a store that was met before: carried out; whether it was one. Nearly all writes there
/// come from a few stores of the kernel.
#[inline]
fn known_apic_write(cpu: &mut Cpu) -> bool {
    let Some(offset) = cpu.vcpu.stored_in_page(cpu.machine.apic_page) else {
        return false;
    };
    let view = cpu.vcpu.view();
    if !view.is_recallable() {
        return false;
    }
    let (cr3, ram) = (view.paging().cr3, cpu.machine.ram);
    let Some(store) = cpu.recall.find(cr3, view.code_address(), ram) else {
        return false;
    };
    cpu.count(Counter::ApicWrite);
    let value = match store.value {
        Value::Register(register) => cpu.vcpu.general(register.number()),
        Value::Constant(value) => u64::from(value),
    };
    cpu.vcpu
        .retire(cpu.vcpu.rip().wrapping_add(u64::from(store.length)));
    write_apic(cpu, offset, Width::Four, value);
    true
}

/// Any other write to the xAPIC page, which is read-only for the guest.
#[inline(never)]
fn apic_page(cpu: &mut Cpu, fault: Fault) {
    cpu.count(Counter::ApicWrite);
    cpu.note_store();
    let mut page = ApicPage {
        offset: (fault.address & PAGE_OFFSET) as u16,
        written: None,
    };
    if carry_out(cpu, fault, &mut page)
        && let Some((width, value)) = page.written
    {
        write_apic(cpu, page.offset, width, value);
    }
}

/// The configuration window leads to the mediator.
#[inline(never)]
fn config_window(cpu: &mut Cpu, fault: Fault, offset: u64) {
    cpu.count(Counter::ConfigWindow);
    let machine = cpu.machine;
    carry_out(cpu, fault, &mut ConfigWindow { machine, offset });
}

/// The guest's page tables lead through memory that does not exist for it. Reads there would give ones. Which linear
/// address was being translated is not told, so CR2 gets that of the instruction.
#[cold]
fn table_fault(cpu: &mut Cpu, address: u64) {
    cpu.count_unreachable(address);
    let linear = cpu.vcpu.view().code_address();
    cpu.raise(Exception::PageFault(linear, RESERVED_ENTRY));
}

/// Memory that does not exist for the guest: stores vanish, loads give ones.
#[cold]
fn nothing_there(cpu: &mut Cpu, fault: Fault) {
    cpu.count_unreachable(fault.address);
    let Some(bytes) = cpu.instruction() else {
        return cpu.refuse(Refusal::Undecodable);
    };
    cpu.vcpu.gather();
    let ram = cpu.machine.ram;
    let (registers, view) = cpu.vcpu.split();
    let result = skip(registers, view.mode(), &bytes, fault, &Around { view, ram });
    finish(cpu, result);
}

/// Carries the instruction out against `device`; whether it was.
#[inline]
pub(super) fn carry_out<D: Device>(cpu: &mut Cpu, fault: Fault, device: &mut D) -> bool {
    let Some(bytes) = cpu.instruction() else {
        cpu.refuse(Refusal::Undecodable);
        return false;
    };
    cpu.vcpu.gather();
    let ram = cpu.machine.ram;
    let (registers, view) = cpu.vcpu.split();
    let result = emulate(
        registers,
        view.mode(),
        &bytes,
        fault,
        device,
        &Around { view, ram },
    );
    finish(cpu, result)
}

/// The registers hold the results: the instruction is done. Or the guest gets its exception.
#[inline]
pub(super) fn finish(cpu: &mut Cpu, result: Result<(), Refusal>) -> bool {
    match result {
        Ok(()) => {
            cpu.vcpu.scatter();
            cpu.vcpu.retire(cpu.vcpu.registers.rip);
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
            u64::from(crate::apic::LocalApic::current().read_page(u32::from(self.offset)))
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
            let high = cpu.apic.read_page(u32::from(COMMAND_HIGH));
            let command = InterruptCommand::xapic(value, high);
            return startup::command(cpu, command, |cpu| cpu.apic.write_page(register, value));
        }
    }
    cpu.apic.write_page(register, value);
}

/// The configuration window (PCI Express MMCONFIG).
struct ConfigWindow {
    machine: &'static Machine,
    offset: u64,
}

impl Device for ConfigWindow {
    const MAY_BEGIN_BEFORE: bool = false;

    fn read(&mut self, width: Width) -> u64 {
        self.machine.configure(|pci| pci.window_read(self.offset, width))
    }

    fn write(&mut self, width: Width, value: u64) {
        self.machine
            .configure(|pci| pci.window_write(self.offset, width, value));
    }
}

/// A register of the guest's that shares a page with trapped ones: the access is its own.
pub(super) struct Neighbour {
    pub(super) address: HostPhys,
    /// Bytes up to the next trapped range.
    pub(super) room: u64,
}

impl Neighbour {
    fn register<T: Copy>(&self) -> DeviceRegister<T> {
        // SAFETY: the instruction faulted there, so the address is below the windows' end; it lies outside of the
        // region and of every trapped range, so the guest may do there what it likes.
        unsafe { DeviceRegister::new(self.address) }
    }
}

impl Device for Neighbour {
    fn read(&mut self, width: Width) -> u64 {
        if u64::from(width.bytes()) > self.room {
            return width.mask();
        }
        match width {
            Width::One => u64::from(self.register::<u8>().read()),
            Width::Two => u64::from(self.register::<u16>().read()),
            Width::Four => u64::from(self.register::<u32>().read()),
            Width::Eight => self.register::<u64>().read(),
        }
    }

    fn write(&mut self, width: Width, value: u64) {
        if u64::from(width.bytes()) > self.room {
            return;
        }
        match width {
            Width::One => self.register().write(value as u8),
            Width::Two => self.register().write(value as u16),
            Width::Four => self.register().write(value as u32),
            Width::Eight => self.register().write(value),
        }
    }
}

/// The rest of the guest's CPU, for the instructions that need it.
pub(super) struct Around<'a> {
    pub(super) view: View<'a>,
    pub(super) ram: &'a GuestRam,
}

impl Around<'_> {
    pub(super) fn memory(&self) -> LinearMemory<'_, GuestRam> {
        LinearMemory {
            paging: self.view.paging(),
            privilege: self.view.privilege(),
            memory: self.ram,
        }
    }
}

impl Surroundings for Around<'_> {
    fn segment_base(&self, segment: Segment) -> u64 {
        self.view.segment_base(segment)
    }

    fn read(&self, linear: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
        self.memory().read(linear, buffer)
    }

    fn write(&self, linear: u64, bytes: &[u8]) -> Result<(), Refusal> {
        self.memory().write(linear, bytes)
    }
}

impl Cpu {
    /// Remembers the instruction that exited, if it is a store of the usual kind.
    fn note_store(&mut self) {
        let Some(bytes) = self.instruction() else { return };
        let view = self.vcpu.view();
        if view.is_recallable() {
            self.recall
                .note(view.paging().cr3, view.code_address(), &bytes, self.machine.ram);
        }
    }

    /// Counts an access to memory that does not exist for the guest.
    fn count_unreachable(&self, address: u64) {
        let own = self.machine.region.contains(address);
        let counter = if own {
            Counter::OwnMemory
        } else {
            Counter::BeyondMemory
        };
        self.tell_of(
            counter,
            Event::MEMORY_REFUSED,
            format_args!("access to {address:#x}"),
        );
    }
}
