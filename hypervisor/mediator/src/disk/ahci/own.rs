//! Commands of our own, while no guest runs: polled, one at a time.

use super::order::Order;
use super::port::Port;
use super::spec::{
    PX_CI, PX_CMD, PX_CMD_CR, PX_CMD_FR, PX_CMD_FRE, PX_CMD_ST, PX_IS, PX_IS_FATAL, PX_SCTL, PX_SCTL_RESET,
    PX_SERR, PX_SSTS, PX_SSTS_DET, PX_SSTS_LINKED, PX_TFD, PX_TFD_BSY, PX_TFD_DRQ,
};
use super::start::identify;
use crate::disk::bind::{BlockReader, Unreadable};
use crate::disk::command::{FIS_BYTES, Identity, Kind, Known, PAGE_BYTES, TaskFile, piece};
use crate::disk::shadow::CHUNK_BYTES;
use crate::seam::{Buffer, Host, Registers};
use alloc::collections::VecDeque;

/// Nanoseconds in a millisecond.
pub(super) const MILLISECOND: u64 = 1_000_000;
/// A command, of a disk that may have to spin up first.
const COMMAND: u64 = 30_000 * MILLISECOND;
/// PxCMD.CR and FR clear after ST and FRE (10.1.2).
const STOP: u64 = 500 * MILLISECOND;
/// A link comes up (10.1.1 says 10 ms; a device that was just powered needs longer).
pub(super) const LINK: u64 = 100 * MILLISECOND;
/// A device is ready; a disk spins up first.
const READY: u64 = 15_000 * MILLISECOND;
/// READ DMA EXT and READ DMA (ACS-4, 7.20 and 7.19).
const READ_48: u8 = 0x25;
const READ_28: u8 = 0xc8;

/// A port that is started, with a chunk for data.
pub(super) struct Own<'a, R, H> {
    pub(super) port: &'a Port,
    pub(super) registers: &'a mut R,
    pub(super) host: &'a mut H,
    /// `None` when the device would not let go of it.
    pub(super) chunk: &'a mut Option<Buffer>,
}

/// The same for the blocks of a disk.
pub(super) struct OwnReader<'a, R, H> {
    pub(super) own: Own<'a, R, H>,
    pub(super) known: Known,
    pub(super) link: Link,
}

/// What was done to the link to a disk, to read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Link {
    /// Nothing.
    Kept,
    /// It was reset: another disk may be there now.
    Reset,
}

impl<R: Registers, H: Host> Own<'_, R, H> {
    pub(super) fn identify(&mut self, kind: Kind) -> Result<Identity, Unreadable> {
        let mut page = [0; PAGE_BYTES];
        self.read(&identify(kind), &mut page)?;
        let identity = match kind {
            Kind::Disk => Identity::of_disk(&page),
            Kind::Packet => Identity::of_packet_device(&page),
        };
        identity.map_err(|_| Unreadable)
    }

    /// Carries out a command that reads `answer.len()` bytes, at most a chunk.
    fn read(&mut self, task: &TaskFile, answer: &mut [u8]) -> Result<(), Unreadable> {
        // Stopped by a command that failed, or never started: PxCI would say at once that it has ended.
        if self.port.load(PX_CMD, self.registers) & PX_CMD_ST == 0 {
            return Err(Unreadable);
        }
        let chunk = self.chunk.take().ok_or(Unreadable)?;
        let fis: [u8; FIS_BYTES] = task.to_fis();
        let chunks = VecDeque::from([chunk.lend()]);
        let order = Order {
            fis,
            packet: None,
            flags: 0,
            chunks: &chunks,
            bytes: answer.len(),
        };
        self.port.structures.write(0, &order, self.host);
        self.port.store(PX_CI, 1, self.registers);
        let port = self.port;
        let ended = wait(COMMAND, self.registers, self.host, |registers| {
            port.load(PX_CI, registers) & 1 == 0 || port.load(PX_IS, registers) & PX_IS_FATAL != 0
        });
        let failed = !ended || port.load(PX_IS, self.registers) & PX_IS_FATAL != 0;
        if failed && stop(port, self.registers, self.host).is_err() {
            // The device may write to the chunk at any time: it is nobody's any more.
            return Err(Unreadable);
        }
        let mut chunks = chunks;
        let mut chunk = chunks.pop_front().ok_or(Unreadable)?.reclaim();
        self.host.with(&mut chunk, |bytes, _| {
            for (to, from) in answer.iter_mut().zip(bytes.iter()) {
                *to = *from;
            }
        });
        *self.chunk = Some(chunk);
        if failed { Err(Unreadable) } else { Ok(()) }
    }
}

impl<R: Registers, H: Host> OwnReader<'_, R, H> {
    /// Starts the port again where a read that failed has stopped it. A disk that is still at that read is reset.
    fn restart(&mut self) -> Result<(), Unreadable> {
        let Own {
            port,
            registers,
            host,
            chunk,
        } = &mut self.own;
        if port.load(PX_CMD, *registers) & PX_CMD_ST != 0 {
            return Ok(());
        }
        // Without a chunk the port has not stopped.
        if chunk.is_none() {
            return Err(Unreadable);
        }
        if port.load(PX_TFD, *registers) & (PX_TFD_BSY | PX_TFD_DRQ) != 0 {
            self.link = Link::Reset;
            reset_link(port, *registers, *host);
        }
        start(port, *registers, *host);
        Ok(())
    }
}

impl<R: Registers, H: Host> BlockReader for OwnReader<'_, R, H> {
    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), Unreadable> {
        let command = if self.known.lba48 { READ_48 } else { READ_28 };
        let task = TaskFile {
            command,
            ..TaskFile::default()
        };
        let mut first = first;
        for part in data.chunks_mut(CHUNK_BYTES) {
            let blocks = u32::try_from(part.len()).map_err(|_| Unreadable)? / self.known.block_bytes;
            let task = piece(&task, first, blocks).ok_or(Unreadable)?;
            self.restart()?;
            self.own.read(&task, part)?;
            first = first.checked_add(blocks.into()).ok_or(Unreadable)?;
        }
        Ok(())
    }
}

/// Starts a port whose device is ready, or will be (10.3.1).
pub(super) fn start<R: Registers, H: Host>(port: &Port, registers: &mut R, host: &H) {
    for register in [PX_SERR, PX_IS] {
        let told = port.load(register, registers);
        port.store(register, told, registers);
    }
    let command = port.load(PX_CMD, registers) | PX_CMD_FRE;
    port.store(PX_CMD, command, registers);
    let ready = wait(READY, registers, host, |registers| {
        port.load(PX_TFD, registers) & (PX_TFD_BSY | PX_TFD_DRQ) == 0
    });
    // What is not ready takes no command: the first one will say so.
    if ready {
        let command = port.load(PX_CMD, registers) | PX_CMD_ST;
        port.store(PX_CMD, command, registers);
    }
}

/// Resets the link of a stopped port, and with it the device (10.4.2).
fn reset_link<R: Registers, H: Host>(port: &Port, registers: &mut R, host: &H) {
    let control = port.load(PX_SCTL, registers) & !PX_SSTS_DET;
    port.store(PX_SCTL, control | PX_SCTL_RESET, registers);
    wait(MILLISECOND, registers, host, |_| false);
    port.store(PX_SCTL, control, registers);
    wait(LINK, registers, host, |registers| is_linked(port, registers));
}

pub(super) fn is_linked<R: Registers>(port: &Port, registers: &mut R) -> bool {
    port.load(PX_SSTS, registers) & PX_SSTS_DET == PX_SSTS_LINKED
}

/// The controller does not do as it is told.
pub(super) struct Stuck;

/// Stops a port: its command list, then the writing of received FISes.
pub(super) fn stop<R: Registers, H: Host>(port: &Port, registers: &mut R, host: &H) -> Result<(), Stuck> {
    for (started, runs) in [(PX_CMD_ST, PX_CMD_CR), (PX_CMD_FRE, PX_CMD_FR)] {
        let command = port.load(PX_CMD, registers);
        port.store(PX_CMD, command & !started, registers);
        if !wait(STOP, registers, host, |registers| {
            port.load(PX_CMD, registers) & runs == 0
        }) {
            return Err(Stuck);
        }
    }
    Ok(())
}

/// Looks at the registers until `done` says so, at most so many nanoseconds; whether it did.
pub(super) fn wait<R: Registers, H: Host>(
    nanoseconds: u64,
    registers: &mut R,
    host: &H,
    mut done: impl FnMut(&mut R) -> bool,
) -> bool {
    let start = host.now();
    loop {
        if done(registers) {
            return true;
        }
        if host.now().0.saturating_sub(start.0) > nanoseconds {
            return false;
        }
    }
}
