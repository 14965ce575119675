//! What the device has done, and when the guest sees it.
//!
//! The device's interrupts go to the guest. Its driver then reads the controller's registers, and every such read
//! leads here first: data is decrypted and copied, the transferred bytes and the received FISes are written, and only
//! then the bits in PxCI or PxSACT are clear. An order that the guest does not know of, a piece that was not the last,
//! shows in no bit, except that IS has said there is something.

use super::port::{Engine, Io, Port, Receives, set_bits};
use super::request;
use super::slot::{Course, Way, Work};
use super::spec::{
    HEADER_PRDBC, PX_CI, PX_CMD, PX_CMD_ST, PX_IS, PX_IS_COMPLETION, PX_IS_FATAL, PX_IS_PCS, PX_IS_TFES,
    PX_SACT, RECEIVED_ABORTED, RECEIVED_REGISTER,
};
use super::start::{block_at, met};
use crate::cpu::walk::GuestMemory;
use crate::disk::command::{After, Kind, PAGE_BYTES, TaskFile, queued_error};
use crate::disk::drive::Drive;
use crate::disk::incident::Incident;
use crate::seam::{Host, Registers};

/// What an order that the device has carried out was for the guest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its command is complete.
    Complete,
    /// Its command goes on.
    GoesOn,
    /// It should not have succeeded: the command is refused all the same.
    Refused,
}

impl Port {
    /// Takes what the device has done, and gives it what may run now. Returns PxIS for the guest.
    pub(super) fn service<R: Registers, H: Host>(&mut self, io: &mut Io<'_, R, H>) -> u32 {
        // Before PxIS: what has ended by now has said in PxIS how.
        let pending = self.pending(io);
        let mut status = self.load(PX_IS, io.registers);
        if self.engine == Engine::Started {
            let queued = self.runs_queued();
            if status & PX_IS_FATAL == 0 || queued {
                status &= !self.finish(self.running & !pending, queued, status, io);
            }
            if status & PX_IS_FATAL != 0 {
                self.fail(io);
            }
        }
        if status & PX_IS_PCS != 0 {
            self.exchanged(io);
        } else if self.engine == Engine::Started {
            self.start(io);
        }
        let alone = self.engine == Engine::Started && self.running != 0 && !self.runs_queued();
        // A command that is alone ends with PxCI; until its data is in place nothing says that it has ended, but for
        // what the guest has not acknowledged of one before.
        let hidden = if alone { PX_IS_COMPLETION & !self.owed } else { 0 };
        status & !hidden | self.feigned.unwrap_or(0)
    }

    /// What the controller still has of what runs. Queued commands leave PxCI when they begin.
    fn pending<R: Registers, H>(&self, io: &mut Io<'_, R, H>) -> u32 {
        match self.running {
            0 => 0,
            _ if self.runs_queued() => self.load(PX_SACT, io.registers),
            _ => self.load(PX_CI, io.registers),
        }
    }

    /// These slots have ended without an error. Returns the bits of PxIS that were not for the guest.
    fn finish<R: Registers, H: Host>(
        &mut self,
        slots: u32,
        queued: bool,
        status: u32,
        io: &mut Io<'_, R, H>,
    ) -> u32 {
        if slots == 0 {
            return 0;
        }
        let mut completed = 0;
        for index in set_bits(slots) {
            let bit = 1 << index;
            self.running &= !bit;
            match self.finish_one(index, io) {
                Ended::Complete => completed |= bit,
                Ended::GoesOn => self.waiting |= bit,
                Ended::Refused => self.feign(index, io),
            }
        }
        self.tell(completed, io);
        if completed != 0 {
            self.owed |= status & PX_IS_COMPLETION;
        }
        if completed != 0 || queued || self.engine == Engine::Halted {
            return 0;
        }
        self.store(PX_IS, status & PX_IS_COMPLETION, io.registers);
        PX_IS_COMPLETION
    }

    fn finish_one<R: Registers, H: Host>(&mut self, index: usize, io: &mut Io<'_, R, H>) -> Ended {
        let Some(slot) = self.slots.get(index) else {
            return Ended::Complete;
        };
        let work = slot.work;
        let length = match work {
            Work::Packet { bytes, .. } => bytes.min(self.structures.transferred(index, io.host) as usize),
            _ => work.bytes(),
        };
        let delivered = self.deliver(index, &work, length, io);
        let Some(slot) = self.slots.get_mut(index) else {
            return Ended::Complete;
        };
        slot.give_back(io.pool);
        if delivered.is_err() {
            io.incidents.add(Incident::UnreachableMemory, self.number, 0);
            slot.course = Course::Refuse;
            return Ended::GoesOn;
        }
        slot.bytes = slot
            .bytes
            .saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        match work {
            Work::Refusal => Ended::Refused,
            Work::Identify(_) => {
                slot.course = Course::Asked;
                slot.bytes = 0;
                Ended::GoesOn
            }
            Work::Piece { content, blocks, .. } => {
                slot.blocks = slot.blocks.saturating_add(blocks);
                if slot.blocks < content.blocks {
                    Ended::GoesOn
                } else {
                    Ended::Complete
                }
            }
            Work::Pass { after, .. } => {
                if let (After::Multiple(_), Some(drive)) = (after, &mut self.drive) {
                    drive.answered(after, 0, &mut []);
                }
                Ended::Complete
            }
            Work::Control { .. } => {
                self.may_be_exchanged();
                Ended::Complete
            }
            Work::Packet { .. } | Work::Trim { .. } => Ended::Complete,
        }
    }

    /// Gives the guest what came from the device: `length` bytes.
    fn deliver<H: Host, R>(
        &mut self,
        index: usize,
        work: &Work,
        length: usize,
        io: &mut Io<'_, R, H>,
    ) -> Result<(), Undelivered> {
        let Some(slot) = self.slots.get_mut(index).filter(|_| work.way() == Way::In) else {
            return Ok(());
        };
        let mut place = 0;
        while place < length
            && let Some(chunk) = slot.lent.pop_front()
        {
            let mut chunk = chunk.reclaim();
            let part = (length - place).min(chunk.length());
            let zeroed = io.host.with(&mut chunk, |bytes, guest| {
                let bytes = bytes.get_mut(..part).unwrap_or_default();
                let zeroed = reveal(work, place, bytes, &mut self.drive, self.refused);
                match work {
                    Work::Identify(_) => Ok(0),
                    _ => slot.request.scatter.spread(bytes, guest).map(|()| zeroed),
                }
            });
            io.pool.put(chunk);
            if let (blocks @ 1.., Work::Piece { first, .. }) = (zeroed.map_err(|_| Undelivered)?, work) {
                io.incidents
                    .add_many(Incident::ZeroedBlocks, self.number, *first, blocks);
            }
            place += part;
        }
        Ok(())
    }

    /// The guest sees these commands as complete.
    fn tell<R, H: Host>(&mut self, completed: u32, io: &mut Io<'_, R, H>) {
        if completed == 0 {
            return;
        }
        for index in set_bits(completed) {
            if let Some(slot) = self.slots.get(index) {
                let transferred = slot.request.header.saturating_add(HEADER_PRDBC);
                // The guest took the memory of its own list away: it does not want to know.
                let _told = io.host.guest().write(transferred, &slot.bytes.to_le_bytes());
            }
        }
        self.show_received(io);
        self.issued &= !completed;
        self.active &= !completed;
    }

    /// Copies what the controller received to where the guest wants it.
    fn show_received<R, H: Host>(&self, io: &mut Io<'_, R, H>) {
        if self.receives == Receives::No {
            return;
        }
        let mut received = self.structures.received(io.host);
        if self.feigned.is_some()
            && let Some(register) = received.get_mut(RECEIVED_REGISTER..RECEIVED_REGISTER + 4)
        {
            register.copy_from_slice(&RECEIVED_ABORTED.to_le_bytes());
        }
        // As above.
        let _told = io.host.guest().write(self.received, &received);
    }

    /// The controller stopped at an error. What had ended before has been taken; the rest stays as it is until the
    /// guest stops the port.
    fn fail<R, H: Host>(&mut self, io: &mut Io<'_, R, H>) {
        self.engine = Engine::Halted;
        let refusal = matches!(self.first_running(), Some(Work::Refusal));
        let index = set_bits(self.running).next().filter(|_| refusal);
        self.refused = index.and_then(|index| self.queued_command(index));
        if !refusal {
            io.incidents.add(Incident::DeviceError, self.number, 0);
        }
        self.show_received(io);
    }

    /// The device did what every device refuses. To the guest it refused.
    fn feign<R, H: Host>(&mut self, index: usize, io: &mut Io<'_, R, H>) {
        self.engine = Engine::Halted;
        self.feigned = Some(PX_IS_TFES);
        self.refused = self.queued_command(index);
        self.show_received(io);
    }

    /// The command in a slot, if it is a queued one.
    fn queued_command(&self, index: usize) -> Option<TaskFile> {
        let slot = self.slots.get(index).filter(|_| self.active & 1 << index != 0)?;
        match slot.request.kind {
            request::Kind::Command(task) => Some(task),
            _ => None,
        }
    }

    /// A device came. What runs was meant for the one before: the port is stopped before the controller could give it
    /// to another, and the guest, which sees that a device came, finds its commands unanswered.
    fn exchanged<R: Registers, H>(&mut self, io: &mut Io<'_, R, H>) {
        self.may_be_exchanged();
        if self.engine == Engine::Started && self.running != 0 {
            let command = self.load(PX_CMD, io.registers);
            self.store(PX_CMD, command & !PX_CMD_ST, io.registers);
            self.engine = Engine::Halted;
            io.incidents.add(Incident::Exchanged, self.number, 0);
        }
    }
}

/// The log that tells which queued command failed (ACS-4, 9.13).
const QUEUED_ERRORS: u8 = 0x10;

/// Data could not be given to the guest.
struct Undelivered;

/// Makes of what the device answered what the guest sees, in its place: the bytes from `place` on. Returns how many
/// blocks read as zeros.
fn reveal(
    work: &Work,
    place: usize,
    bytes: &mut [u8],
    drive: &mut Option<Drive>,
    refused: Option<TaskFile>,
) -> u64 {
    match (work, &mut *drive) {
        (Work::Piece { first, .. }, Some(drive)) => {
            drive.filter().to_guest(block_at(*first, place, drive), bytes)
        }
        // What came is ciphertext: it passes the filter, or it is not shown.
        (Work::Piece { .. }, None) => {
            bytes.fill(0);
            0
        }
        (Work::Identify(kind), _) => {
            met(*kind, bytes, drive);
            0
        }
        (Work::Pass { after, .. }, _) => {
            match after {
                After::Identify => met(Kind::Disk, bytes, drive),
                After::IdentifyPacket => met(Kind::Packet, bytes, drive),
                After::Nothing | After::Log { .. } | After::Multiple(_) => {}
            }
            if let Some(drive) = drive {
                drive.answered(
                    *after,
                    u16::try_from(place / PAGE_BYTES).unwrap_or(u16::MAX),
                    bytes,
                );
            }
            let queued_errors = After::Log {
                address: QUEUED_ERRORS,
                page: 0,
            };
            if let (Some(task), Some(page)) = (refused, bytes.first_chunk_mut())
                && *after == queued_errors
            {
                *page = queued_error(&task);
            }
            0
        }
        _ => 0,
    }
}
