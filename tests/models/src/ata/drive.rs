//! What can hang on a port.

use super::disk::Disk;
use super::packet::PacketDrive;
use super::task::{Acceptance, Outcome, TaskFile};

/// A disk or a packet drive.
#[derive(Clone, Debug)]
pub enum Drive {
    /// A disk.
    Disk(Box<Disk>),
    /// A packet drive.
    Packet(PacketDrive),
}

impl Drive {
    /// The signature in address and count registers after a reset (ACS-4, section 6.4; the order of PxSIG).
    #[must_use]
    pub const fn signature(&self) -> u32 {
        match self {
            Self::Disk(_) => 0x0000_0101,
            Self::Packet(_) => 0xeb14_0101,
        }
    }

    /// The disk, where it is one.
    #[must_use]
    pub fn disk(&self) -> Option<&Disk> {
        match self {
            Self::Disk(disk) => Some(disk),
            Self::Packet(_) => None,
        }
    }

    /// The disk, where it is one.
    pub fn disk_mut(&mut self) -> Option<&mut Disk> {
        match self {
            Self::Disk(disk) => Some(disk),
            Self::Packet(_) => None,
        }
    }

    /// A reset.
    pub fn reset(&mut self) {
        if let Self::Disk(disk) = self {
            disk.reset();
        }
    }

    /// What it does with a command; `packet` is the one that PACKET brings.
    pub fn accept(&mut self, task: &TaskFile, packet: &[u8]) -> Acceptance {
        match self {
            Self::Disk(disk) => disk.accept(task),
            Self::Packet(drive) => drive.accept(task, packet),
        }
    }

    /// Carries out a command that it took.
    pub fn carry_out(&mut self, task: &TaskFile, packet: &[u8], sent: &[u8]) -> Outcome {
        match self {
            Self::Disk(disk) => disk.carry_out(task, sent),
            Self::Packet(drive) => drive.carry_out(task, packet, sent),
        }
    }
}
