//! A port's registers: what each write may do, and when.

use super::engine::Engine;
use super::spec::{SSTS_UP, TFD_ABSENT, TFD_WAITING, cmd, interrupt, port, serr};
use crate::ata::Drive;
use crate::ata::spec::status;
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Memory;

/// How far the link to the drive is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Link {
    /// Nobody there, or kept in reset.
    Down,
    /// Speeds are being agreed on.
    Training,
    /// Up; the drive has not said who it is.
    Quiet,
    /// The drive has sent its signature.
    Up,
}

/// A port and what hangs on it.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) number: u8,
    pub(super) memory: Memory,
    pub(super) drive: Option<Drive>,
    pub(super) link: Link,
    pub(super) engine: Engine,
    pub(super) list: u64,
    pub(super) fis_area: u64,
    /// What is latched; bits that follow PxSERR are not in it.
    pub(super) interrupts: u32,
    pub(super) command: u32,
    pub(super) task_file: u32,
    pub(super) signature: u32,
    pub(super) errors: u32,
    pub(super) active: u32,
    pub(super) issued: u32,
    interrupt_enable: u32,
    control: u32,
}

/// Bits of a base address that must be zero.
const LIST_ALIGNMENT: u32 = 0x3ff;
const FIS_ALIGNMENT: u32 = 0xff;
/// PxSCTL.DET: keep resetting, and disable.
const DET: u32 = 0xf;
const DET_RESET: u32 = 1;
const SCTL_RESERVED: u32 = 0xffff_f000;
const SNTF_RESERVED: u32 = 0xffff_0000;
/// Reserved, and what only the hardware says: sleep is offered nowhere.
const DEVSLP_RESERVED: u32 = 0xfe00_0002;
const SSTS_SPEED_AND_POWER: u32 = 0xff0;
/// What the registers of nobody read.
const NO_SIGNATURE: u32 = u32::MAX;

impl Port {
    /// A port as it comes out of reset.
    pub(super) fn new(number: u8, memory: Memory, drive: Option<Drive>) -> Self {
        let mut port = Self {
            number,
            memory,
            drive,
            link: Link::Down,
            engine: Engine::default(),
            list: 0,
            fis_area: 0,
            interrupts: 0,
            command: cmd::SUD | cmd::POD,
            task_file: TFD_ABSENT,
            signature: NO_SIGNATURE,
            errors: 0,
            active: 0,
            issued: 0,
            interrupt_enable: 0,
            control: 0,
        };
        port.connect();
        port
    }

    /// The whole controller is reset.
    pub(super) fn reset(&mut self) {
        self.drop_commands();
        self.release_all();
        if let Some(drive) = &mut self.drive {
            drive.reset();
        }
        *self = Self::new(self.number, self.memory.clone(), self.drive.take());
    }

    /// PxIS as it reads.
    pub(super) const fn pending(&self) -> u32 {
        let mut pending = self.interrupts;
        if self.errors & serr::X != 0 {
            pending |= interrupt::PCS;
        }
        if self.errors & serr::N != 0 {
            pending |= interrupt::PRCS;
        }
        pending
    }

    /// Whether it asks for an interrupt.
    pub(super) const fn asks(&self) -> bool {
        self.pending() & self.interrupt_enable != 0
    }

    pub(super) fn read(&self, register: u32) -> u32 {
        match register {
            port::CLB => bytes::low_dword(self.list),
            port::CLBU => bytes::low_dword(self.list >> 32),
            port::FB => bytes::low_dword(self.fis_area),
            port::FBU => bytes::low_dword(self.fis_area >> 32),
            port::IS => self.pending(),
            port::IE => self.interrupt_enable,
            port::CMD => self.command | u32::from(self.engine.slot) << cmd::CCS_SHIFT,
            port::TFD => self.task_file,
            port::SIG => self.signature,
            port::SSTS => self.link_status(),
            port::SCTL => self.control,
            port::SERR => self.errors,
            port::SACT => self.active,
            port::CI => self.issued,
            _ => 0,
        }
    }

    pub(super) fn write(&mut self, register: u32, value: u32) {
        let (in_list, in_area) = (cmd::ST | cmd::CR, cmd::FRE | cmd::FR);
        let low = |old: u64, alignment: u32| old >> 32 << 32 | u64::from(value & !alignment);
        let high = |old: u64| u64::from(value) << 32 | old & 0xffff_ffff;
        match register {
            port::CLB => {
                self.expect_free(register, value & LIST_ALIGNMENT, in_list);
                self.list = low(self.list, LIST_ALIGNMENT);
            }
            port::CLBU => {
                self.expect_free(register, 0, in_list);
                self.list = high(self.list);
            }
            port::FB => {
                self.expect_free(register, value & FIS_ALIGNMENT, in_area);
                self.fis_area = low(self.fis_area, FIS_ALIGNMENT);
            }
            port::FBU => {
                self.expect_free(register, 0, in_area);
                self.fis_area = high(self.fis_area);
            }
            port::IS => {
                self.expect_zero(register, value & !interrupt::ALL);
                self.interrupts &= !value;
            }
            port::IE => {
                self.expect_zero(register, value & !interrupt::ALL);
                self.interrupt_enable = value & interrupt::ALL;
            }
            port::CMD => self.write_command(value),
            port::SCTL => self.write_control(value),
            port::SERR => self.errors &= !value,
            port::SACT => self.write_active(value),
            port::CI => self.issue(value),
            // No drive here notifies, and none sleeps.
            port::SNTF => self.expect_zero(register, value & SNTF_RESERVED),
            port::DEVSLP => self.expect_zero(register, value & DEVSLP_RESERVED),
            _ => self.expect_zero(register, value),
        }
    }

    /// A drive is plugged in, or pulled out.
    pub(super) fn plug(&mut self, drive: Option<Drive>) {
        self.drop_link();
        self.drive = drive;
        self.errors |= serr::N;
        self.connect();
    }

    fn link_status(&self) -> u32 {
        match self.link {
            Link::Down | Link::Training => 0,
            Link::Quiet | Link::Up => SSTS_UP & SSTS_SPEED_AND_POWER | 3,
        }
    }

    fn connect(&mut self) {
        if self.drive.is_some() && self.control & DET == 0 {
            self.link = Link::Training;
            self.task_file = TFD_WAITING;
        }
    }

    fn drop_link(&mut self) {
        self.link = Link::Down;
        self.task_file = TFD_ABSENT;
        self.signature = NO_SIGNATURE;
        self.drop_commands();
    }

    fn write_command(&mut self, value: u32) {
        self.expect_zero(port::CMD, value & (cmd::RESERVED | cmd::PMA));
        let (was_on, is_on) = (self.command & cmd::ST != 0, value & cmd::ST != 0);
        if value & cmd::CLO != 0 {
            self.expect(was_on || self.command & cmd::CR == 0, port::CMD, value);
            self.task_file &= !u32::from(status::BSY | status::DRQ);
        }
        if is_on && !was_on {
            let busy = self.task_file & u32::from(status::BSY | status::DRQ) != 0;
            let receives = value & self.command & cmd::FRE != 0;
            let stopped = self.command & cmd::CR == 0;
            self.expect(!busy && receives && stopped, port::CMD, value);
        }
        if was_on && !is_on {
            self.issued = 0;
            self.active = 0;
            if self.command & cmd::CR == 0 {
                // Stopped before it began: nothing that was issued will be fetched.
                self.abandon();
            }
        }
        // The area may go only when nothing runs any more (section 10.3.2).
        let keeps_area = value & cmd::FRE != 0 || self.command & (cmd::ST | cmd::CR) == 0;
        self.expect(keeps_area, port::CMD, value);
        let settable = cmd::ST | cmd::FRE | cmd::SETTINGS;
        self.command = self.command & !settable | value & settable;
    }

    fn write_control(&mut self, value: u32) {
        self.expect_zero(port::SCTL, value & SCTL_RESERVED);
        let (was, is) = (self.control & DET, value & DET);
        self.control = value & !SCTL_RESERVED;
        if was == is {
            return;
        }
        self.expect(self.command & cmd::ST == 0, port::SCTL, value);
        if is == DET_RESET {
            self.drop_link();
            if let Some(drive) = &mut self.drive {
                drive.reset();
            }
        } else if is == 0 {
            self.connect();
        } else {
            self.drop_link();
        }
    }

    fn write_active(&mut self, value: u32) {
        let again = value & self.active;
        self.expect(self.command & cmd::ST != 0 && again == 0, port::SACT, value);
        if self.command & cmd::ST != 0 {
            self.active |= value;
        }
    }

    /// Keeps a breach where a register that `users` work with is changed, or a bit of `misplaced` is set.
    fn expect_free(&self, register: u32, misplaced: u32, users: u32) {
        self.expect_zero(register, misplaced);
        if self.command & users != 0 {
            self.memory.breach(Breach::ChangedInUse(self.offset(register)));
        }
    }

    fn expect_zero(&self, register: u32, reserved: u32) {
        if reserved != 0 {
            self.memory
                .breach(Breach::ReservedBits(self.offset(register), reserved));
        }
    }

    pub(super) fn expect(&self, holds: bool, register: u32, value: u32) {
        if !holds {
            self.memory.breach(Breach::Untimely(self.offset(register), value));
        }
    }

    fn offset(&self, register: u32) -> u32 {
        super::spec::PORTS + u32::from(self.number) * super::spec::PORT_SIZE + register
    }
}
