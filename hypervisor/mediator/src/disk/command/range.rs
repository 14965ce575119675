//! The blocks that a content command names, and the same command for a part of them.

use super::table::{Address, Fate, command};
use super::task::{DEVICE_LBA, TaskFile, aborted};
use super::verdict::Reason;

/// Blocks of the largest 28-bit command.
const LARGEST_28: u32 = 256;
/// Blocks of the largest 48-bit or queued command.
pub const LARGEST_BLOCKS: u32 = 65_536;
/// The LBA's bits that a 28-bit command has in the LBA registers.
const LBA_28_LOW: u64 = (1 << 24) - 1;
/// All of a 48-bit address.
const LBA_48: u64 = (1 << 48) - 1;
/// All of a 28-bit address.
const LBA_28: u64 = (1 << 28) - 1;
/// DEVICE bits 3:0: bits 27:24 of a 28-bit address.
const DEVICE_HEAD: u8 = 0x0f;
/// COUNT bits 7:3 of a queued command: its tag (ACS-4, READ FPDMA QUEUED).
const TAG_SHIFT: u16 = 3;
const TAG_MASK: u16 = 0x1f;
/// What else COUNT says there: the tag and, in bits 15:14, the priority. Bit 0 (rebuild assist) and the rest go.
const QUEUED_COUNT: u16 = 0xc0f8;

/// First block and number of blocks, 1 to [`LARGEST_BLOCKS`], all of which the command's registers can say.
pub(super) fn range(task: &TaskFile, address: Address) -> Result<(u64, u32), Reason> {
    let (first, count) = match address {
        // A 48-bit or queued command knows no cylinders: its DEVICE bit 6 is set by `piece`, whatever the guest wrote.
        Address::Lba48 => (task.lba & LBA_48, task.count),
        Address::Queued => (task.lba & LBA_48, task.features),
        Address::Lba28 if task.device & DEVICE_LBA == 0 => return Err(Reason::Cylinders),
        Address::Lba28 => {
            let high = u64::from(task.device & DEVICE_HEAD) << 24;
            (task.lba & LBA_28_LOW | high, task.count & 0xff)
        }
    };
    let (last, largest) = limits(address);
    let blocks = if count == 0 { largest } else { u32::from(count) };
    // A range over the end of the registers is none, also on a disk that has more blocks.
    if last - first < u64::from(blocks - 1) {
        return Err(Reason::OutOfRange);
    }
    Ok((first, blocks))
}

/// The last block and the most blocks that the registers can say.
const fn limits(address: Address) -> (u64, u32) {
    match address {
        Address::Lba28 => (LBA_28, LARGEST_28),
        Address::Lba48 | Address::Queued => (LBA_48, LARGEST_BLOCKS),
    }
}

/// The tag of a queued command.
pub(super) fn tag(task: &TaskFile) -> u8 {
    u8::try_from(task.count >> TAG_SHIFT & TAG_MASK).unwrap_or_default()
}

/// The same command for `blocks` blocks from `first`: opcode, tag, priority and forced unit access stay.
///
/// Registers that the command does not use are cleared, so this is also what is given to the device where a command
/// goes in one piece. `None` where the command carries no content or its registers cannot say the range.
#[must_use]
pub fn piece(task: &TaskFile, first: u64, blocks: u32) -> Option<TaskFile> {
    let Fate::Content { address, .. } = command(task.command).fate else {
        return None;
    };
    let (last_possible, largest) = limits(address);
    let last = first.checked_add(u64::from(blocks.checked_sub(1)?))?;
    if last > last_possible || blocks > largest {
        return None;
    }
    // The largest count is 0 in its register.
    let register = u16::try_from(blocks % largest).ok()?;
    let device = task.device & !DEVICE_HEAD | DEVICE_LBA;
    let bare = TaskFile {
        command: task.command,
        device,
        ..aborted()
    };
    Some(match address {
        Address::Lba28 => TaskFile {
            lba: first & LBA_28_LOW,
            device: device | u8::try_from(first >> 24).ok()?,
            count: register,
            ..bare
        },
        Address::Lba48 => TaskFile {
            lba: first,
            count: register,
            ..bare
        },
        Address::Queued => TaskFile {
            lba: first,
            features: register,
            count: task.count & QUEUED_COUNT,
            icc: task.icc,
            ..bare
        },
    })
}
