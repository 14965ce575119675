//! From registers to verdict.

use super::identity::{Kind, Known};
use super::range::{range, tag};
use super::table::{Address, Fate, Unit, command};
use super::task::TaskFile;
use super::verdict::{After, Content, Protocol, Reason, Verdict};
use super::{log, subcommand};

/// Bytes of an answer that passes, and of a TRIM payload, at most: what a mediator has to hold at once beside content.
pub const LONGEST_ANSWER: u32 = 64 * 1024;
/// Bytes of IDENTIFY data, of a log page and of a block of TRIM ranges.
pub(super) const PAGE: u32 = 512;

/// What becomes of a command for this disk.
#[must_use]
pub fn judge(task: &TaskFile, disk: &Known) -> Verdict {
    match command(task.command).fate {
        Fate::Content {
            protocol,
            address,
            unit,
        } => content(task, disk, protocol, address, unit).map_or_else(Verdict::Refuse, Verdict::Content),
        Fate::Pass(protocol) => pass(protocol, 0, After::Nothing),
        Fate::Identify => pass(Protocol::PioIn, PAGE, After::Identify),
        Fate::IdentifyPacket => pass(Protocol::PioIn, PAGE, After::IdentifyPacket),
        Fate::SetMultiple => {
            let [blocks, _] = task.count.to_le_bytes();
            pass(Protocol::NonData, 0, After::Multiple(blocks))
        }
        Fate::SetFeatures => subcommand::set_features(task),
        Fate::Smart => subcommand::smart(task),
        Fate::ReadLog(protocol) => log::read_extended(task, protocol),
        Fate::Trim => trim(task, disk),
        Fate::Packet => packet(task, disk),
        Fate::Refuse(reason) => Verdict::Refuse(reason),
    }
}

pub(super) const fn pass(protocol: Protocol, bytes: u32, after: After) -> Verdict {
    Verdict::Pass {
        protocol,
        bytes,
        after,
    }
}

fn content(
    task: &TaskFile,
    disk: &Known,
    protocol: Protocol,
    address: Address,
    unit: Unit,
) -> Result<Content, Reason> {
    let direction = protocol.direction().ok_or(Reason::Absent)?;
    let tag = (address == Address::Queued).then(|| tag(task));
    let unit = match unit {
        Unit::Block => 1,
        Unit::Multiple => disk.multiple,
    };
    let absent = disk.kind != Kind::Disk
        || unit == 0
        || address == Address::Lba48 && !disk.lba48
        || tag.is_some_and(|tag| tag >= disk.queue_depth);
    if absent {
        return Err(Reason::Absent);
    }
    let (first, blocks) = range(task, address)?;
    if first > disk.blocks.saturating_sub(u64::from(blocks)) || u64::from(blocks) > disk.blocks {
        return Err(Reason::OutOfRange);
    }
    Ok(Content {
        direction,
        protocol,
        first,
        blocks,
        unit,
        tag,
    })
}

/// FEATURES of DATA SET MANAGEMENT: TRIM, and nothing else (ACS-4, same command).
const TRIM: u16 = 1;

fn trim(task: &TaskFile, disk: &Known) -> Verdict {
    if !disk.discard {
        return Verdict::Refuse(Reason::Discard);
    }
    if disk.kind != Kind::Disk || !disk.lba48 {
        return Verdict::Refuse(Reason::Absent);
    }
    if task.features != TRIM {
        return Verdict::Refuse(Reason::Subcommand);
    }
    match pages(task.count) {
        Ok(bytes) => Verdict::Trim { bytes },
        Err(reason) => Verdict::Refuse(reason),
    }
}

/// FEATURES of PACKET: by DMA, and to the host (ATA/ATAPI-7, same command). Not: overlapped.
const PACKET_FEATURES: u16 = 1 << 0 | 1 << 2;

fn packet(task: &TaskFile, disk: &Known) -> Verdict {
    let [features, _] = task.features.to_le_bytes();
    if disk.kind != Kind::Packet {
        Verdict::Refuse(Reason::Absent)
    } else if u16::from(features) & !PACKET_FEATURES != 0 {
        Verdict::Refuse(Reason::LegacyQueue)
    } else {
        Verdict::Packet
    }
}

/// Bytes of as many pages; none, and more than [`LONGEST_ANSWER`], are refused.
pub(super) fn pages(count: u16) -> Result<u32, Reason> {
    let bytes = u32::from(count) * PAGE;
    if (PAGE..=LONGEST_ANSWER).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(Reason::Length)
    }
}
