//! What a device says of itself, out of its own IDENTIFY data (ACS-4, IDENTIFY DEVICE), before anything is
//! hidden in it.
//!
//! Not trusted further than what a wrong answer does to its own content: sizes are checked for being possible.

use super::words::{PAGE_BYTES, number, sum, word};

/// What commands a device takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// ATA: commands that name logical blocks.
    Disk,
    /// ATAPI: packets.
    Packet,
}

/// What of a device decides its commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Disk, or packets.
    pub kind: Kind,
    /// Bytes of a logical block: 512 or 4096.
    pub block_bytes: u32,
    /// Logical blocks; 0 for a packet device.
    pub blocks: u64,
    /// It takes 48-bit commands.
    pub lba48: bool,
    /// Tags of native command queuing: 0 (none) to 32.
    pub queue_depth: u8,
    /// Blocks that READ and WRITE MULTIPLE move in one go; 0: off. Changes with [`super::After::Multiple`], and with
    /// resets.
    pub multiple: u8,
    /// The policy lets TRIM through for some volume of it.
    pub discard: bool,
}

/// What IDENTIFY DEVICE or IDENTIFY PACKET DEVICE says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    serial: [u8; 20],
    model: [u8; 40],
    known: Known,
}

/// IDENTIFY data that no disk of ours can be made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The checksum says that it is damaged.
    Damaged,
    /// Only a part is there: the disk has not spun up yet.
    Incomplete,
    /// It has no logical block addresses.
    NoBlocks,
    /// Logical blocks of so many bytes.
    BlockSize(u64),
}

/// Word 0 of a CompactFlash card, which would else mean ATAPI.
const COMPACT_FLASH: u16 = 0x848a;

impl Identity {
    /// Of IDENTIFY DEVICE data.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn of_disk(page: &[u8; PAGE_BYTES]) -> Result<Self, Unfit> {
        intact(page)?;
        let word_0 = word(page, 0);
        if word_0 != COMPACT_FLASH && word_0 & (1 << 15 | 1 << 2) != 0 {
            return Err(Unfit::Incomplete);
        }
        if word(page, 49) & 1 << 9 == 0 {
            return Err(Unfit::NoBlocks);
        }
        let lba48 = valid(word(page, 83)) & 1 << 10 != 0;
        let known = Known {
            kind: Kind::Disk,
            block_bytes: block_bytes(page)?,
            blocks: blocks(page, lba48).ok_or(Unfit::NoBlocks)?,
            lba48,
            queue_depth: queue_depth(page),
            multiple: multiple(page),
            discard: false,
        };
        Ok(Self::new(page, known))
    }

    /// Of IDENTIFY PACKET DEVICE data.
    ///
    /// # Errors
    /// [`Unfit::Damaged`].
    pub fn of_packet_device(page: &[u8; PAGE_BYTES]) -> Result<Self, Unfit> {
        intact(page)?;
        let known = Known {
            kind: Kind::Packet,
            block_bytes: 512,
            blocks: 0,
            lba48: false,
            queue_depth: 0,
            multiple: 0,
            discard: false,
        };
        Ok(Self::new(page, known))
    }

    fn new(page: &[u8; PAGE_BYTES], known: Known) -> Self {
        Self {
            serial: text(page, 10),
            model: text(page, 27),
            known,
        }
    }

    /// Its serial number without surrounding spaces; bytes that the disk chose.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        trimmed(&self.serial)
    }

    /// Its model without surrounding spaces; bytes that the disk chose.
    #[must_use]
    pub fn model(&self) -> &[u8] {
        trimmed(&self.model)
    }

    /// What decides its commands; no TRIM unless it is set.
    #[must_use]
    pub const fn known(&self) -> Known {
        self.known
    }
}

/// Word 255: where its low byte is A5h, its high byte is a checksum.
pub(super) fn has_checksum(page: &[u8; PAGE_BYTES]) -> bool {
    word(page, 255) & 0xff == 0xa5
}

fn intact(page: &[u8; PAGE_BYTES]) -> Result<(), Unfit> {
    if has_checksum(page) && sum(page) != 0 {
        return Err(Unfit::Damaged);
    }
    Ok(())
}

/// A word that holds only where its bits 15:14 are 01b; else 0.
const fn valid(word: u16) -> u16 {
    if word & 0xc000 == 0x4000 { word } else { 0 }
}

fn block_bytes(page: &[u8; PAGE_BYTES]) -> Result<u32, Unfit> {
    if valid(word(page, 106)) & 1 << 12 == 0 {
        return Ok(512);
    }
    match number::<2>(page, 117) {
        256 => Ok(512),
        2048 => Ok(4096),
        words => Err(Unfit::BlockSize(words * 2)),
    }
}

fn blocks(page: &[u8; PAGE_BYTES], lba48: bool) -> Option<u64> {
    /// Word 69 bit 3: words 230 to 233 hold the number, which words 100 to 103 may be too small for.
    const EXTENDED: u16 = 1 << 3;
    let blocks = match lba48 {
        true if word(page, 69) & EXTENDED != 0 => number::<4>(page, 230),
        true => number::<4>(page, 100),
        false => number::<2>(page, 60),
    };
    (1..=1 << 48).contains(&blocks).then_some(blocks)
}

/// Words 75 and 76: tags, where native command queuing is supported.
fn queue_depth(page: &[u8; PAGE_BYTES]) -> u8 {
    let capabilities = word(page, 76);
    if capabilities == 0xffff || capabilities & 1 << 8 == 0 {
        return 0;
    }
    u8::try_from(word(page, 75) & 0x1f).unwrap_or_default() + 1
}

/// Word 59: what SET MULTIPLE MODE said last.
fn multiple(page: &[u8; PAGE_BYTES]) -> u8 {
    let [blocks, flags] = word(page, 59).to_le_bytes();
    if flags & 1 == 0 { 0 } else { blocks }
}

/// Text from word `first`: two characters a word, the first one in the high byte.
fn text<const N: usize>(page: &[u8; PAGE_BYTES], first: usize) -> [u8; N] {
    let mut text = [b' '; N];
    for (pair, index) in text.chunks_exact_mut(2).zip(first..) {
        pair.copy_from_slice(&word(page, index).to_be_bytes());
    }
    text
}

fn trimmed(text: &[u8]) -> &[u8] {
    let ends = |byte: &u8| matches!(byte, b' ' | 0);
    let start = text.iter().position(|byte| !ends(byte)).unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|byte| !ends(byte))
        .map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}
