//! Commands of our own, by programmed I/O and polling: before the guest uses the drives, and when it does not ask a drive
//! who it is where that has to be known.
//!
//! A drive may be absent, asleep or broken: every wait ends at a time of the host's clock.

use super::Ports;
use super::registers::Position;
use super::spec::{control, device, register, status};
use super::wire::Wire;
use crate::disk::bind::{BlockReader, Unreadable};
use crate::disk::command::{PAGE_BYTES, TaskFile};
use crate::seam::{Host, Instant};

/// Nanoseconds that a drive may take for one step of a command: it may have to spin up.
const PATIENCE: u64 = 10_000_000_000;
/// The same while the guest waits: the drive has just said that it is ready.
const PATIENCE_OF_A_GUEST: u64 = 500_000_000;

const IDENTIFY_DEVICE: u8 = 0xec;
const IDENTIFY_PACKET_DEVICE: u8 = 0xa1;
const READ_SECTORS_EXT: u8 = 0x24;
const READ_SECTORS: u8 = 0x20;
/// LBA mid and high of a packet device that refused IDENTIFY DEVICE (ATA/ATAPI-7 volume 2, 9.12).
const PACKET_SIGNATURE: [u8; 2] = [0x14, 0xeb];
/// First block that a 28-bit command cannot name.
const END_OF_28_BITS: u64 = 1 << 28;

/// Why a command of our own gave nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PolledError {
    /// The drive was busy to the end.
    TimeOut,
    /// The drive refused, or failed.
    Failed,
}

/// What is found at a position.
pub(super) enum Found {
    /// Nothing that takes a command.
    Absent,
    /// A disk, and what it says of itself.
    Disk([u8; PAGE_BYTES]),
    /// A packet device, and what it says of itself.
    Packet([u8; PAGE_BYTES]),
    /// Something that did not answer as a drive does.
    Broken,
}

impl<P: Ports, H: Host> Wire<'_, P, H> {
    /// Turns the drives' interrupts off.
    pub(super) fn quiet(&mut self) {
        self.set_control(control::OBSOLETE | control::NO_INTERRUPT);
    }

    /// Turns them on again, as after a reset.
    pub(super) fn loud(&mut self) {
        self.set_control(control::OBSOLETE);
    }

    /// Asks the disk at `position` who it is, while the guest waits. `control` is what the guest has in the device
    /// control register.
    pub(super) fn ask(&mut self, position: Position, control: u8) -> Result<[u8; PAGE_BYTES], PolledError> {
        self.quiet();
        let page = self.identify(position, IDENTIFY_DEVICE, PATIENCE_OF_A_GUEST);
        self.set_control(control);
        page?.ok_or(PolledError::Failed)
    }

    /// What is at `position`.
    pub(super) fn find(&mut self, position: Position) -> Found {
        self.set_register(register::DEVICE, position.select());
        if status::FLOATING.contains(&self.settled()) {
            return Found::Absent;
        }
        match self.identify(position, IDENTIFY_DEVICE, PATIENCE) {
            Ok(Some(page)) => Found::Disk(page),
            Ok(None) => Found::Absent,
            Err(PolledError::Failed) if self.signature() == PACKET_SIGNATURE => {
                match self.identify(position, IDENTIFY_PACKET_DEVICE, PATIENCE) {
                    Ok(Some(page)) => Found::Packet(page),
                    Ok(None) | Err(_) => Found::Broken,
                }
            }
            Err(_) => Found::Broken,
        }
    }

    /// `None` where nobody takes the command.
    fn identify(
        &mut self,
        position: Position,
        command: u8,
        patience: u64,
    ) -> Result<Option<[u8; PAGE_BYTES]>, PolledError> {
        self.give(&TaskFile {
            command,
            device: position.select(),
            ..TaskFile::default()
        });
        // Device 0 answers zeros for a device 1 that does not exist, and takes no command for it.
        if self.alternate() == 0 {
            return Ok(None);
        }
        let mut page = [0; PAGE_BYTES];
        self.take(&mut page, patience)?;
        Ok(Some(page))
    }

    fn signature(&mut self) -> [u8; 2] {
        [
            self.register(register::LBA_MID),
            self.register(register::LBA_HIGH),
        ]
    }

    /// Takes one block of data when the drive has it, and waits until the command is over.
    fn take(&mut self, data: &mut [u8], patience: u64) -> Result<(), PolledError> {
        const BAD: u8 = status::ERROR | status::FAULT;
        let ready = self.wait(patience)?;
        if ready & BAD != 0 || ready & status::DATA_REQUEST == 0 {
            return Err(PolledError::Failed);
        }
        self.ports.read_data(self.channel, data);
        self.settled();
        let end = self.wait(patience)?;
        if end & (BAD | status::DATA_REQUEST) != 0 {
            return Err(PolledError::Failed);
        }
        Ok(())
    }

    /// Waits until the drive is not busy; its status, which takes a waiting interrupt back.
    fn wait(&mut self, patience: u64) -> Result<u8, PolledError> {
        let deadline = Instant(self.host.now().0.saturating_add(patience));
        loop {
            let now = self.register(register::STATUS);
            if now & status::BUSY == 0 {
                return Ok(now);
            }
            if self.host.now() >= deadline {
                return Err(PolledError::TimeOut);
            }
        }
    }
}

/// The blocks of the disk at a position, as they are on it.
pub(super) struct Blocks<'a, 'b, P, H> {
    pub(super) wire: &'a mut Wire<'b, P, H>,
    pub(super) position: Position,
    pub(super) block_bytes: usize,
}

impl<P: Ports, H: Host> BlockReader for Blocks<'_, '_, P, H> {
    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), Unreadable> {
        if !data.len().is_multiple_of(self.block_bytes) {
            return Err(Unreadable);
        }
        for (lba, block) in (first..).zip(data.chunks_exact_mut(self.block_bytes)) {
            self.wire.give(&read_one(self.position, lba));
            self.wire.take(block, PATIENCE).map_err(|_| Unreadable)?;
        }
        Ok(())
    }
}

/// The command that reads block `lba`.
fn read_one(position: Position, lba: u64) -> TaskFile {
    let [_, _, _, head, ..] = lba.to_le_bytes();
    let (command, lba, head) = if lba < END_OF_28_BITS {
        (READ_SECTORS, lba & 0xff_ffff, head)
    } else {
        (READ_SECTORS_EXT, lba, 0)
    };
    TaskFile {
        command,
        lba,
        count: 1,
        device: position.select() | device::LBA | head,
        ..TaskFile::default()
    }
}
