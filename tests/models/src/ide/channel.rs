//! A channel's registers: which drive hears what, and when.

use super::bus_master::BusMaster;
use super::spec::{SECOND_DRIVE, control, register};
use super::work::Phase;
use crate::ata::spec::status;
use crate::ata::{Drive, TaskFile};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Memory;

/// The two bytes behind one register: what was written last, and what before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twice {
    pub(super) last: u8,
    pub(super) before: u8,
}

impl Twice {
    pub(super) const fn set(&mut self, value: u8) {
        self.before = self.last;
        self.last = value;
    }
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) memory: Memory,
    /// The port of its data register in compatibility mode, which names it.
    pub(super) port: u16,
    pub(super) drives: [Option<Drive>; 2],
    pub(super) bus_master: BusMaster,
    pub(super) phase: Phase,
    pub(super) status: u8,
    pub(super) error: u8,
    pub(super) count: Twice,
    /// Low, middle, high.
    pub(super) lba: [Twice; 3],
    pub(super) device: u8,
    pub(super) control: u8,
    features: Twice,
    /// The drive asks for an interrupt, let through or not.
    asks: Asks,
    edges: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asks {
    Yes,
    No,
}

/// Status of a channel without drives.
const FLOATING: u8 = 0x7f;

impl Channel {
    pub(super) fn new(memory: &Memory, port: u16, bus_master: u16, drives: [Option<Drive>; 2]) -> Self {
        let mut channel = Self {
            memory: memory.clone(),
            port,
            drives,
            bus_master: BusMaster::new(memory.clone(), bus_master),
            phase: Phase::Idle,
            status: status::DRDY | status::DSC,
            error: 1,
            count: Twice::default(),
            lba: [Twice::default(); 3],
            device: 0,
            control: 0,
            features: Twice::default(),
            asks: Asks::No,
            edges: 0,
        };
        channel.sign();
        channel
    }

    /// The drive that is selected.
    pub(super) fn drive(&mut self) -> Option<&mut Drive> {
        let [first, second] = &mut self.drives;
        match self.device & SECOND_DRIVE {
            0 => first.as_mut(),
            _ => second.as_mut(),
        }
    }

    /// Whether the interrupt line is high.
    pub(super) fn is_interrupting(&self) -> bool {
        self.asks == Asks::Yes && self.control & control::NIEN == 0
    }

    /// How often it went high.
    pub(super) const fn edges(&self) -> u64 {
        self.edges
    }

    /// The drive asks for an interrupt; the bus master remembers.
    pub(super) fn ask(&mut self) {
        if self.asks == Asks::No && self.control & control::NIEN == 0 {
            self.edges += 1;
            self.bus_master.status |= super::spec::bus_master::INTERRUPT;
        }
        self.asks = Asks::Yes;
    }

    pub(super) fn read(&mut self, offset: u16) -> u8 {
        if self.drives.iter().all(Option::is_none) {
            return FLOATING;
        }
        if self.drive().is_none() {
            return 0;
        }
        let part = |twice: &Twice| match self.control & control::HOB {
            0 => twice.last,
            _ => twice.before,
        };
        let [low, mid, high] = &self.lba;
        let is_busy = self.status & status::BSY != 0;
        match offset {
            register::STATUS => {
                self.asks = Asks::No;
                self.status
            }
            _ if is_busy => self.status,
            register::ERROR => self.error,
            register::COUNT => part(&self.count),
            register::LBA_LOW => part(low),
            register::LBA_MID => part(mid),
            register::LBA_HIGH => part(high),
            register::DEVICE => self.device,
            _ => {
                self.expect(false, offset);
                u8::MAX
            }
        }
    }

    /// Status without the acknowledgement.
    pub(super) fn alternate_status(&mut self) -> u8 {
        let present = self.drive().is_some();
        match (present, self.drives.iter().all(Option::is_none)) {
            (true, _) => self.status,
            (false, false) => 0,
            (false, true) => FLOATING,
        }
    }

    pub(super) fn write(&mut self, offset: u16, value: u8) {
        self.control &= !control::HOB;
        let is_reset = offset == register::STATUS && value == DEVICE_RESET;
        let is_free = self.status & (status::BSY | status::DRQ) == 0;
        self.expect(is_free || is_reset, offset);
        if !is_free {
            return;
        }
        let [low, mid, high] = &mut self.lba;
        match offset {
            register::ERROR => self.features.set(value),
            register::COUNT => self.count.set(value),
            register::LBA_LOW => low.set(value),
            register::LBA_MID => mid.set(value),
            register::LBA_HIGH => high.set(value),
            register::DEVICE => self.device = value,
            register::STATUS => self.receive(value),
            _ => self.expect(false, offset),
        }
    }

    pub(super) fn write_control(&mut self, value: u8) {
        if value & control::RESERVED & !(1 << 3) != 0 {
            self.expect(false, CONTROL_NAME);
        }
        let (was, is) = (self.control & control::SRST, value & control::SRST);
        self.control = value;
        if is != 0 {
            self.status = status::BSY;
            self.asks = Asks::No;
            self.phase = Phase::InReset;
        } else if was != 0 {
            self.phase = Phase::Resetting;
        }
    }

    /// The signature of the selected drive in the registers, as after a reset.
    pub(super) fn sign(&mut self) {
        self.device &= SECOND_DRIVE;
        let signature = self.drive().map_or(0, |drive| drive.signature());
        let [count, low, mid, high] = signature.to_le_bytes();
        let once = |last| Twice { last, before: 0 };
        self.count = once(count);
        self.lba = [once(low), once(mid), once(high)];
        self.error = 1;
    }

    /// What the registers say the command is.
    fn task(&self, command: u8) -> TaskFile {
        let [low, mid, high] = &self.lba;
        let lba = [
            low.last,
            mid.last,
            high.last,
            low.before,
            mid.before,
            high.before,
            0,
            0,
        ];
        TaskFile {
            command,
            features: u16::from_le_bytes([self.features.last, self.features.before]),
            count: u16::from_le_bytes([self.count.last, self.count.before]),
            lba: u64::from_le_bytes(lba),
            device: self.device,
        }
    }

    fn receive(&mut self, command: u8) {
        self.asks = Asks::No;
        if self.drive().is_some() {
            self.status = status::BSY;
            self.phase = Phase::Received(self.task(command));
        }
    }

    /// Puts an answer's address and count where they are read.
    pub(super) fn answer(&mut self, count: u16, lba: u64) {
        let [count, count_before] = count.to_le_bytes();
        self.count = Twice {
            last: count,
            before: count_before,
        };
        for (place, twice) in self.lba.iter_mut().enumerate() {
            *twice = Twice {
                last: bytes::nth(lba, place),
                before: bytes::nth(lba, place + 3),
            };
        }
    }

    pub(super) fn expect(&self, holds: bool, offset: u16) {
        if !holds {
            self.memory.breach(Breach::NotExpected(self.port + offset));
        }
    }
}

/// DEVICE RESET, which packet drives take even while they are busy.
const DEVICE_RESET: u8 = 0x08;
/// 3F6h, seen from 1F0h.
const CONTROL_NAME: u16 = 0x206;
