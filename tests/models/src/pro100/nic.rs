//! The device: its registers, its resets, its interrupts.

use super::eeprom::Eeprom;
use super::spec::{cause, command, register};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Memory;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::pro100::Ports;
use std::collections::VecDeque;

/// What a unit does, as the status register has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Idle,
    Suspended,
    NoResources,
    Active,
}

/// A NIC.
#[derive(Clone, Debug)]
pub struct Pro100 {
    pub(super) memory: Memory,
    registers: [u8; 0x40],
    eeprom: Eeprom,
    pub(super) command_unit: Unit,
    pub(super) receive_unit: Unit,
    pub(super) command_base: u32,
    pub(super) receive_base: u32,
    pub(super) next_command: u32,
    pub(super) next_received: u32,
    dump_address: u32,
    pub(super) configuration: [u8; 22],
    pub(super) address: [u8; 6],
    pub(super) groups: Vec<[u8; 6]>,
    pub(super) arriving: VecDeque<Vec<u8>>,
    pub(super) sent: Vec<Vec<u8>>,
}

/// The mask's own bits: everything, and software's request.
const MASKED: u8 = 1;
const REQUEST: u8 = 2;
/// What comes behind dumped counters, and how many there are.
const DUMPED: u32 = 0xa005;
const COUNTERS: usize = 16;
/// The configuration after a reset.
const CONFIGURATION: [u8; 22] = [
    22, 8, 0, 0, 0, 0, 0x32, 3, 1, 0, 0x2e, 0, 0x60, 0, 0xf2, 0x48, 0, 0x40, 0xf2, 0x80, 0x3f, 5,
];

impl Pro100 {
    /// A NIC as after switching on, with `address` in its EEPROM.
    #[must_use]
    pub fn new(memory: &Memory, address: [u8; 6]) -> Self {
        Self {
            memory: memory.clone(),
            registers: [0; 0x40],
            eeprom: Eeprom::new(address),
            command_unit: Unit::Idle,
            receive_unit: Unit::Idle,
            command_base: 0,
            receive_base: 0,
            next_command: 0,
            next_received: 0,
            dump_address: 0,
            configuration: CONFIGURATION,
            address: [0xff; 6],
            groups: Vec::new(),
            arriving: VecDeque::new(),
            sent: Vec::new(),
        }
    }

    /// A frame comes by the wire, without its check sequence.
    pub fn inject(&mut self, frame: &[u8]) {
        self.arriving.push_back(frame.to_vec());
    }

    /// Frames that went onto the wire, whole and padded, and forgets them.
    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        core::mem::take(&mut self.sent)
    }

    /// Does one thing; whether there was one to do.
    pub fn step(&mut self) -> bool {
        self.step_command() || self.step_receive()
    }

    /// Works until there is nothing left to do.
    pub fn run(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
    }

    /// Whether it asks for an interrupt.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        let mask = self.byte(register::MASK);
        self.byte(register::STAT_ACK) & !(mask & 0xf0) != 0 && mask & MASKED == 0
    }

    /// The configuration that it works by.
    #[must_use]
    pub const fn configuration(&self) -> &[u8; 22] {
        &self.configuration
    }

    /// What a byte of the registers holds, without an access.
    #[must_use]
    pub fn byte(&self, at: u8) -> u8 {
        bytes::byte(&self.registers, at.into())
    }

    pub(super) fn cause(&mut self, causes: u8) {
        let causes = self.byte(register::STAT_ACK) | causes;
        self.set(register::STAT_ACK, &[causes]);
    }

    fn set(&mut self, at: u8, content: &[u8]) {
        bytes::put(&mut self.registers, at.into(), content);
    }

    fn pointer(&self) -> u32 {
        bytes::dword(&self.registers, register::POINTER.into())
    }

    fn follow_units(&mut self) {
        let command = match self.command_unit {
            Unit::Suspended => 1,
            Unit::Active => 2,
            Unit::Idle | Unit::NoResources => 0,
        };
        let receive = match self.receive_unit {
            Unit::Idle => 0,
            Unit::Suspended => 1,
            Unit::NoResources => 2,
            Unit::Active => 4,
        };
        self.set(register::STATUS, &[command << 6 | receive << 2]);
    }

    fn command(&mut self, value: u8) {
        let pointer = self.pointer();
        let is_active = self.command_unit == Unit::Active;
        match value & 0xf0 {
            0 => {}
            command::CU_START if !is_active => {
                self.next_command = pointer;
                self.command_unit = Unit::Active;
                self.claim_commands();
            }
            command::CU_BASE if !is_active => self.command_base = pointer,
            command::CU_DUMP_ADDRESS => self.dump_address = pointer,
            command::CU_DUMP | command::CU_DUMP_RESET => self.dump(),
            other => self
                .memory
                .breach(Breach::Untimely(register::COMMAND.into(), other.into())),
        }
        match value & 0x0f {
            0 => {}
            command::RU_START if self.receive_unit != Unit::Active => {
                self.next_received = pointer;
                self.receive_unit = Unit::Active;
                self.claim_received();
            }
            command::RU_ABORT => {
                self.receive_unit = Unit::Idle;
                self.release_all_received();
            }
            command::RU_BASE if self.receive_unit != Unit::Active => self.receive_base = pointer,
            other => self
                .memory
                .breach(Breach::Untimely(register::COMMAND.into(), other.into())),
        }
    }

    fn dump(&mut self) {
        let place = u64::from(self.dump_address);
        for index in 0..COUNTERS as u64 {
            let counter = bytes::low_dword(index + 100);
            self.memory
                .device_write(place + 4 * index, &counter.to_le_bytes());
        }
        self.memory
            .device_write(place + 4 * COUNTERS as u64, &DUMPED.to_le_bytes());
    }

    fn port(&mut self, value: u32) {
        match value & 15 {
            0 | 2 => {
                (self.command_unit, self.receive_unit) = (Unit::Idle, Unit::Idle);
                self.release_all();
                self.arriving.clear();
                if value & 15 == 0 {
                    self.registers = [0; 0x40];
                    self.configuration = CONFIGURATION;
                    self.address = [0xff; 6];
                    self.groups.clear();
                }
            }
            _ => self.memory.breach(Breach::Untimely(register::PORT.into(), value)),
        }
    }

    fn mdi(&mut self, value: u32) {
        let number = value >> 16 & 31;
        let result = match (value >> 26 & 3, number) {
            (2, 1) => value & !0xffff | 0x782d,
            (2, _) => value & !0xffff,
            _ => value,
        };
        self.set(register::MDI, &(result | 1 << 28).to_le_bytes());
    }

    fn write_byte(&mut self, at: u8, value: u8) {
        match at {
            register::STATUS => {}
            register::EEPROM => self.eeprom.write(value),
            register::STAT_ACK => {
                let causes = self.byte(at) & !value;
                self.set(at, &[causes]);
            }
            register::COMMAND => self.command(value),
            register::MASK => {
                self.set(at, &[value & !REQUEST]);
                if value & REQUEST != 0 {
                    self.cause(cause::SWI);
                }
            }
            _ => self.set(at, &[value]),
        }
    }
}

impl Ports for Pro100 {
    fn read(&mut self, offset: u8, width: Width) -> u32 {
        self.memory.tick();
        self.follow_units();
        self.set(register::EEPROM, &[self.eeprom.read()]);
        let end = u32::from(offset) + u32::from(width.bytes());
        if end > 0x40 || !offset.is_multiple_of(width.bytes()) {
            self.memory.breach(Breach::NoRegister(offset.into()));
            return u32::MAX;
        }
        let whole = bytes::dword(&self.registers, usize::from(offset & !3));
        let value = u64::from(whole >> (8 * u32::from(offset & 3))) & width.mask();
        bytes::low_dword(value)
    }

    fn write(&mut self, offset: u8, width: Width, value: u32) {
        self.memory.tick();
        match (offset, width) {
            (register::PORT, Width::Four) => self.port(value),
            (register::MDI, Width::Four) => self.mdi(value),
            (register::POINTER, Width::Four) => self.set(offset, &value.to_le_bytes()),
            (_, Width::One) => self.write_byte(offset, bytes::nth(value.into(), 0)),
            // No driver of ours writes others in one.
            _ => self.memory.breach(Breach::NoRegister(offset.into())),
        }
    }
}
