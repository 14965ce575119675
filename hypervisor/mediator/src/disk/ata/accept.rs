//! A command of the guest's: copied, decided, and given to the drive, or not.

use super::Ports;
use super::channel::{Activity, Mediated};
use super::dma::Dma;
use super::memory::Shadow;
use super::packet::{Movement, Packet};
use super::payload::Payload;
use super::pio::{Block, Pio};
use super::polled::PolledError;
use super::registers::{Position, Written};
use super::slots::Slot;
use super::spec::{control, register};
use super::wire::Wire;
use crate::disk::command::{After, Content, PAGE_BYTES, Protocol, TaskFile, Verdict, piece};
use crate::disk::drive::Refusal;
use crate::disk::incident::Incident;
use crate::seam::Host;
use sekisho_abi::storage::Atapi;

/// For a packet device at any time (ATA/ATAPI-7 volume 1, 6.11).
const DEVICE_RESET: u8 = 0x08;
/// For both drives, whichever is selected (6.13).
const EXECUTE_DEVICE_DIAGNOSTIC: u8 = 0x90;
/// FEATURES of PACKET: data moves by DMA (6.24).
const PACKET_DMA: u16 = 1 << 0;
/// FEATURES of PACKET: which way, for bridges that need to know.
const PACKET_TO_HOST: u16 = 1 << 2;

/// Why a command is not carried out.
enum Denied {
    Refusal(Refusal),
    /// Nobody knows what the drive is, it does not fit the buffer, or moves as no IDE controller moves data.
    Unable,
}

impl Mediated {
    /// The guest writes the command register.
    pub(super) fn command<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, opcode: u8) {
        self.poll(wire);
        let position = self.written.selected();
        if opcode == DEVICE_RESET && self.slots.is_packet_device(position) {
            self.abandon(wire);
            return wire.set_register(register::STATUS, DEVICE_RESET);
        }
        if !self.rests(wire) {
            // At a drive that is at work the write has no effect.
            return wire.count(Incident::MalformedCommand, position, opcode.into());
        }
        self.activity = Activity::Drive;
        let task = self.written.task(opcode);
        if self.must_ask(position, &task) && self.ask(wire, position) == Err(PolledError::TimeOut) {
            self.activity = Activity::Halted;
            return;
        }
        match self.slots.at(position) {
            Slot::Absent if opcode == EXECUTE_DEVICE_DIAGNOSTIC => self.pass(wire, &task, After::Nothing),
            // Nobody is there to take it.
            Slot::Absent => {}
            Slot::Broken => self.deny(wire, &task, &Denied::Unable),
            Slot::Present { drive, packet_bytes } => {
                let packet_bytes = *packet_bytes;
                let decided = drive.decide(&task).map_err(Denied::Refusal);
                if let Err(denied) =
                    decided.and_then(|verdict| self.carry(wire, &task, verdict, packet_bytes))
                {
                    self.deny(wire, &task, &denied);
                }
            }
        }
    }

    /// Whether the drive has to say who it is before this command is decided: some drivers never ask after a reset.
    fn must_ask(&mut self, position: Position, task: &TaskFile) -> bool {
        let drive = self.slots.drive(position);
        drive.is_some_and(|drive| drive.decide(task) == Err(Refusal::Unconfirmed))
    }

    /// Asks it.
    fn ask<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        position: Position,
    ) -> Result<(), PolledError> {
        let mut page = wire.ask(position, self.control & !control::HIGH_ORDER)?;
        if let Some(drive) = self.slots.drive(position) {
            drive.answered(After::Identify, 0, &mut page);
        }
        Ok(())
    }

    /// The drive aborts a command in place of this one.
    fn deny<P: Ports, H: Host>(&self, wire: &mut Wire<'_, P, H>, task: &TaskFile, denied: &Denied) {
        let (incident, subject) = match denied {
            Denied::Refusal(Refusal::Blocks(refused)) => (Incident::RefusedWrite, refused.block),
            Denied::Refusal(Refusal::Unconfirmed) => (Incident::Foreign, 0),
            Denied::Refusal(Refusal::Command(_)) | Denied::Unable => {
                (Incident::RefusedCommand, task.command.into())
            }
        };
        wire.count(incident, self.written.selected(), subject);
        wire.abort(task.device);
    }

    /// Carries out what was decided.
    fn carry<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        task: &TaskFile,
        verdict: Verdict,
        packet_bytes: usize,
    ) -> Result<(), Denied> {
        match verdict {
            Verdict::Content(content) => self.content(wire, task, content)?,
            Verdict::Pass {
                protocol,
                bytes,
                after,
            } => {
                let payload = Payload::Answer { after, pages: 0 };
                match protocol {
                    Protocol::NonData | Protocol::DeviceReset | Protocol::Diagnostic => {
                        self.pass(wire, task, after);
                    }
                    Protocol::PioIn => self.answer(wire, task, payload, bytes as usize),
                    Protocol::DmaIn => self.transfer(wire, task, payload, bytes as usize),
                    Protocol::PioOut | Protocol::DmaOut | Protocol::QueuedIn | Protocol::QueuedOut => {
                        return Err(Denied::Unable);
                    }
                }
            }
            Verdict::Trim { bytes } => self.transfer(wire, task, Payload::Trim, bytes as usize),
            Verdict::Packet if self.atapi == Atapi::Refuse => return Err(Denied::Unable),
            Verdict::Packet => self.packet(wire, task, packet_bytes),
            Verdict::Refuse(reason) => return Err(Denied::Refusal(Refusal::Command(reason))),
        }
        Ok(())
    }

    fn content<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        task: &TaskFile,
        content: Content,
    ) -> Result<(), Denied> {
        let position = self.written.selected();
        let drive = self.slots.drive(position).ok_or(Denied::Unable)?;
        let block = usize::from(drive.filter().shape().block_size.bytes());
        let bytes = content.blocks as usize * block;
        let payload = Payload::of(content);
        match content.protocol {
            Protocol::PioIn | Protocol::PioOut => {
                let unit = usize::from(content.unit) * block;
                let whole = piece(task, content.first, content.blocks);
                let whole = whole.filter(|_| unit <= Shadow::CAPACITY).ok_or(Denied::Unable)?;
                wire.give(&whole);
                self.activity = Activity::Pio(Pio {
                    position,
                    payload,
                    unit,
                    left: bytes,
                    block: Block::None,
                });
            }
            Protocol::DmaIn | Protocol::DmaOut => self.transfer(wire, task, payload, bytes),
            // No IDE controller queues.
            _ => return Err(Denied::Unable),
        }
        Ok(())
    }

    /// A command without data.
    fn pass<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, task: &TaskFile, after: After) {
        let position = self.written.selected();
        wire.give(task);
        if task.command == EXECUTE_DEVICE_DIAGNOSTIC {
            self.written = Written::RESET;
        }
        self.activity = match after {
            After::Nothing => Activity::Drive,
            after => Activity::Passing(position, after),
        };
    }

    /// A command whose answer comes by programmed I/O, page by page.
    fn answer<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        task: &TaskFile,
        payload: Payload,
        bytes: usize,
    ) {
        wire.give(task);
        self.activity = Activity::Pio(Pio {
            position: self.written.selected(),
            payload,
            unit: PAGE_BYTES,
            left: bytes,
            block: Block::None,
        });
    }

    /// A command whose data the bus master moves: it begins when that is started.
    fn transfer<P: Ports, H: Host>(
        &mut self,
        wire: &mut Wire<'_, P, H>,
        task: &TaskFile,
        payload: Payload,
        bytes: usize,
    ) {
        self.activity = Activity::Dma(Dma::new(self.written.selected(), *task, payload, bytes));
        self.try_begin(wire);
    }

    /// PACKET: the descriptor block comes by the data port. Overlap is not passed on.
    fn packet<P: Ports, H: Host>(&mut self, wire: &mut Wire<'_, P, H>, task: &TaskFile, packet_bytes: usize) {
        let movement = if task.features & PACKET_DMA == 0 {
            Movement::Port
        } else {
            Movement::BusMaster
        };
        wire.give(&TaskFile {
            features: task.features & (PACKET_DMA | PACKET_TO_HOST),
            ..*task
        });
        self.activity = Activity::Packet(Packet::new(self.written.selected(), movement, packet_bytes));
    }
}
