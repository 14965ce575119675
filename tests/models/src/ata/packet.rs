//! An ATAPI drive with a medium: enough of the packet commands to read, write and eject.

use super::identify::{IDENTIFY_SIZE, seal, text};
use super::spec::{command, error, status};
use super::task::{Acceptance, Direction, Outcome, Protocol, TaskFile, Transfer};
use crate::bytes;

/// Bytes of a packet.
pub const PACKET_SIZE: usize = 12;
/// Bytes of a block.
pub const BLOCK_SIZE: usize = 2048;
/// The features bit that asks for DMA.
const DMA: u16 = 1;
/// Bytes that an INQUIRY, a MODE SENSE and the like answer at most.
const SHORT_ANSWER: usize = 36;

/// Packet commands (MMC-6), by operation code.
#[expect(missing_docs, reason = "each is the command's own name")]
pub mod operation {
    pub const TEST_UNIT_READY: u8 = 0x00;
    pub const REQUEST_SENSE: u8 = 0x03;
    pub const INQUIRY: u8 = 0x12;
    pub const START_STOP_UNIT: u8 = 0x1b;
    pub const READ_CAPACITY: u8 = 0x25;
    pub const READ_10: u8 = 0x28;
    pub const WRITE_10: u8 = 0x2a;
    pub const WRITE_BUFFER: u8 = 0x3b;
    pub const READ_12: u8 = 0xa8;
}

/// A drive, with every packet that it was sent.
#[derive(Clone, Debug)]
pub struct PacketDrive {
    medium: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

impl PacketDrive {
    /// A drive with this medium.
    #[must_use]
    pub const fn new(medium: Vec<u8>) -> Self {
        Self {
            medium,
            packets: Vec::new(),
        }
    }

    /// What the medium holds.
    #[must_use]
    pub fn medium(&self) -> &[u8] {
        &self.medium
    }

    /// Every packet that it was sent.
    #[must_use]
    pub fn packets(&self) -> &[Vec<u8>] {
        &self.packets
    }

    /// What it does with a command; `packet` is the one that PACKET brings.
    pub fn accept(&mut self, task: &TaskFile, packet: &[u8]) -> Acceptance {
        match task.command {
            command::IDENTIFY_PACKET_DEVICE => {
                transfer(Direction::In, Protocol::Pio(IDENTIFY_SIZE), IDENTIFY_SIZE)
            }
            command::PACKET => {
                self.packets.push(packet.to_vec());
                let protocol = match task.features & DMA {
                    0 => Protocol::Pio(BLOCK_SIZE),
                    _ => Protocol::Dma,
                };
                let (direction, bytes) = data(packet);
                transfer(direction, protocol, bytes)
            }
            command::SET_FEATURES | command::CHECK_POWER_MODE => Acceptance::Takes(Transfer::NONE),
            // So that whoever takes it for a disk sees what it is (ACS-4, section 6.4).
            command::IDENTIFY_DEVICE | command::READ_SECTORS => Acceptance::Refuses(Outcome {
                count: 1,
                lba: 0xeb_1401,
                ..Outcome::failed(error::ABRT)
            }),
            _ => Acceptance::Refuses(Outcome::failed(error::ABRT)),
        }
    }

    /// Carries out a command that it took.
    pub fn carry_out(&mut self, task: &TaskFile, packet: &[u8], sent: &[u8]) -> Outcome {
        match task.command {
            command::IDENTIFY_PACKET_DEVICE => Outcome::good(identify()),
            command::PACKET => self.obey(packet, sent),
            _ => Outcome::good(Vec::new()),
        }
    }

    fn obey(&mut self, packet: &[u8], sent: &[u8]) -> Outcome {
        let place = block(packet).saturating_mul(BLOCK_SIZE);
        let (_, length) = data(packet);
        let blocks = (self.medium.len() / BLOCK_SIZE) as u64;
        match bytes::byte(packet, 0) {
            operation::READ_10 | operation::READ_12 => {
                let end = place.saturating_add(length);
                let content = self.medium.get(place..end);
                content.map_or_else(check_condition, |content| Outcome::good(content.to_vec()))
            }
            operation::WRITE_10 => {
                bytes::put(&mut self.medium, place, sent);
                Outcome::good(Vec::new())
            }
            operation::READ_CAPACITY => {
                let last = bytes::low_dword(blocks.saturating_sub(1)).to_be_bytes();
                Outcome::good([last, [0, 0, 8, 0]].concat())
            }
            operation::TEST_UNIT_READY | operation::START_STOP_UNIT | operation::WRITE_BUFFER => {
                Outcome::good(Vec::new())
            }
            operation::REQUEST_SENSE | operation::INQUIRY => Outcome::good(vec![0; length]),
            _ => check_condition(),
        }
    }
}

fn check_condition() -> Outcome {
    /// Sense key 5, illegal request, in the error register's upper half.
    const ILLEGAL_REQUEST: u8 = 0x50;
    Outcome {
        status: status::DRDY | status::ERR,
        ..Outcome::failed(ILLEGAL_REQUEST)
    }
}

fn transfer(direction: Direction, protocol: Protocol, bytes: usize) -> Acceptance {
    Acceptance::Takes(Transfer {
        direction,
        protocol,
        bytes,
        delay: 0,
    })
}

/// A packet's data: direction and bytes.
fn data(packet: &[u8]) -> (Direction, usize) {
    let at = |place| bytes::byte(packet, place);
    let blocks = usize::from(u16::from_be_bytes([at(7), at(8)]));
    match at(0) {
        operation::READ_10 => (Direction::In, blocks * BLOCK_SIZE),
        operation::READ_12 => {
            let blocks = u32::from_be_bytes([at(6), at(7), at(8), at(9)]);
            (
                Direction::In,
                bytes::size(blocks.into()).saturating_mul(BLOCK_SIZE),
            )
        }
        operation::WRITE_10 => (Direction::Out, blocks * BLOCK_SIZE),
        operation::WRITE_BUFFER => (Direction::Out, usize::from(u16::from_be_bytes([at(7), at(8)]))),
        operation::READ_CAPACITY => (Direction::In, 8),
        operation::REQUEST_SENSE | operation::INQUIRY => {
            (Direction::In, usize::from(at(4)).min(SHORT_ANSWER))
        }
        _ => (Direction::None, 0),
    }
}

fn block(packet: &[u8]) -> usize {
    let at = |place| bytes::byte(packet, place);
    bytes::size(u32::from_be_bytes([at(2), at(3), at(4), at(5)]).into())
}

fn identify() -> Vec<u8> {
    let mut answer = vec![0; IDENTIFY_SIZE];
    for (word, value) in [
        (0, 0x85c0_u16),
        (49, 0x0f00),
        (53, 6),
        (63, 7),
        (80, 0x01f0),
        (88, 0x203f),
    ] {
        bytes::put(&mut answer, word * 2, &value.to_le_bytes());
    }
    text(&mut answer, 10, 10, "MODEL-DVD");
    text(&mut answer, 27, 20, "SEKISHO MODEL DVD");
    seal(&mut answer);
    answer
}
