//! What is decided of a command: its words.

use core::fmt;

/// How the data of a command moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// No data.
    NonData,
    /// To the host, by the data register or PIO Setup FISes.
    PioIn,
    /// To the device, likewise.
    PioOut,
    /// To the host, by DMA.
    DmaIn,
    /// To the device, by DMA.
    DmaOut,
    /// To the host, native command queuing.
    QueuedIn,
    /// To the device, native command queuing.
    QueuedOut,
    /// DEVICE RESET: no interrupt, signature in the registers.
    DeviceReset,
    /// EXECUTE DEVICE DIAGNOSTIC: both devices of a channel, signature in the registers.
    Diagnostic,
}

/// Which way disk content goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the disk.
    Read,
    /// To the disk.
    Write,
}

impl Protocol {
    /// Which way the data goes; `None` where there is none.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::PioIn | Self::DmaIn | Self::QueuedIn => Some(Direction::Read),
            Self::PioOut | Self::DmaOut | Self::QueuedOut => Some(Direction::Write),
            Self::NonData | Self::DeviceReset | Self::Diagnostic => None,
        }
    }
}

/// What becomes of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It carries disk content.
    Content(Content),
    /// It carries none, and is given to the device as it is.
    Pass {
        /// How its data moves.
        protocol: Protocol,
        /// Bytes of data to the host, at most [`super::LONGEST_ANSWER`].
        bytes: u32,
        /// What is done when the device has carried it out.
        after: After,
    },
    /// DATA SET MANAGEMENT, TRIM: the ranges of its payload are to be clipped (`clip_trim`).
    Trim {
        /// Bytes of payload, at most [`super::LONGEST_ANSWER`].
        bytes: u32,
    },
    /// PACKET: its command descriptor block is to be judged ([`super::packet::judge`]).
    Packet,
    /// It is not given to the device.
    Refuse(Reason),
}

/// A command that carries disk content. All of its blocks are on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    /// Which way.
    pub direction: Direction,
    /// How.
    pub protocol: Protocol,
    /// The first logical block.
    pub first: u64,
    /// Logical blocks: 1 to [`super::LARGEST_BLOCKS`].
    pub blocks: u32,
    /// Logical blocks that move in one go with PIO: more than 1 for READ and WRITE MULTIPLE only.
    pub unit: u8,
    /// Of a queued command.
    pub tag: Option<u8>,
}

/// What is done with a passed command that the device has carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// Nothing.
    Nothing,
    /// The answer is IDENTIFY DEVICE data: `amend_identify`.
    Identify,
    /// The answer is IDENTIFY PACKET DEVICE data: `amend_identify_packet`.
    IdentifyPacket,
    /// The answer is pages of a log: `amend_log`.
    Log {
        /// Its address.
        address: u8,
        /// The first page in the answer.
        page: u16,
    },
    /// READ and WRITE MULTIPLE now move as many blocks in one go; 0: they are off.
    Multiple(u8),
}

/// Why a command is not given to the device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// No standard defines the opcode.
    Reserved,
    /// Only its maker knows what it does.
    VendorSpecific,
    /// Out of use for decades, or of no use to a guest.
    Unused,
    /// CompactFlash only.
    CompactFlash,
    /// Content past the sector filter: with its error correction, or formatted.
    Raw,
    /// Content past the sector filter: the device's buffer.
    Buffer,
    /// Content with errors in it, delivered in time.
    Stream,
    /// The queue before native command queuing, which overlaps commands in other ways.
    LegacyQueue,
    /// Carries other commands inside the native queue.
    QueuedOther,
    /// Changes or erases content without carrying it.
    Erases,
    /// Zones.
    Zones,
    /// Firmware of the device.
    Firmware,
    /// Passwords of the device: would lock out, or erase.
    Password,
    /// Another owner of the disk below us.
    Trusted,
    /// Changes what the disk is: size, sectors, features.
    Capacity,
    /// A second store of content.
    NonVolatileCache,
    /// Writes a log: content past the sector filter, or commands inside (SCT).
    WritesLog,
    /// A log that is vendor specific or unknown, or carries commands (SCT).
    Log,
    /// More pages of a log, or ranges to trim, than are carried at once, or none.
    Length,
    /// A subcommand that is not on the list.
    Subcommand,
    /// TRIM, which the policy does not allow.
    Discard,
    /// Cylinder, head and sector.
    Cylinders,
    /// Past the end of the disk.
    OutOfRange,
    /// This device does not have it: 48-bit addresses, a native queue, MULTIPLE without SET MULTIPLE MODE, packets on
    /// a disk, sectors on a packet device.
    Absent,
}

impl fmt::Display for Reason {
    /// As part of a sentence: "refused: …".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Reserved => "no standard defines it",
            Self::VendorSpecific => "only its maker knows what it does",
            Self::Unused => "out of use for decades, or of no use to a guest",
            Self::CompactFlash => "for CompactFlash cards only",
            Self::Raw => "content past the encryption: raw sectors",
            Self::Buffer => "content past the encryption: the device's buffer",
            Self::Stream => "content that may be delivered with errors in it",
            Self::LegacyQueue => "overlaps commands in ways from before native queuing",
            Self::QueuedOther => "carries other commands inside the native queue",
            Self::Erases => "changes or erases content without carrying it",
            Self::Zones => "zoned disks are not supported",
            Self::Firmware => "firmware of the device",
            Self::Password => "a password of the device locks out, or erases",
            Self::Trusted => "another owner of the disk below the hypervisor",
            Self::Capacity => {
                "changes the size, the sectors or the features of the disk, or tells of their changing"
            }
            Self::NonVolatileCache => "a second store of content",
            Self::WritesLog => "content past the encryption, or commands (SCT), in a log",
            Self::Log => "a log that carries commands (SCT), or is not known",
            Self::Length => "none, or more than is carried at once",
            Self::Subcommand => "not on the list of its subcommands",
            Self::Discard => "TRIM, which the policy does not allow",
            Self::Cylinders => "addressed by cylinder, head and sector",
            Self::OutOfRange => "past the end of the disk",
            Self::Absent => "the device does not have it",
        })
    }
}
