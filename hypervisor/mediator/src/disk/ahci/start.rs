//! Giving the device its next orders.
//!
//! Commands start in the order of their submission. Queued ones run together; any other runs alone, as software must
//! see to anyway (AHCI 1.3.1, 5.6.4): so its pieces are seen by nobody, and a FLUSH is given to the device when every
//! write submitted before has ended. What needs more shadow buffers than are free waits; what runs will free them.

use super::order::{MAX_REGIONS, Order};
use super::port::{Engine, Io, Port, set_bits};
use super::request::{Kind, control_fis, control_flags};
use super::slot::{Course, Slot, Way, Work};
use super::spec::{HEADER_W, PX_CI, PX_SACT, PX_SIG, PX_SIG_PACKET};
use crate::cpu::walk::GuestMemory;
use crate::disk::command::packet::{self, PacketVerdict};
use crate::disk::command::{
    self, After, Content, Identity, Known, PAGE_BYTES, Reason, TaskFile, Verdict, aborted, clip_trim, judge,
    piece,
};
use crate::disk::drive::{Drive, Refusal};
use crate::disk::incident::Incident;
use crate::disk::shadow::CHUNK_BYTES;
use crate::seam::{Host, Registers};

/// Of a device that has not said what it is.
const UNKNOWN: Known = Known {
    kind: command::Kind::Disk,
    block_bytes: 512,
    blocks: 0,
    lba48: false,
    queue_depth: 0,
    multiple: 0,
    discard: false,
};
/// IDENTIFY DEVICE, IDENTIFY PACKET DEVICE (ACS-4, 7.13 and 7.14).
const IDENTIFY: u8 = 0xec;
const IDENTIFY_PACKET: u8 = 0xa1;

/// Why a command is refused: the incident, and its block or opcode.
struct Refused(Incident, u64);

/// What became of the next command.
#[derive(PartialEq, Eq)]
enum Next {
    /// The device has it, or it waits in another form.
    Taken,
    /// There is none, or it has to wait.
    Waits,
}

impl Port {
    /// Gives the device what may run now.
    pub(super) fn start<R: Registers, H: Host>(&mut self, io: &mut Io<'_, R, H>) {
        // A command is taken at most twice: the second time as a refusal.
        for _ in 0..2 * self.slots.len() {
            if self.engine != Engine::Started || self.start_next(io) == Next::Waits {
                return;
            }
        }
    }

    fn start_next<R: Registers, H: Host>(&mut self, io: &mut Io<'_, R, H>) -> Next {
        let Some(index) = self.oldest_waiting() else {
            return Next::Waits;
        };
        let work = match self.decide(index, io) {
            Ok(work) => work,
            Err(refused) => {
                self.refuse(index, &refused, io);
                Work::Refusal
            }
        };
        if self.running != 0 && !(work.is_queued() && self.runs_queued()) {
            return Next::Waits;
        }
        if !io.pool.reserve(self.number, work.bytes().div_ceil(CHUNK_BYTES)) {
            return Next::Waits;
        }
        match self.fill(index, &work, io) {
            Ok(()) => self.issue(index, &work, io),
            Err(refused) => self.refuse(index, &refused, io),
        }
        Next::Taken
    }

    /// Whether what runs are queued commands.
    pub(super) fn runs_queued(&self) -> bool {
        self.first_running().is_some_and(Work::is_queued)
    }

    fn oldest_waiting(&self) -> Option<usize> {
        let order = |index: &usize| self.slots.get(*index).map(|slot| slot.order);
        set_bits(self.waiting).min_by_key(order)
    }

    fn refuse<R, H>(&mut self, index: usize, refused: &Refused, io: &mut Io<'_, R, H>) {
        io.incidents.add(refused.0, self.number, refused.1);
        if let Some(slot) = self.slots.get_mut(index) {
            slot.give_back(io.pool);
            slot.course = Course::Refuse;
        }
    }

    /// What the device is to be given next for the command in a slot.
    fn decide<R: Registers, H: Host>(&self, index: usize, io: &mut Io<'_, R, H>) -> Result<Work, Refused> {
        let Some(slot) = self.slots.get(index).filter(|slot| slot.course != Course::Refuse) else {
            return Ok(Work::Refusal);
        };
        let task = match slot.request.kind {
            Kind::Command(task) => task,
            Kind::Control { control } => return Ok(Work::Control { control }),
            Kind::Malformed => return Err(Refused(Incident::MalformedCommand, 0)),
            Kind::Unreachable => return Err(Refused(Incident::UnreachableMemory, 0)),
        };
        let opcode = u64::from(task.command);
        match self.verdict(&task) {
            Err(Refusal::Unconfirmed) if slot.course == Course::Judge => Ok(Work::Identify(self.kind(io))),
            Err(Refusal::Blocks(refused)) => Err(Refused(Incident::RefusedWrite, refused.block)),
            Err(Refusal::Unconfirmed) => Err(Refused(Incident::Foreign, 0)),
            Err(Refusal::Command(_)) => Err(Refused(Incident::RefusedCommand, opcode)),
            Ok(Verdict::Content(content)) => self.piece(index, &task, content),
            Ok(Verdict::Pass { bytes, after, .. }) => Ok(Work::Pass {
                task,
                bytes: bytes as usize,
                after,
            }),
            Ok(Verdict::Trim { bytes }) => Ok(Work::Trim {
                task,
                bytes: bytes as usize,
            }),
            Ok(Verdict::Packet) => self.packet(slot, task, io.host.guest()),
            Ok(Verdict::Refuse(_)) => Err(Refused(Incident::RefusedCommand, opcode)),
        }
    }

    fn verdict(&self, task: &TaskFile) -> Result<Verdict, Refusal> {
        match &self.drive {
            Some(drive) => drive.decide(task),
            None => match judge(task, &UNKNOWN) {
                Verdict::Refuse(Reason::Absent | Reason::OutOfRange) => Err(Refusal::Unconfirmed),
                verdict => Ok(verdict),
            },
        }
    }

    /// What the device at the port says it is, by its signature.
    fn kind<R: Registers, H>(&self, io: &mut Io<'_, R, H>) -> command::Kind {
        if self.load(PX_SIG, io.registers) == PX_SIG_PACKET {
            command::Kind::Packet
        } else {
            command::Kind::Disk
        }
    }

    /// The next piece of content.
    fn piece(&self, index: usize, task: &TaskFile, content: Content) -> Result<Work, Refused> {
        let malformed = Refused(Incident::MalformedCommand, 0);
        let (Some(slot), Some(drive)) = (self.slots.get(index), &self.drive) else {
            return Err(malformed);
        };
        // The tag is the slot, and PxSACT says that the command is queued (5.3.2.3).
        let queued = self.active & 1 << index != 0;
        if content
            .tag
            .is_some_and(|tag| usize::from(tag) != index || !queued)
        {
            return Err(malformed);
        }
        let block_bytes = drive.known().block_bytes;
        let most = u32::try_from(MAX_REGIONS * CHUNK_BYTES).unwrap_or(u32::MAX) / block_bytes;
        let blocks = content.blocks.saturating_sub(slot.blocks).min(most);
        let first = content.first.saturating_add(u64::from(slot.blocks));
        let task = piece(task, first, blocks).ok_or(malformed)?;
        Ok(Work::Piece {
            task,
            content,
            first,
            blocks,
            bytes: blocks as usize * block_bytes as usize,
        })
    }

    fn packet<G: GuestMemory>(&self, slot: &Slot, task: TaskFile, guest: &G) -> Result<Work, Refused> {
        let request = &slot.request;
        let passes = packet::judge(&request.packet, self.atapi) == PacketVerdict::Pass;
        let bytes = match passes {
            true => request.scatter.length(MAX_REGIONS * CHUNK_BYTES, guest),
            false => Ok(0),
        };
        Ok(Work::Packet {
            task,
            packet: if passes { request.packet } else { packet::refused() },
            way: request.way,
            bytes: bytes.map_err(|_| Refused(Incident::UnreachableMemory, 0))?,
        })
    }

    /// Takes chunks for an order, with what the device is to find in them.
    fn fill<R, H: Host>(&mut self, index: usize, work: &Work, io: &mut Io<'_, R, H>) -> Result<(), Refused> {
        let Some(slot) = self.slots.get_mut(index) else {
            return Ok(());
        };
        let mut place = 0;
        while place < work.bytes() {
            let Some(mut chunk) = io.pool.take() else {
                return Err(Refused(Incident::MalformedCommand, 0));
            };
            let length = (work.bytes() - place).min(chunk.length());
            let filled = io.host.with(&mut chunk, |bytes, guest| {
                let bytes = bytes.get_mut(..length).unwrap_or_default();
                fill_chunk(slot, self.drive.as_ref(), work, place, bytes, guest)
            });
            slot.lent.push_back(chunk.lend());
            filled?;
            place += length;
        }
        Ok(())
    }

    /// Gives the device an order.
    fn issue<R: Registers, H: Host>(&mut self, index: usize, work: &Work, io: &mut Io<'_, R, H>) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        slot.work = *work;
        let way = if work.way() == Way::Out { HEADER_W } else { 0 };
        let (fis, packet, flags) = match work {
            Work::Refusal => (aborted().to_fis(), None, 0),
            Work::Identify(kind) => (identify(*kind).to_fis(), None, 0),
            Work::Control { control } => (control_fis(*control), None, control_flags(*control)),
            Work::Packet { task, packet, .. } => (task.to_fis(), Some(*packet), way),
            Work::Pass { task, .. } | Work::Trim { task, .. } | Work::Piece { task, .. } => {
                (task.to_fis(), None, way)
            }
        };
        let order = Order {
            fis,
            packet,
            flags,
            chunks: &slot.lent,
            bytes: work.bytes(),
        };
        self.structures.write(index, &order, io.host);
        let bit = 1 << index;
        self.waiting &= !bit;
        self.running |= bit;
        if self.active & bit != 0 {
            // Accepted: a queued command leaves PxCI long before it ends.
            self.issued &= !bit;
        }
        if work.is_queued() {
            self.store(PX_SACT, bit, io.registers);
        }
        self.store(PX_CI, bit, io.registers);
    }
}

/// What the device is to find in a chunk, whose bytes are those from `place` on of the order's data.
fn fill_chunk<G: GuestMemory>(
    slot: &mut Slot,
    drive: Option<&Drive>,
    work: &Work,
    place: usize,
    bytes: &mut [u8],
    guest: &G,
) -> Result<(), Refused> {
    if work.way() == Way::In {
        // Content comes whole; an answer may come short, and nothing that was here before may be taken for it.
        if !matches!(work, Work::Piece { .. }) {
            bytes.fill(0);
        }
        return Ok(());
    }
    let gathered = slot.request.scatter.gather(bytes, guest);
    gathered.map_err(|_| Refused(Incident::UnreachableMemory, 0))?;
    // What lies in `bytes` is plaintext: it passes the filter, or it does not go.
    match (work, drive) {
        (Work::Piece { first, .. }, Some(drive)) => {
            let first = block_at(*first, place, drive);
            let done = drive.filter().to_disk(first, bytes);
            done.map_err(|refused| Refused(Incident::RefusedWrite, refused.block))
        }
        (Work::Trim { .. }, Some(drive)) => {
            let (pages, _) = bytes.as_chunks_mut::<PAGE_BYTES>();
            for page in pages {
                let asked = *page;
                clip_trim(&asked, page, |range| drive.filter().clip(range));
            }
            Ok(())
        }
        (Work::Packet { .. }, _) => Ok(()),
        _ => Err(Refused(Incident::RefusedCommand, 0)),
    }
}

/// The logical block at byte `place` of a piece.
pub(super) fn block_at(first: u64, place: usize, drive: &Drive) -> u64 {
    first.saturating_add(place as u64 / u64::from(drive.known().block_bytes))
}

/// IDENTIFY data: a drive that is there for the first time is known from now on, and closed; one that was known says
/// whether it is still the same.
pub(super) fn met(kind: command::Kind, bytes: &[u8], drive: &mut Option<Drive>) {
    let Some(page) = bytes.first_chunk::<PAGE_BYTES>() else {
        return;
    };
    if let Some(drive) = drive {
        // A copy: the guest's own answer is amended where it is given to it.
        drive.answered(After::Identify, 0, &mut page.clone());
        return;
    }
    let identity = match kind {
        command::Kind::Disk => Identity::of_disk(page),
        command::Kind::Packet => Identity::of_packet_device(page),
    };
    *drive = identity.ok().and_then(|identity| Drive::new(identity).ok());
}

/// IDENTIFY, for what a device is.
pub(super) fn identify(kind: command::Kind) -> TaskFile {
    let command = match kind {
        command::Kind::Disk => IDENTIFY,
        command::Kind::Packet => IDENTIFY_PACKET,
    };
    TaskFile {
        command,
        ..TaskFile::default()
    }
}
