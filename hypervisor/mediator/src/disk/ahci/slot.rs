//! A command slot: what the guest asked there, how far it is, and what the device has been given for it.
//!
//! A command may need several orders to the device: who it is, where that is not known; the content in pieces as large
//! as the shadow buffers; and where the command is refused, before or in the middle, one that the device aborts. All of
//! them have the slot number that the guest chose, and to the guest they are one command.

use super::order::MAX_REGIONS;
use super::request::{Kind, Request};
use super::scatter::Scatter;
use super::spec::PACKET_BYTES;
use crate::disk::command::{self, After, Content, TaskFile};
use crate::disk::shadow::Pool;
use crate::seam::Lent;
use alloc::collections::VecDeque;

/// A slot.
pub(super) struct Slot {
    /// Its place in the order of submission.
    pub(super) order: u64,
    pub(super) request: Request,
    pub(super) course: Course,
    /// What the device was given last.
    pub(super) work: Work,
    /// Where the data of that lies.
    pub(super) lent: VecDeque<Lent>,
    /// Blocks of content that have moved.
    pub(super) blocks: u32,
    /// Bytes that have moved, for PRDBC.
    pub(super) bytes: u32,
}

/// What comes next for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Course {
    /// It is judged.
    Judge,
    /// It is judged, and refused where the drive is still unknown: it was asked already.
    Asked,
    /// It is refused.
    Refuse,
}

/// What the device is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// What it aborts.
    Refusal,
    /// Who are you?
    Identify(command::Kind),
    /// Software reset on or off.
    Control {
        /// SRST.
        control: u8,
    },
    /// A command without content, as it is.
    Pass {
        /// The command.
        task: TaskFile,
        /// Bytes of data, to the host.
        bytes: usize,
        /// What its success means.
        after: After,
    },
    /// A packet.
    Packet {
        /// The command.
        task: TaskFile,
        /// The packet.
        packet: [u8; PACKET_BYTES],
        /// Which way its data moves.
        way: Way,
        /// Bytes of data at most.
        bytes: usize,
    },
    /// TRIM, to be clipped.
    Trim {
        /// The command.
        task: TaskFile,
        /// Bytes of payload.
        bytes: usize,
    },
    /// Content.
    Piece {
        /// The command for this piece.
        task: TaskFile,
        /// What the whole command moves.
        content: Content,
        /// The piece: first logical block, number of them, and bytes.
        first: u64,
        /// Number of blocks.
        blocks: u32,
        /// Bytes.
        bytes: usize,
    },
}

/// Which way data moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// From the device.
    In,
    /// To the device.
    Out,
}

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            order: 0,
            request: Request {
                header: 0,
                kind: Kind::Malformed,
                way: Way::In,
                packet: [0; PACKET_BYTES],
                scatter: Scatter::new(0, 0),
            },
            course: Course::Judge,
            work: Work::Refusal,
            lent: VecDeque::with_capacity(MAX_REGIONS),
            blocks: 0,
            bytes: 0,
        }
    }

    /// The guest submits a command.
    pub(super) fn submit(&mut self, request: Request, order: u64) {
        self.order = order;
        self.request = request;
        self.course = Course::Judge;
        self.work = Work::Refusal;
        self.blocks = 0;
        self.bytes = 0;
    }

    /// The device has nothing of it any more.
    pub(super) fn give_back(&mut self, pool: &mut Pool) {
        for chunk in self.lent.drain(..) {
            pool.give(chunk);
        }
    }
}

impl Work {
    /// Bytes that the device may move.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Refusal | Self::Control { .. } => 0,
            Self::Identify(_) => command::PAGE_BYTES,
            Self::Pass { bytes, .. }
            | Self::Packet { bytes, .. }
            | Self::Trim { bytes, .. }
            | Self::Piece { bytes, .. } => *bytes,
        }
    }

    /// Which way they move.
    pub(super) fn way(&self) -> Way {
        match self {
            Self::Refusal | Self::Control { .. } | Self::Identify(_) | Self::Pass { .. } => Way::In,
            Self::Packet { way, .. } => *way,
            Self::Trim { .. } => Way::Out,
            Self::Piece { content, .. } => match content.direction {
                command::Direction::Read => Way::In,
                command::Direction::Write => Way::Out,
            },
        }
    }

    /// Whether others may run beside it.
    pub(super) const fn is_queued(&self) -> bool {
        matches!(self, Self::Piece { content, .. } if content.tag.is_some())
    }
}
