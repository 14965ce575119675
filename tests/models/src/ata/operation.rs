//! What each command code means to the disk: where on it, which data, and whether it does harm.

use super::disk::{Features, Geometry};
use super::platter::Durability;
use super::spec::{command, device};
use super::task::{Direction, Protocol, TaskFile, Transfer};
use crate::bytes;

/// Sectors in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extent {
    pub(super) first: u64,
    pub(super) count: u64,
}

/// What a command does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Read(Extent),
    Write(Extent, Durability),
    Verify(Extent),
    Trim,
    Flush,
    Identify,
    Log,
    Smart,
    SetFeatures,
    SetMultiple,
    NativeMax,
    Diagnostic,
    /// Power states, freezing: nothing that shows.
    Nothing,
    /// Reads of buffers and trusted computing: bytes that mean nothing.
    Noise,
    /// What no guest may do: the disk does it, and says so.
    Harm,
    Unknown,
}

/// SMART sub-commands (ACS-4, section 9.7... by the features register).
pub(super) mod smart {
    pub(crate) const READ_DATA: u8 = 0xd0;
    pub(crate) const READ_THRESHOLDS: u8 = 0xd1;
    pub(crate) const READ_LOG: u8 = 0xd5;
    pub(crate) const WRITE_LOG: u8 = 0xd6;
}

/// The command's meaning and its data.
pub(super) fn decode(task: &TaskFile, geometry: &Geometry, features: &Features) -> (Operation, Transfer) {
    use command as c;
    let multiple = geometry.sector_size * usize::from(features.multiple);
    let one = geometry.sector_size;
    let read = |extent, protocol| media(Operation::Read(extent), Direction::In, extent, protocol, geometry);
    let write = |extent, durability, protocol| {
        let operation = Operation::Write(extent, durability);
        media(operation, Direction::Out, extent, protocol, geometry)
    };
    let (cached, forced) = (features.durability(), Durability::Forced);
    match task.command {
        c::READ_SECTORS => read(short(task), Protocol::Pio(one)),
        c::READ_SECTORS_EXT => read(long(task), Protocol::Pio(one)),
        c::READ_MULTIPLE => read(short(task), Protocol::Pio(multiple)),
        c::READ_MULTIPLE_EXT => read(long(task), Protocol::Pio(multiple)),
        c::READ_DMA => read(short(task), Protocol::Dma),
        c::READ_DMA_EXT => read(long(task), Protocol::Dma),
        c::READ_FPDMA_QUEUED => read(queued(task), Protocol::Queued),
        c::WRITE_SECTORS => write(short(task), cached, Protocol::Pio(one)),
        c::WRITE_SECTORS_EXT => write(long(task), cached, Protocol::Pio(one)),
        c::WRITE_MULTIPLE => write(short(task), cached, Protocol::Pio(multiple)),
        c::WRITE_MULTIPLE_EXT => write(long(task), cached, Protocol::Pio(multiple)),
        c::WRITE_MULTIPLE_FUA_EXT => write(long(task), forced, Protocol::Pio(multiple)),
        c::WRITE_DMA => write(short(task), cached, Protocol::Dma),
        c::WRITE_DMA_EXT => write(long(task), cached, Protocol::Dma),
        c::WRITE_DMA_FUA_EXT => write(long(task), forced, Protocol::Dma),
        c::WRITE_FPDMA_QUEUED if task.device & device::FUA != 0 => {
            write(queued(task), forced, Protocol::Queued)
        }
        c::WRITE_FPDMA_QUEUED => write(queued(task), cached, Protocol::Queued),
        c::READ_VERIFY => (Operation::Verify(short(task)), Transfer::NONE),
        c::READ_VERIFY_EXT => (Operation::Verify(long(task)), Transfer::NONE),
        _ => other(task),
    }
}

/// Commands that move no sectors.
fn other(task: &TaskFile) -> (Operation, Transfer) {
    use command as c;
    let blocks = usize::from(task.count) * 512;
    let none = |operation| (operation, Transfer::NONE);
    let pio_in = |operation, bytes| (operation, data(Direction::In, Protocol::Pio(512), bytes));
    let dma_in = |operation, bytes| (operation, data(Direction::In, Protocol::Dma, bytes));
    match task.command {
        c::DATA_SET_MANAGEMENT => (Operation::Trim, data(Direction::Out, Protocol::Dma, blocks)),
        c::FLUSH_CACHE | c::FLUSH_CACHE_EXT => none(Operation::Flush),
        c::IDENTIFY_DEVICE => pio_in(Operation::Identify, 512),
        c::READ_LOG_EXT => pio_in(Operation::Log, blocks),
        c::READ_LOG_DMA_EXT => dma_in(Operation::Log, blocks),
        c::SMART => smart_transfer(task),
        c::SET_FEATURES => none(Operation::SetFeatures),
        c::SET_MULTIPLE => none(Operation::SetMultiple),
        c::READ_NATIVE_MAX | c::READ_NATIVE_MAX_EXT => none(Operation::NativeMax),
        c::EXECUTE_DEVICE_DIAGNOSTIC => none(Operation::Diagnostic),
        c::STANDBY_IMMEDIATE..=c::IDLE | c::CHECK_POWER_MODE | c::SLEEP => none(Operation::Nothing),
        c::SECURITY_FREEZE_LOCK | c::SET_DATE_AND_TIME => none(Operation::Nothing),
        c::READ_BUFFER => pio_in(Operation::Noise, 512),
        c::READ_BUFFER_DMA => dma_in(Operation::Noise, 512),
        c::TRUSTED_RECEIVE => pio_in(Operation::Noise, long_blocks(task)),
        c::TRUSTED_RECEIVE_DMA => dma_in(Operation::Noise, long_blocks(task)),
        c::RECEIVE_FPDMA_QUEUED => {
            let bytes = usize::from(task.features) * 512;
            (Operation::Noise, data(Direction::In, Protocol::Queued, bytes))
        }
        _ => harm(task),
    }
}

/// Commands that a disk obeys and its owner regrets.
fn harm(task: &TaskFile) -> (Operation, Transfer) {
    use command as c;
    let blocks = usize::from(task.count) * 512;
    let transfer = match task.command {
        c::WRITE_UNCORRECTABLE_EXT | c::SANITIZE | c::SECURITY_ERASE_PREPARE | c::CFA_ERASE => Transfer::NONE,
        c::SET_MAX | c::SET_MAX_EXT | c::ACCESSIBLE_MAX | c::DEVICE_CONFIGURATION_OVERLAY => Transfer::NONE,
        c::NCQ_NON_DATA => data(Direction::None, Protocol::Queued, 0),
        c::SECURITY_SET_PASSWORD
        | c::SECURITY_UNLOCK
        | c::SECURITY_ERASE_UNIT
        | c::SECURITY_DISABLE_PASSWORD
        | c::WRITE_BUFFER => data(Direction::Out, Protocol::Pio(512), 512),
        c::WRITE_BUFFER_DMA => data(Direction::Out, Protocol::Dma, 512),
        c::DOWNLOAD_MICROCODE | c::TRUSTED_SEND => {
            data(Direction::Out, Protocol::Pio(512), long_blocks(task))
        }
        c::DOWNLOAD_MICROCODE_DMA | c::TRUSTED_SEND_DMA => {
            data(Direction::Out, Protocol::Dma, long_blocks(task))
        }
        c::WRITE_LOG_EXT | c::CFA_WRITE_WITHOUT_ERASE | c::CFA_WRITE_MULTIPLE_WITHOUT_ERASE => {
            data(Direction::Out, Protocol::Pio(512), blocks)
        }
        c::WRITE_LOG_DMA_EXT | c::DATA_SET_MANAGEMENT_XL => data(Direction::Out, Protocol::Dma, blocks),
        c::SEND_FPDMA_QUEUED => data(Direction::Out, Protocol::Queued, usize::from(task.features) * 512),
        _ => return (Operation::Unknown, Transfer::NONE),
    };
    (Operation::Harm, transfer)
}

fn smart_transfer(task: &TaskFile) -> (Operation, Transfer) {
    let blocks = usize::from(task.count & 0xff) * 512;
    let [feature, _] = task.features.to_le_bytes();
    match feature {
        smart::READ_DATA | smart::READ_THRESHOLDS => {
            (Operation::Smart, data(Direction::In, Protocol::Pio(512), 512))
        }
        smart::READ_LOG => (Operation::Smart, data(Direction::In, Protocol::Pio(512), blocks)),
        smart::WRITE_LOG => (Operation::Harm, data(Direction::Out, Protocol::Pio(512), blocks)),
        _ => (Operation::Smart, Transfer::NONE),
    }
}

fn media(
    operation: Operation,
    direction: Direction,
    extent: Extent,
    protocol: Protocol,
    geometry: &Geometry,
) -> (Operation, Transfer) {
    let bytes = bytes::size(extent.count) * geometry.sector_size;
    match protocol {
        // READ or WRITE MULTIPLE before SET MULTIPLE MODE.
        Protocol::Pio(0) => (Operation::Unknown, Transfer::NONE),
        _ => (operation, data(direction, protocol, bytes)),
    }
}

const fn data(direction: Direction, protocol: Protocol, bytes: usize) -> Transfer {
    Transfer {
        direction,
        protocol,
        bytes,
        delay: 0,
    }
}

/// TRUSTED and DOWNLOAD MICROCODE: the upper half of the block count lies in the address.
fn long_blocks(task: &TaskFile) -> usize {
    usize::from(u16::from_le_bytes([
        bytes::nth(task.count.into(), 0),
        bytes::nth(task.lba, 0),
    ])) * 512
}

/// 28 bits of address; no count is 256.
fn short(task: &TaskFile) -> Extent {
    let first = task.lba & 0xff_ffff | u64::from(task.device & 0xf) << 24;
    let count = match task.count & 0xff {
        0 => 256,
        count => count.into(),
    };
    Extent { first, count }
}

/// 48 bits of address; no count is 65,536.
fn long(task: &TaskFile) -> Extent {
    extent(task.lba, task.count)
}

/// The count lies where others have features.
fn queued(task: &TaskFile) -> Extent {
    extent(task.lba, task.features)
}

fn extent(first: u64, count: u16) -> Extent {
    let count = match count {
        0 => 0x1_0000,
        count => count.into(),
    };
    Extent { first, count }
}
