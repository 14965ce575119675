//! The device: its registers, its link, its interrupts.

use super::spec::{EXSTEN, cause, control, ctrl, register, status};
use super::transmit::Context;
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Memory;
use crate::pace::Pace;
use sekisho_mediator::seam::Registers;
use std::collections::{BTreeMap, VecDeque};

/// Which member of the family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavour {
    /// 82540EM: PCI, two contexts.
    E82540,
    /// 82574L: PCI Express, one context.
    E82574,
}

/// The cable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Plugged in.
    Up,
    /// Pulled out.
    Down,
}

/// A NIC.
#[derive(Clone, Debug)]
pub struct Pro1000 {
    pub(super) memory: Memory,
    pub(super) flavour: Flavour,
    pub(super) values: BTreeMap<u32, u32>,
    pub(super) address: [u8; 6],
    link: Link,
    pace: Pace,
    /// What came from the wire and is not received yet.
    pub(super) arriving: VecDeque<Vec<u8>>,
    /// What went onto the wire.
    pub(super) sent: Vec<Vec<u8>>,
    /// Of the frame that is being transmitted.
    pub(super) partial: Vec<u8>,
    pub(super) options: u8,
    pub(super) sums: Context,
    pub(super) segments: Context,
    phy: BTreeMap<u32, u16>,
    accesses: u64,
}

/// Causes pending, and those that are not masked.
pub(super) const PENDING: u32 = register::ICR;
const MASK: u32 = register::IMS;
/// Bits of RCTL that are reserved, or of descriptors that are not carried out here.
const RECEIVE_UNDEFINED: u32 = 1 | 1 << 14 | 1 << 21 | 1 << 24 | 0xf800_0000 | control::DTYP;
const TRANSMIT_UNDEFINED: u32 = 1 | 1 << 2;
/// PHY: status, with the link and the end of negotiation.
const PHY_STATUS: u32 = 1;
const PHY_LINKED: u16 = 0x796d;
const PHY_UNLINKED: u16 = 0x7949;
const PHY_IDENTITY: [u16; 2] = [0x0141, 0x0c50];

impl Pro1000 {
    /// A NIC as after switching on, with its cable plugged in.
    #[must_use]
    pub fn new(memory: &Memory, flavour: Flavour, address: [u8; 6]) -> Self {
        let mut nic = Self {
            memory: memory.clone(),
            flavour,
            values: BTreeMap::new(),
            address,
            link: Link::Up,
            pace: Pace::WhenTold,
            arriving: VecDeque::new(),
            sent: Vec::new(),
            partial: Vec::new(),
            options: 0,
            sums: Context::default(),
            segments: Context::default(),
            phy: BTreeMap::new(),
            accesses: 0,
        };
        nic.reset();
        nic
    }

    /// When it works from now on.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Plugs the cable in, or pulls it out.
    pub fn plug(&mut self, link: Link) {
        self.link = link;
        self.cause(cause::LSC);
    }

    /// A frame comes by the wire, without its check sequence.
    pub fn inject(&mut self, frame: &[u8]) {
        self.arriving.push_back(frame.to_vec());
    }

    /// Frames that went onto the wire, whole and padded, without check sequences.
    #[must_use]
    pub fn sent(&self) -> &[Vec<u8>] {
        &self.sent
    }

    /// The same, and forgets them.
    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        core::mem::take(&mut self.sent)
    }

    /// Does one thing; whether there was one to do.
    pub fn step(&mut self) -> bool {
        self.step_transmit() || self.step_receive()
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
        self.value(PENDING) & self.value(MASK) != 0
    }

    /// Register accesses so far.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.accesses
    }

    /// What a register holds, without an access.
    #[must_use]
    pub fn value(&self, offset: u32) -> u32 {
        self.values.get(&offset).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, offset: u32, value: u32) {
        self.values.insert(offset, value);
    }

    pub(super) fn cause(&mut self, causes: u32) {
        self.set(PENDING, self.value(PENDING) | causes);
    }

    /// Whether frames can come and go.
    pub(super) fn is_linked(&self) -> bool {
        self.link == Link::Up && self.value(register::CTRL) & ctrl::SLU != 0
    }

    /// CTRL.RST: the memory that it used is free.
    pub(super) fn reset(&mut self) {
        self.release_all();
        self.values.clear();
        self.partial.clear();
        (self.sums, self.segments) = (Context::default(), Context::default());
        self.set(register::CTRL, ctrl::SLU | 0x1a01);
        let [a, b, c, d, e, f] = self.address;
        self.set(register::RAL, u32::from_le_bytes([a, b, c, d]));
        self.set(register::RAH, u32::from_le_bytes([e, f, 0, 0x80]));
        self.arriving.clear();
    }

    fn access(&mut self, offset: u32) {
        self.memory.tick();
        self.accesses += 1;
        if offset & 3 != 0 || offset >= 0x2_0000 {
            self.memory.breach(Breach::NoRegister(offset));
        }
        if self.pace == Pace::AtAccess {
            self.step();
        }
    }

    fn phy_access(&mut self, value: u32) {
        let number = value >> 16 & 31;
        let result = match value >> 26 & 3 {
            1 => {
                self.phy.insert(number, bytes::low_word(value.into()));
                value
            }
            2 => value & !0xffff | u32::from(self.phy_register(number)),
            _ => value,
        };
        self.set(register::MDIC, result | 1 << 28);
    }

    fn phy_register(&self, number: u32) -> u16 {
        match number {
            PHY_STATUS if self.is_linked() => PHY_LINKED,
            PHY_STATUS => PHY_UNLINKED,
            2 | 3 => PHY_IDENTITY
                .get(bytes::size(u64::from(number) - 2))
                .copied()
                .unwrap_or(0),
            17 if self.is_linked() => 0xac00,
            _ => self.phy.get(&number).copied().unwrap_or(0),
        }
    }

    /// What the PHY was told, by register.
    #[must_use]
    pub fn phy_writes(&self) -> usize {
        self.phy.len()
    }

    fn write_engine(&mut self, offset: u32, value: u32) {
        let (undefined, engine) = match offset {
            register::RCTL => (RECEIVE_UNDEFINED, register::RCTL),
            _ => (TRANSMIT_UNDEFINED, register::TCTL),
        };
        self.expect_zero(offset, value & undefined);
        let before = self.value(engine);
        self.set(offset, value);
        if before & control::EN == 0 && value & control::EN != 0 {
            self.claim_new(offset == register::RCTL);
        }
    }

    /// A ring moves only while its engine is off; only its tail moves while it is on.
    fn write_ring(&mut self, offset: u32, value: u32) {
        let engine = if offset < register::TDBAL {
            register::RCTL
        } else {
            register::TCTL
        };
        let is_tail = matches!(offset, register::RDT | register::TDT);
        let is_on = self.value(engine) & control::EN != 0;
        if is_on && !is_tail && self.value(offset) != value {
            self.memory.breach(Breach::ChangedInUse(offset));
        }
        match offset {
            register::RDBAL | register::TDBAL => self.expect_zero(offset, value & 15),
            register::RDLEN | register::TDLEN => self.expect_zero(offset, value & !0xf_ff80),
            _ if is_tail => {
                let length = self.value(if offset == register::RDT {
                    register::RDLEN
                } else {
                    register::TDLEN
                });
                if value >= length / 16 {
                    self.memory.breach(Breach::Untimely(offset, value));
                    return;
                }
            }
            _ => {}
        }
        let before = self.value(offset);
        self.set(offset, value);
        if is_tail && is_on {
            self.claim_range(offset == register::RDT, before, value);
        }
    }

    fn expect_zero(&self, offset: u32, reserved: u32) {
        if reserved != 0 {
            self.memory.breach(Breach::ReservedBits(offset, reserved));
        }
    }

    fn status(&self) -> u32 {
        let linked = if self.is_linked() { status::LU | 0x81 } else { 0 };
        let is_master =
            self.flavour == Flavour::E82574 && self.value(register::CTRL) & ctrl::GIO_MASTER_DISABLE == 0;
        let master = if is_master { status::GIO_MASTER } else { 0 };
        linked | master
    }
}

impl Registers for Pro1000 {
    fn read(&mut self, offset: u32) -> u32 {
        self.access(offset);
        match offset {
            register::STATUS => self.status(),
            register::ICR => {
                let is_asserted = self.flavour == Flavour::E82574 && self.interrupts();
                let causes = self.value(PENDING);
                self.set(PENDING, 0);
                causes | if is_asserted { cause::ASSERTED } else { 0 }
            }
            register::MPC => {
                let count = self.value(offset);
                self.set(offset, 0);
                count
            }
            register::ICS | register::IMC => 0,
            _ => self.value(offset),
        }
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.access(offset);
        match offset {
            register::CTRL if value & ctrl::RST != 0 => self.reset(),
            register::STATUS => {}
            register::ICR => self.set(PENDING, self.value(PENDING) & !value),
            register::ICS => self.cause(value & 0x01ff_ffff),
            register::IMS => self.set(MASK, self.value(MASK) | value),
            register::IMC => self.set(MASK, self.value(MASK) & !value),
            register::MDIC => self.phy_access(value),
            register::EERD => self.set(offset, value & !1 | 1 << 4),
            register::RCTL | register::TCTL => self.write_engine(offset, value),
            register::RDBAL..=register::RDT | register::TDBAL..=register::TDT => {
                self.write_ring(offset, value);
            }
            register::RFCTL => {
                self.expect_zero(offset, value & EXSTEN);
                self.set(offset, value);
            }
            _ => self.set(offset, value),
        }
    }
}
