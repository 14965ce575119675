//! Bus-master transfers: the guest's command, carried out in pieces over a buffer of ours.
//!
//! The drive's interrupt reaches the guest unmediated, also for a piece that is not the last. The guest's handler then
//! reads a status, and finds a drive that is busy and a bus master that has not interrupted: here the next piece begins
//! behind its back. A command begins when the guest has given it and has started its bus master, in either order; from
//! then on nothing that the guest does to its descriptors that were read has an effect.

use super::Ports;
use super::memory::Shadow;
use super::payload::{Payload, clip, count_zeroed};
use super::pio::Progress;
use super::registers::Position;
use super::scatter::{Scatter, ScatterError};
use super::spec::{bus_master, register, status};
use super::wire::{Towards, Wire};
use crate::disk::command::{TaskFile, piece};
use crate::disk::drive::Drive;
use crate::disk::filter::Refused;
use crate::disk::incident::Incident;
use crate::seam::{Host, Lent};

/// Blocks that move at once: what the largest 28-bit command moves.
const PIECE_BLOCKS: usize = 256;

/// A transfer.
#[derive(Debug)]
pub(super) struct Dma {
    pub(super) position: Position,
    /// The guest's command.
    task: TaskFile,
    payload: Payload,
    /// Bytes that no piece has moved yet.
    left: usize,
    /// Where the guest's memory lies; `None` until its bus master is started.
    scatter: Option<Scatter>,
    /// The piece under way.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    data: Lent,
    length: usize,
}

/// Why a piece is not carried out.
enum Failure {
    Scatter(ScatterError),
    Refused(Refused),
    /// The buffer is gone, or the range cannot be said: never.
    Internal,
}

impl Dma {
    pub(super) const fn new(position: Position, task: TaskFile, payload: Payload, bytes: usize) -> Self {
        Self {
            position,
            task,
            payload,
            left: bytes,
            scatter: None,
            running: None,
        }
    }

    /// The data of a packet command that the drive has: as much as the buffer holds.
    pub(super) fn packet(position: Position, payload: Payload, capacity: usize) -> Self {
        Self::new(position, TaskFile::default(), payload, capacity)
    }

    /// Whether it is a packet command's.
    pub(super) const fn is_packet(&self) -> bool {
        matches!(self.payload, Payload::Packet(_))
    }

    /// Whether the guest's memory is used up.
    pub(super) fn has_exhausted(&self) -> bool {
        self.scatter.is_none_or(|scatter| scatter.exhausted())
    }

    /// Whether the drive has the command.
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The guest has started its bus master over the descriptor table at `table`.
    pub(super) fn begin<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &Drive,
        shadow: &mut Shadow,
        table: u32,
    ) -> Progress {
        self.scatter = Some(Scatter::new(table));
        self.go_on(wire, drive, shadow)
    }

    /// Looks whether the piece under way is done, and goes on.
    pub(super) fn poll<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        shadow: &mut Shadow,
    ) -> Progress {
        let engine = wire.master(bus_master::STATUS);
        let now = wire.alternate();
        if self.running.is_none() || !is_done(engine, now) {
            return Progress::Going;
        }
        let Some(length) = self.stop(wire, shadow) else {
            return Progress::Going;
        };
        if engine & bus_master::ERROR != 0 || now & (status::ERROR | status::FAULT) != 0 {
            wire.count(Incident::DeviceError, self.position, 0);
            return Progress::Over;
        }
        if let Err(failure) = self.deliver(wire, drive, shadow, length) {
            return self.fail(wire, &failure);
        }
        self.payload.advance(drive, length);
        self.left -= length;
        if self.left == 0 {
            return Progress::Over;
        }
        // Takes the interrupt back, before the record of it is cleared: some chips keep that as long as the line is high.
        wire.register(register::STATUS);
        self.go_on(wire, drive, shadow)
    }

    /// Stops the engine and takes the buffer back; the bytes of the piece that was under way.
    pub(super) fn stop<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        shadow: &mut Shadow,
    ) -> Option<usize> {
        let Running { data, length } = self.running.take()?;
        wire.stop(self.payload.towards());
        shadow.data = Some(data.reclaim());
        Some(length)
    }

    /// Gives the next piece to the drive.
    fn go_on<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &Drive,
        shadow: &mut Shadow,
    ) -> Progress {
        match self.next_piece(wire, drive, shadow) {
            Ok(running) => {
                self.running = Some(running);
                Progress::Going
            }
            Err(failure) => self.fail(wire, &failure),
        }
    }

    fn next_piece<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &Drive,
        shadow: &mut Shadow,
    ) -> Result<Running, Failure> {
        let block = usize::from(drive.filter().shape().block_size.bytes());
        let length = match self.payload {
            Payload::Read { .. } | Payload::Write { .. } => self
                .left
                .min(Shadow::CAPACITY / block * block)
                .min(PIECE_BLOCKS * block),
            _ => self.left,
        };
        self.collect(wire, drive, shadow, length)?;
        let task = self.task_of(length / block).ok_or(Failure::Internal)?;
        let data = shadow.data.take().ok_or(Failure::Internal)?.lend();
        let table = shadow.describe(wire.host, data.address(), length);
        let towards = self.payload.towards();
        wire.aim(towards, table);
        if let Some(task) = task {
            wire.give(&task);
        }
        wire.start(towards);
        Ok(Running { data, length })
    }

    /// The command of a piece; nothing where the drive has its command already.
    fn task_of(&self, blocks: usize) -> Option<Option<TaskFile>> {
        match self.payload {
            Payload::Read { next } | Payload::Write { next } => {
                piece(&self.task, next, u32::try_from(blocks).ok()?).map(Some)
            }
            Payload::Answer { .. } | Payload::Trim => Some(Some(self.task)),
            Payload::Packet(_) => Some(None),
        }
    }

    /// Brings what the drive is to get into the buffer, once.
    fn collect<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &Drive,
        shadow: &mut Shadow,
        length: usize,
    ) -> Result<(), Failure> {
        let (scatter, payload) = (self.scatter.as_mut().ok_or(Failure::Internal)?, self.payload);
        let buffer = shadow.data.as_mut().ok_or(Failure::Internal)?;
        wire.host.with(buffer, |bytes, guest| {
            let from = if let Payload::Trim = payload {
                bytes.len() / 2
            } else {
                0
            };
            let data = bytes.get_mut(from..from + length).ok_or(Failure::Internal)?;
            // An answer may come short, and nothing that was here before may be taken for it.
            if let Payload::Packet(_) | Payload::Answer { .. } = payload {
                data.fill(0);
            }
            if payload.towards() == Towards::Drive {
                serves(payload, scatter.gather(guest, data))?;
            }
            payload.to_drive(drive, data).map_err(Failure::Refused)?;
            if let Payload::Trim = payload {
                clip(drive, bytes, length);
            }
            Ok(())
        })
    }

    /// Brings what the drive gave to the guest.
    fn deliver<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        drive: &mut Drive,
        shadow: &mut Shadow,
        length: usize,
    ) -> Result<(), Failure> {
        let (scatter, payload) = (self.scatter.as_mut().ok_or(Failure::Internal)?, self.payload);
        if payload.towards() == Towards::Drive {
            return Ok(());
        }
        let buffer = shadow.data.as_mut().ok_or(Failure::Internal)?;
        let zeroed = wire.host.with(buffer, |bytes, guest| {
            let data = bytes.get_mut(..length).ok_or(Failure::Internal)?;
            let zeroed = payload.to_guest(drive, data);
            serves(payload, scatter.spread(guest, data))?;
            Ok(zeroed)
        })?;
        count_zeroed(wire, self.position, payload, zeroed);
        Ok(())
    }

    /// The drive aborts a command in place of what cannot be carried out.
    fn fail<P: Ports, H: Host>(&self, wire: &mut Wire<'_, P, H>, failure: &Failure) -> Progress {
        match failure {
            Failure::Scatter(ScatterError::Unreachable) => {
                wire.count(Incident::UnreachableMemory, self.position, 0);
            }
            Failure::Refused(refused) => wire.count(Incident::RefusedWrite, self.position, refused.block),
            Failure::Scatter(ScatterError::TooShort) | Failure::Internal => {
                wire.count(Incident::MalformedCommand, self.position, 0);
            }
        }
        wire.clear_master();
        Progress::Failed
    }
}

/// Whether what the guest's table gave or took will do. How much a packet moves only the drive knows, so there it may be
/// less than the buffer holds.
const fn serves(payload: Payload, moved: Result<(), ScatterError>) -> Result<(), Failure> {
    match (payload, moved) {
        (_, Ok(())) | (Payload::Packet(_), Err(ScatterError::TooShort)) => Ok(()),
        (_, Err(error)) => Err(Failure::Scatter(error)),
    }
}

/// Whether a piece is done: the drive rests, and the bus master has interrupted, or is through its table, or never
/// will be. With the drive's interrupts off only the table tells that all data has reached memory.
const fn is_done(engine: u8, now: u8) -> bool {
    if engine & bus_master::ERROR != 0 {
        return true;
    }
    let rests = now & (status::BUSY | status::DATA_REQUEST) == 0;
    let through = engine & bus_master::INTERRUPT != 0 || engine & bus_master::ACTIVE == 0;
    rests && (through || now & (status::ERROR | status::FAULT) != 0)
}
