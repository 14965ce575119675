//! Requests of content, by command code.

use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::Request;

const BLOCK_BYTES: usize = 512;

/// Writes `content` from `block` on.
pub(super) fn write(opcode: u8, block: u64, content: &[u8]) -> Request {
    Request::sends(task(opcode, block, content.len() / BLOCK_BYTES), content)
}

/// Reads so many blocks from `block` on.
pub(super) fn read(opcode: u8, block: u64, blocks: usize) -> Request {
    Request::brings(task(opcode, block, blocks), blocks * BLOCK_BYTES)
}

fn task(opcode: u8, block: u64, blocks: usize) -> TaskFile {
    let count = u16::try_from(blocks % 65_536).unwrap();
    match opcode {
        command::READ_FPDMA_QUEUED | command::WRITE_FPDMA_QUEUED => TaskFile::queued(opcode, 0, block, count),
        command::READ_DMA_EXT | command::WRITE_DMA_EXT => TaskFile::long(opcode, block, count),
        _ => TaskFile::short(opcode, block, count.try_into().unwrap()),
    }
}
