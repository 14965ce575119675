//! Accesses to the registers of mediated devices.

use super::PortAccess;
use super::memory::{Around, carry_out, finish};
use super::port::merge;
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::device::{Mediated, Trap};
use crate::machine::Machine;
use crate::svm::{Exception, Watch};
use sekisho_abi::selection::Driver;
use sekisho_mediator::cpu::emulate::{Device, Direction, Fault, Refusal};
use sekisho_mediator::cpu::port_string::{PIECE, PortString};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::pci::Width as PortWidth;

/// PAUSE takes two bytes.
const PAUSE_LENGTH: u64 = 2;

/// A load or store at `offset` in a trapped range.
#[inline(never)]
pub(super) fn memory(cpu: &mut Cpu, fault: Fault, trap: &'static Trap, offset: u64) {
    cpu.count(match trap.driver {
        Driver::Pro100 | Driver::Pro1000 => Counter::NetMemory,
        _ => Counter::DiskMemory,
    });
    let machine = cpu.machine;
    carry_out(
        cpu,
        fault,
        &mut Registers {
            machine,
            trap,
            offset,
        },
    );
    settle(cpu, trap);
}

/// IN or OUT at a trapped port.
#[inline(never)]
pub(super) fn port(cpu: &mut Cpu, access: PortAccess, trap: &'static Trap) {
    cpu.count(of_ports(trap));
    let PortAccess { port, width, .. } = access;
    let Some(width) = PortWidth::from_bytes(width) else {
        return cpu.raise(Exception::InvalidOpcode);
    };
    let old = cpu.vcpu.rax();
    let machine = cpu.machine;
    if access.read {
        let read = machine.device(trap.device, |device| device.input(trap, port, width));
        cpu.vcpu
            .set_rax(merge(old, read.unwrap_or(width.ones()), access.width));
    } else {
        machine.device(trap.device, |device| {
            device.output(trap, port, width, old as u32 & width.ones());
        });
    }
    cpu.vcpu.retire(access.next_rip);
    settle(cpu, trap);
}

fn of_ports(trap: &Trap) -> Counter {
    match trap.driver {
        Driver::Pro100 | Driver::Pro1000 => Counter::NetPort,
        _ => Counter::DiskPort,
    }
}

/// INS or OUTS at a trapped port: a piece of it.
#[inline(never)]
pub(super) fn port_string(cpu: &mut Cpu, port: u16, trap: &'static Trap) {
    cpu.count(of_ports(trap));
    let Some(bytes) = cpu.instruction() else {
        return cpu.refuse(Refusal::Undecodable);
    };
    cpu.vcpu.gather();
    let machine = cpu.machine;
    let (registers, view) = cpu.vcpu.split();
    let around = Around {
        view,
        ram: machine.ram,
    };
    let result = PortString::next(registers, view.mode(), &bytes, &around).and_then(|piece| {
        transfer(machine, trap, port, &piece, &around)?;
        piece.finish(registers, view.mode());
        Ok(())
    });
    finish(cpu, result);
    settle(cpu, trap);
}

/// The bytes of a piece, between guest memory and the port. What the port gave cannot be given back, so memory is looked
/// at first.
fn transfer(
    machine: &Machine,
    trap: &Trap,
    port: u16,
    piece: &PortString,
    around: &Around<'_>,
) -> Result<(), Refusal> {
    let mut buffer = [0; PIECE];
    let Some(bytes) = buffer.get_mut(..piece.bytes()).filter(|bytes| !bytes.is_empty()) else {
        return Ok(());
    };
    let memory = around.memory();
    let width = PortWidth::from_bytes(piece.width().bytes()).ok_or(Refusal::Undecodable)?;
    match piece.direction() {
        Direction::Read => {
            memory.may_write(piece.linear(), bytes.len())?;
            machine.device(trap.device, |device| {
                device.input_string(trap, port, width, bytes);
            });
            memory.write(piece.linear(), bytes)
        }
        Direction::Write => {
            memory.read(piece.linear(), bytes)?;
            machine.device(trap.device, |device| {
                device.output_string(trap, port, width, bytes);
            });
            Ok(())
        }
    }
}

/// A guest that waits, while a command runs whose end it may be looking for in memory.
pub(super) fn paused(cpu: &mut Cpu) {
    cpu.count(Counter::Pause);
    let next = cpu.vcpu.next_rip(PAUSE_LENGTH);
    cpu.vcpu.retire(next);
    let mut waits = false;
    for number in cpu.machine.devices.numbers() {
        if cpu.machine.devices.waits(number) {
            cpu.machine.device(number, Mediated::poll);
            waits |= cpu.machine.devices.waits(number);
        }
    }
    if !waits {
        cpu.vcpu.watch_pause(Watch::Off);
    }
}

/// What an access leaves to do: to watch for a guest that waits without looking.
fn settle(cpu: &mut Cpu, trap: &Trap) {
    if cpu.machine.devices.waits(trap.device) {
        cpu.vcpu.watch_pause(Watch::On);
    }
}

/// What answers in a trapped range of memory.
struct Registers {
    machine: &'static Machine,
    trap: &'static Trap,
    offset: u64,
}

impl Device for Registers {
    fn read(&mut self, width: Width) -> u64 {
        let Self {
            machine,
            trap,
            offset,
        } = *self;
        machine
            .device(trap.device, |device| device.load(trap, offset, width))
            .unwrap_or(width.mask())
    }

    fn write(&mut self, width: Width, value: u64) {
        let Self {
            machine,
            trap,
            offset,
        } = *self;
        machine.device(trap.device, |device| {
            device.store(trap, offset, width, value & width.mask());
        });
    }
}
