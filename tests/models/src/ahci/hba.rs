//! The controller: its generic registers, its ports, its interrupt line.

use super::port::Port;
use super::spec::{PORT_SIZE, PORTS, bohc, generic, ghc};
use crate::ata::{Disk, Drive};
use crate::breach::Breach;
use crate::memory::Memory;
use crate::pace::Pace;
use crate::sequence::Sequence;
use sekisho_mediator::seam::Registers;

/// An AHCI 1.3.1 controller that offers everything.
#[derive(Clone, Debug)]
pub struct Hba {
    memory: Memory,
    ports: Vec<Port>,
    control: u32,
    /// BOHC.
    owner: u32,
    interrupts: u32,
    line: Line,
    edges: u64,
    pace: Pace,
    chance: Sequence,
}

/// The interrupt line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Nobody asks.
    Low,
    /// A port asks.
    High,
}

/// 32 slots, 64-bit addresses, queueing, port multipliers, FIS-based switching, coalescing, enclosure management, and
/// everything else but staggered spin-up: what a mediator hides must be there to be hidden.
const CAPABILITIES: u32 = 0xf737_ffc0;
const PORTS_LESS_ONE: u32 = 0x1f;
const CAPABILITIES_2: u32 = 0x3d;
const VERSION: u32 = 0x0001_0301;
/// More steps than any list of commands needs.
const ENOUGH: usize = 100_000;

impl Hba {
    /// A controller with a port for each of `drives`, at most 32.
    #[must_use]
    pub fn new(memory: &Memory, drives: Vec<Option<Drive>>, seed: u64) -> Self {
        let ports = (0..32)
            .zip(drives)
            .map(|(number, drive)| Port::new(number, memory.clone(), drive))
            .collect();
        Self {
            memory: memory.clone(),
            ports,
            control: 0,
            owner: bohc::BOS,
            interrupts: 0,
            line: Line::Low,
            edges: 0,
            pace: Pace::WhenTold,
            chance: Sequence::new(seed),
        }
    }

    /// When it works from now on.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Does one thing; whether there was one to do.
    pub fn step(&mut self) -> bool {
        let first = self.chance.below(self.ports.len() as u64);
        let first = crate::bytes::size(first);
        let (before, behind) = self.ports.split_at_mut(first);
        let mut in_turn = behind.iter_mut().chain(before);
        let did = in_turn.any(|port| port.step(&mut self.chance));
        self.follow_line();
        did
    }

    /// Works until there is nothing left to do.
    pub fn run(&mut self) {
        for _ in 0..ENOUGH {
            if !self.step() {
                return;
            }
        }
    }

    /// The interrupt line.
    #[must_use]
    pub const fn line(&self) -> Line {
        self.line
    }

    /// How often it went high.
    #[must_use]
    pub const fn edges(&self) -> u64 {
        self.edges
    }

    /// The disk on a port.
    #[must_use]
    pub fn disk(&self, port: usize) -> Option<&Disk> {
        self.ports.get(port)?.drive.as_ref()?.disk()
    }

    /// The disk on a port.
    pub fn disk_mut(&mut self, port: usize) -> Option<&mut Disk> {
        self.ports.get_mut(port)?.drive.as_mut()?.disk_mut()
    }

    /// The drive on a port.
    #[must_use]
    pub fn drive(&self, port: usize) -> Option<&Drive> {
        self.ports.get(port)?.drive.as_ref()
    }

    /// Plugs a drive in where there was another or none, or pulls it out.
    pub fn plug(&mut self, port: usize, drive: Option<Drive>) {
        if let Some(port) = self.ports.get_mut(port) {
            port.plug(drive);
        }
        self.follow_line();
    }

    /// Every disk loses its power, and the controller is as after switching on.
    pub fn lose_power(&mut self) {
        for port in &mut self.ports {
            if let Some(Drive::Disk(disk)) = &mut port.drive {
                disk.lose_power(&mut self.chance);
            }
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.control = 0;
        self.interrupts = 0;
        self.ports.iter_mut().for_each(Port::reset);
    }

    /// IS collects what ports ask for; the line is high while it holds something and interrupts are enabled.
    fn follow_line(&mut self) {
        for port in &self.ports {
            if port.asks() {
                self.interrupts |= 1 << port.number;
            }
        }
        let line = match self.control & ghc::IE != 0 && self.interrupts != 0 {
            true => Line::High,
            false => Line::Low,
        };
        if line == Line::High && self.line == Line::Low {
            self.edges += 1;
        }
        self.line = line;
    }

    fn implemented(&self) -> u32 {
        self.ports.iter().fold(0, |mask, port| mask | 1 << port.number)
    }

    fn access(&mut self, offset: u32) {
        self.memory.tick();
        if offset & 3 != 0 {
            self.memory.breach(Breach::NoRegister(offset));
        }
        if self.pace == Pace::AtAccess {
            self.step();
        }
    }

    /// The port that has the register at `offset`, and the register's offset in it.
    fn port(&mut self, offset: u32) -> Option<(&mut Port, u32)> {
        let place = offset.checked_sub(PORTS)?;
        let port = self
            .ports
            .get_mut(crate::bytes::size((place / PORT_SIZE).into()))?;
        Some((port, place % PORT_SIZE))
    }

    fn write_generic(&mut self, offset: u32, value: u32) {
        match offset {
            generic::GHC if value & ghc::HR != 0 => self.reset(),
            generic::GHC => {
                let settable = ghc::AE | ghc::IE;
                self.expect_zero(offset, value & !settable);
                self.control = value & settable;
            }
            generic::IS => {
                self.expect_zero(offset, value & !self.implemented());
                self.interrupts &= !value;
            }
            // The firmware lets go as soon as it is asked.
            generic::BOHC if value & bohc::OOS != 0 => self.owner = bohc::OOS,
            // Written once by firmware; the guest may write what is there.
            generic::CAP | generic::PI | generic::VS | generic::CAP2 => {}
            _ => self.expect_zero(offset, value),
        }
    }

    fn expect_zero(&self, offset: u32, reserved: u32) {
        if reserved != 0 {
            self.memory.breach(Breach::ReservedBits(offset, reserved));
        }
    }
}

impl Registers for Hba {
    fn read(&mut self, offset: u32) -> u32 {
        self.access(offset);
        match offset {
            generic::CAP => CAPABILITIES | self.implemented().count_ones().saturating_sub(1) & PORTS_LESS_ONE,
            generic::GHC => self.control,
            generic::IS => self.interrupts,
            generic::PI => self.implemented(),
            generic::VS => VERSION,
            generic::CAP2 => CAPABILITIES_2,
            generic::BOHC => self.owner,
            _ => self
                .port(offset)
                .map_or(0, |(port, register)| port.read(register)),
        }
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.access(offset);
        let is_off = self.control & ghc::AE == 0 && offset != generic::GHC && offset != generic::BOHC;
        if is_off {
            self.memory.breach(Breach::Untimely(offset, value));
            return;
        }
        match self.port(offset) {
            Some((port, register)) => port.write(register, value),
            None if offset >= PORTS => self.memory.breach(Breach::NoRegister(offset)),
            None => self.write_generic(offset, value),
        }
        self.follow_line();
    }
}
