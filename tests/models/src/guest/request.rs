//! What a guest driver wants of a drive, and where the data lies in its memory.

use crate::ata::packet::PACKET_SIZE;
use crate::ata::spec::command;
use crate::ata::{Direction, TaskFile};

/// A command with its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The registers; a queued command's tag is put in by the driver.
    pub task: TaskFile,
    /// The packet of PACKET.
    pub packet: Option<[u8; PACKET_SIZE]>,
    /// Which way data goes.
    pub direction: Direction,
    /// Where it lies: address and bytes of each region. Empty: in one region of the slot's own, for `length`.
    pub regions: Vec<(u64, usize)>,
    /// Bytes in all.
    pub length: usize,
    /// What is sent; put into the regions before the command is issued.
    pub sent: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transferred {
    /// The regions' content, of a request for data.
    pub data: Vec<u8>,
    /// The count that the controller left in the command header.
    pub count: u32,
}

impl Request {
    /// Without data.
    #[must_use]
    pub const fn plain(task: TaskFile) -> Self {
        Self {
            task,
            packet: None,
            direction: Direction::None,
            regions: Vec::new(),
            length: 0,
            sent: Vec::new(),
        }
    }

    /// That brings `length` bytes.
    #[must_use]
    pub const fn brings(task: TaskFile, length: usize) -> Self {
        let mut request = Self::plain(task);
        request.direction = Direction::In;
        request.length = length;
        request
    }

    /// That sends `content`.
    #[must_use]
    pub fn sends(task: TaskFile, content: &[u8]) -> Self {
        Self {
            direction: Direction::Out,
            length: content.len(),
            sent: content.to_vec(),
            ..Self::plain(task)
        }
    }

    /// With its data in these regions.
    #[must_use]
    pub fn in_regions(mut self, regions: &[(u64, usize)]) -> Self {
        self.regions = regions.to_vec();
        self
    }

    /// With a packet.
    #[must_use]
    pub const fn with_packet(mut self, packet: [u8; PACKET_SIZE]) -> Self {
        self.packet = Some(packet);
        self
    }

    /// Whether the drive may take its time with it.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        matches!(
            self.task.command,
            command::READ_FPDMA_QUEUED
                | command::WRITE_FPDMA_QUEUED
                | command::NCQ_NON_DATA
                | command::SEND_FPDMA_QUEUED
                | command::RECEIVE_FPDMA_QUEUED
        )
    }
}
