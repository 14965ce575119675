//! A port: what the guest sees of its registers, and what goes to the controller's.
//!
//! Virtual are the addresses of the guest's lists, PxCI and PxSACT; the controller's own point to structures of ours,
//! for ever. The rest passes with reserved bits and what is hidden masked, so that link, power, errors and interrupts
//! are the hardware's.

use super::order::{STRUCTURE_ALIGNMENT, Structures};
use super::request::Request;
use super::slot::{Slot, Work};
use super::spec::{
    CAP_NCS_SHIFT, CAP_SALP, CAP_SSS, CAP2_APST, CAP2_SDS, LIST_ADDRESS, MAX_SLOTS, PORT_BYTES, PORTS, PX_CI,
    PX_CLB, PX_CLBU, PX_CMD, PX_CMD_ALPE, PX_CMD_APSTE, PX_CMD_ASP, PX_CMD_ATAPI, PX_CMD_CLO, PX_CMD_CPD,
    PX_CMD_CR, PX_CMD_DLAE, PX_CMD_ESP, PX_CMD_FBSCP, PX_CMD_FRE, PX_CMD_ICC, PX_CMD_PMA, PX_CMD_POD,
    PX_CMD_ST, PX_CMD_SUD, PX_DEVSLP, PX_DEVSLP_WRITABLE, PX_FB, PX_FBU, PX_IE, PX_IS, PX_IS_ALL,
    PX_IS_FATAL, PX_IS_PCS, PX_SACT, PX_SCTL, PX_SCTL_WRITABLE, PX_SERR, PX_SERR_EXCHANGED, PX_SIG, PX_SNTF,
    PX_SSTS, PX_SSTS_DET, PX_TFD, PX_TFD_ABORTED, RECEIVED_ADDRESS,
};
use crate::disk::command::TaskFile;
use crate::disk::drive::Drive;
use crate::disk::incident::{Incident, Incidents};
use crate::disk::shadow::Pool;
use crate::seam::{Host, Registers};
use crate::window::halves;
use alloc::vec::Vec;
use sekisho_abi::storage::Atapi;

/// What a port works with.
pub(super) struct Io<'a, R, H> {
    pub(super) registers: &'a mut R,
    pub(super) host: &'a mut H,
    pub(super) pool: &'a mut Pool,
    pub(super) incidents: &'a mut Incidents,
}

/// What the controller can do, as it says itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    pub(super) cap: u32,
    pub(super) cap2: u32,
}

/// One port.
pub(super) struct Port {
    /// Its number.
    pub(super) number: u8,
    /// Where its registers begin.
    base: u32,
    pub(super) abilities: Abilities,
    pub(super) atapi: Atapi,
    pub(super) structures: Structures,
    /// What is attached, once it said who it is.
    pub(super) drive: Option<Drive>,
    /// PxCLB and PxFB as the guest wrote them.
    list: u64,
    pub(super) received: u64,
    /// PxIE.
    enabled: u32,
    /// PxCMD.FRE.
    pub(super) receives: Receives,
    pub(super) engine: Engine,
    /// PxCI and PxSACT as the guest sees them.
    pub(super) issued: u32,
    pub(super) active: u32,
    /// Slots with a command that is to be given to the device next, again, or for the first time.
    pub(super) waiting: u32,
    /// Slots whose command the device has.
    pub(super) running: u32,
    pub(super) slots: Vec<Slot>,
    /// Commands that were submitted so far.
    submitted: u64,
    /// Completion bits of PxIS that are for the guest, until it clears them.
    pub(super) owed: u32,
    /// PxIS of a refusal that the device did not refuse; until the port is stopped.
    pub(super) feigned: Option<u32>,
    /// The queued command that was refused last, if the last error was that: the device does not know of it.
    pub(super) refused: Option<TaskFile>,
}

/// Whether the guest lets the controller write received FISes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receives {
    Yes,
    No,
}

/// What becomes of commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Engine {
    /// Stopped, or told to stop: what is still running may be under transfer until PxCMD.CR is clear.
    Stopped,
    /// They are carried out.
    Started,
    /// An error: nothing is carried out until the guest stops the port.
    Halted,
}

impl Port {
    pub(super) fn new(number: u8, abilities: Abilities, atapi: Atapi, structures: Structures) -> Self {
        let count = (abilities.cap >> CAP_NCS_SHIFT & 0x1f) as usize + 1;
        Self {
            number,
            base: PORTS + u32::from(number) * PORT_BYTES,
            abilities,
            atapi,
            structures,
            drive: None,
            list: 0,
            received: 0,
            enabled: 0,
            receives: Receives::No,
            engine: Engine::Stopped,
            issued: 0,
            active: 0,
            waiting: 0,
            running: 0,
            slots: (0..count.min(MAX_SLOTS)).map(|_| Slot::new()).collect(),
            submitted: 0,
            owed: 0,
            feigned: None,
            refused: None,
        }
    }

    /// Points the controller to our structures, and lets it interrupt nobody; the port is stopped.
    pub(super) fn place<R: Registers>(&self, registers: &mut R) {
        const { assert!(STRUCTURE_ALIGNMENT == 1024) };
        let [low, high] = halves(self.structures.list().0);
        registers.write(self.base + PX_CLB, low);
        registers.write(self.base + PX_CLBU, high);
        let [low, high] = halves(self.structures.received_area().0);
        registers.write(self.base + PX_FB, low);
        registers.write(self.base + PX_FBU, high);
        registers.write(self.base + PX_IE, 0);
    }

    /// One of the controller's registers of this port.
    pub(super) fn load<R: Registers>(&self, register: u32, registers: &mut R) -> u32 {
        registers.read(self.base + register)
    }

    /// Writes one.
    pub(super) fn store<R: Registers>(&self, register: u32, value: u32, registers: &mut R) {
        registers.write(self.base + register, value);
    }

    /// The guest reads the register at `offset` of this port.
    pub(super) fn read<R: Registers, H: Host>(&mut self, offset: u32, io: &mut Io<'_, R, H>) -> u32 {
        match offset {
            PX_CLB => halves(self.list)[0],
            PX_CLBU => halves(self.list)[1],
            PX_FB => halves(self.received)[0],
            PX_FBU => halves(self.received)[1],
            PX_IS => self.service(io),
            PX_IE => self.enabled,
            PX_CMD => self.command(io),
            PX_TFD => self.task_file(io),
            PX_SACT | PX_CI => {
                self.service(io);
                if offset == PX_CI { self.issued } else { self.active }
            }
            PX_SIG | PX_SSTS | PX_SERR | PX_SNTF => self.load(offset, io.registers),
            PX_SCTL => self.load(offset, io.registers) & PX_SCTL_WRITABLE,
            PX_DEVSLP if self.abilities.cap2 & CAP2_SDS != 0 => self.load(offset, io.registers),
            // Reserved, vendor specific, or of what CAP does not offer.
            _ => 0,
        }
    }

    /// The guest writes it.
    pub(super) fn write<R: Registers, H: Host>(&mut self, offset: u32, value: u32, io: &mut Io<'_, R, H>) {
        match offset {
            PX_CLB => self.list = join(value, halves(self.list)[1]) & LIST_ADDRESS,
            PX_CLBU => self.list = join(halves(self.list)[0], value),
            PX_FB => self.received = join(value, halves(self.received)[1]) & RECEIVED_ADDRESS,
            PX_FBU => self.received = join(halves(self.received)[0], value),
            PX_IS => self.acknowledge(value, io),
            PX_IE => {
                self.enabled = value & PX_IS_ALL;
                self.store(PX_IE, self.enabled, io.registers);
            }
            PX_CMD => self.set_command(value, io),
            PX_SCTL => self.set_control(value, io),
            PX_SERR => self.clear_errors(value, io),
            PX_SACT if self.engine != Engine::Stopped => self.active |= value & self.every_slot(),
            PX_CI if self.engine != Engine::Stopped => self.submit(value, io),
            PX_SNTF => self.store(PX_SNTF, value & 0xffff, io.registers),
            PX_DEVSLP if self.abilities.cap2 & CAP2_SDS != 0 => {
                let kept = self.load(PX_DEVSLP, io.registers) & !PX_DEVSLP_WRITABLE;
                self.store(PX_DEVSLP, kept | value & PX_DEVSLP_WRITABLE, io.registers);
            }
            _ => {}
        }
    }

    /// Whether the guest gets no interrupt of this port's.
    pub(super) const fn is_silent(&self) -> bool {
        self.enabled == 0
    }

    /// Whether commands are under way that can still end.
    pub(super) fn is_busy(&self) -> bool {
        self.engine == Engine::Started && self.waiting | self.running != 0
    }

    /// Whether the device is being asked what it is, of whose answer the guest may get no interrupt.
    pub(super) fn asks(&self) -> bool {
        matches!(self.first_running(), Some(Work::Identify(_)))
    }

    /// What the device has in the first slot that runs: all run together, or this one alone.
    pub(super) fn first_running(&self) -> Option<&Work> {
        let index = set_bits(self.running).next()?;
        self.slots.get(index).map(|slot| &slot.work)
    }

    /// The controller is being reset: all that the guest set up is gone. What the device had may still be under
    /// transfer until [`Self::reclaim`].
    pub(super) fn reset(&mut self, pool: &mut Pool) {
        self.stop(pool);
        self.may_be_exchanged();
        self.list = 0;
        self.received = 0;
        self.enabled = 0;
        self.receives = Receives::No;
    }

    /// The device has nothing any more.
    pub(super) fn reclaim<H: Host>(&mut self, pool: &mut Pool, host: &mut H) {
        for index in set_bits(self.running) {
            if let Some(slot) = self.slots.get_mut(index) {
                slot.give_back(pool);
            }
            self.structures.clear(index, host);
        }
        self.running = 0;
    }

    /// Another disk may answer from now on.
    pub(super) fn may_be_exchanged(&mut self) {
        if let Some(drive) = &mut self.drive {
            drive.reset();
        }
    }

    /// PxTFD.
    fn task_file<R: Registers, H: Host>(&mut self, io: &mut Io<'_, R, H>) -> u32 {
        self.service(io);
        match self.feigned {
            Some(_) => PX_TFD_ABORTED,
            None => self.load(PX_TFD, io.registers),
        }
    }

    /// PxIS is written: clears what the guest has seen and nothing that came since.
    fn acknowledge<R: Registers, H: Host>(&mut self, value: u32, io: &mut Io<'_, R, H>) {
        let seen = self.service(io);
        self.owed &= !value;
        if let Some(feigned) = &mut self.feigned {
            *feigned &= !value;
        }
        self.store(PX_IS, value & seen, io.registers);
    }

    /// PxCMD.
    fn command<R: Registers, H: Host>(&mut self, io: &mut Io<'_, R, H>) -> u32 {
        let command = self.load(PX_CMD, io.registers);
        self.settle(command, io);
        let hidden = PX_CMD_PMA | PX_CMD_FBSCP | PX_CMD_ESP;
        // Where we stopped a port that the guest started, it has not seen yet why.
        let started = if self.engine == Engine::Stopped {
            0
        } else {
            PX_CMD_ST | PX_CMD_CR
        };
        command & !hidden | started
    }

    /// PxCMD is written.
    fn set_command<R: Registers, H: Host>(&mut self, value: u32, io: &mut Io<'_, R, H>) {
        self.service(io);
        let command = self.load(PX_CMD, io.registers);
        self.settle(command, io);
        let mut value = command & !self.writable(command) | value & self.writable(command);
        if command & (PX_CMD_ST | PX_CMD_CR) != 0 {
            // Not before the command list stands still (10.3.2, 3.3.7).
            value |= command & PX_CMD_FRE;
            value &= !PX_CMD_CLO;
        }
        let start = value & PX_CMD_ST != 0 && self.engine == Engine::Stopped;
        if start && (command & PX_CMD_CR != 0 || self.running != 0 || value & PX_CMD_FRE == 0) {
            value &= !PX_CMD_ST;
        }
        if (value ^ command) & (PX_CMD_SUD | PX_CMD_POD) != 0 {
            self.may_be_exchanged();
        }
        self.receives = if value & PX_CMD_FRE != 0 {
            Receives::Yes
        } else {
            Receives::No
        };
        match (self.engine, value & PX_CMD_ST != 0) {
            (Engine::Stopped, true) => {
                // What was wrong before the port was stopped says nothing of what is started now.
                self.store(PX_IS, PX_IS_FATAL, io.registers);
                self.engine = Engine::Started;
            }
            (Engine::Halted, true) => value = value & !PX_CMD_ST | command & PX_CMD_ST,
            (Engine::Started | Engine::Halted, false) => self.stop(io.pool),
            (Engine::Stopped, false) | (Engine::Started, true) => {}
        }
        self.store(PX_CMD, value, io.registers);
    }

    /// What of PxCMD can be written, where it now reads as `command`.
    const fn writable(&self, command: u32) -> u32 {
        let mut bits = PX_CMD_ICC | PX_CMD_DLAE | PX_CMD_ATAPI | PX_CMD_FRE | PX_CMD_CLO | PX_CMD_ST;
        if self.abilities.cap & CAP_SSS != 0 {
            bits |= PX_CMD_SUD;
        }
        if self.abilities.cap & CAP_SALP != 0 {
            bits |= PX_CMD_ASP | PX_CMD_ALPE;
        }
        if self.abilities.cap2 & CAP2_APST != 0 {
            bits |= PX_CMD_APSTE;
        }
        if command & PX_CMD_CPD != 0 {
            bits |= PX_CMD_POD;
        }
        bits
    }

    /// PxSCTL is written. The link is not reset under a started command list (10.4.2).
    fn set_control<R: Registers, H>(&mut self, value: u32, io: &mut Io<'_, R, H>) {
        let mut value = value & PX_SCTL_WRITABLE;
        if self.load(PX_CMD, io.registers) & PX_CMD_ST != 0 {
            let kept = self.load(PX_SCTL, io.registers) & PX_SSTS_DET;
            value = value & !PX_SSTS_DET | kept;
        }
        if value & PX_SSTS_DET != 0 {
            self.may_be_exchanged();
        }
        self.store(PX_SCTL, value, io.registers);
    }

    /// The guest stops the port: what it submitted is forgotten (3.3.13, 3.3.14).
    fn stop(&mut self, pool: &mut Pool) {
        self.engine = Engine::Stopped;
        self.issued = 0;
        self.active = 0;
        self.waiting = 0;
        self.owed = 0;
        self.feigned = None;
        pool.forget(self.number);
    }

    /// Takes back what a stopped port had, once the controller says that it stands still.
    fn settle<R: Registers, H: Host>(&mut self, command: u32, io: &mut Io<'_, R, H>) {
        if self.engine != Engine::Started && command & (PX_CMD_ST | PX_CMD_CR) == 0 {
            self.reclaim(io.pool, io.host);
        }
    }

    /// PxSERR is written. Once DIAG.X is clear the controller listens to the device again, which may be another one:
    /// not before we have seen it too, nor while it still has commands for the one that was there.
    fn clear_errors<R: Registers, H: Host>(&mut self, value: u32, io: &mut Io<'_, R, H>) {
        let status = self.service(io);
        let mut value = value;
        if value & PX_SERR_EXCHANGED != 0 {
            let command = self.load(PX_CMD, io.registers);
            self.settle(command, io);
            if self.running != 0 || status & PX_IS_PCS == 0 {
                value &= !PX_SERR_EXCHANGED;
            }
        }
        self.store(PX_SERR, value, io.registers);
    }

    /// PxCI is written: the guest submits the commands of these slots.
    fn submit<R: Registers, H: Host>(&mut self, slots: u32, io: &mut Io<'_, R, H>) {
        let used = self.issued | self.waiting | self.running;
        if slots & used != 0 {
            // The commands that are there are not to be changed.
            io.incidents.add(Incident::MalformedCommand, self.number, 0);
        }
        for index in set_bits(slots & !used) {
            let Some(slot) = self.slots.get_mut(index) else {
                continue;
            };
            slot.submit(Request::copy(self.list, index, io.host.guest()), self.submitted);
            self.submitted += 1;
            self.issued |= 1 << index;
            self.waiting |= 1 << index;
        }
        self.service(io);
    }

    fn every_slot(&self) -> u32 {
        (0..self.slots.len()).fold(0, |bits, index| bits | 1 << index)
    }
}

/// The numbers of the bits that are set, ascending.
pub(super) fn set_bits(mut mask: u32) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let lowest = mask.trailing_zeros();
        mask &= mask.checked_sub(1)?;
        Some(lowest as usize)
    })
}

/// The address of two registers.
const fn join(low: u32, high: u32) -> u64 {
    (high as u64) << 32 | low as u64
}
