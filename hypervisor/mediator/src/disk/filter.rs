//! The one filter of sectors: what goes to a disk is encrypted or refused, what comes from it decrypted or zeroed.
//!
//! Every transfer of every command passes here in whole logical blocks. A block that the disk's map does not name is
//! refused when written and reads as zeros, so nothing leaves in clear because a rule was forgotten. The guest's block
//! numbers and data are hostile; the map was checked where it was made, and the disk's data needs no trust.

use alloc::vec::Vec;
use sekisho_abi::disk::{BlockRange, DiskMap, Fate, Shape};
use sekisho_abi::storage::Storage;
use sekisho_crypto::xts::SectorCipher;

/// Bytes in which dm-crypt's `plain64` tweak counts, whatever the size of sectors and blocks.
const TWEAK_UNIT: u64 = 512;

/// The fate of every block of one disk, with the keys of its volumes.
pub struct SectorFilter {
    shape: Shape,
    /// Sorted, none overlapping another.
    runs: Vec<Run>,
}

struct Run {
    blocks: BlockRange,
    access: Access,
}

enum Access {
    Volume { cipher: SectorCipher, trim: Trim },
    Clear,
    ReadOnly,
    Hidden,
}

/// What becomes of a TRIM in a volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trim {
    Passed,
    Dropped,
}

/// A command that does not reach the disk: the first of its blocks that stands against it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The logical block.
    pub block: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a block takes no data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// No rule names it, or the disk ends before it.
    Unnamed,
    /// Partition tables are read-only.
    Tables,
    /// It is the appliance's own.
    Appliance,
    /// The data is not a whole number of blocks, or the last block has no 64-bit number.
    Length,
    /// The cipher refuses it.
    Cipher,
}

/// A volume of a map has no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKey {
    /// Index into [`Storage::volumes`].
    pub volume: u32,
}

impl SectorFilter {
    /// For a disk about which nothing is said: it reads as zeros and takes no writes.
    #[must_use]
    pub const fn closed(shape: Shape) -> Self {
        Self {
            shape,
            runs: Vec::new(),
        }
    }

    /// For a disk that lies as it is pinned. `cipher` is asked for each volume of the map, by its index.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn new(
        storage: &Storage,
        map: &DiskMap,
        mut cipher: impl FnMut(u32) -> Option<SectorCipher>,
    ) -> Result<Self, NoKey> {
        let mut access = |fate| match fate {
            Fate::Volume(volume) => {
                let said = usize::try_from(volume)
                    .ok()
                    .and_then(|at| storage.volumes.get(at));
                let discard = said.is_some_and(|it| it.discard);
                Ok(Access::Volume {
                    cipher: cipher(volume).ok_or(NoKey { volume })?,
                    trim: if discard { Trim::Passed } else { Trim::Dropped },
                })
            }
            Fate::Tables if !storage.clear.tables_writable => Ok(Access::ReadOnly),
            Fate::Tables | Fate::Clear(_) => Ok(Access::Clear),
            Fate::Appliance => Ok(Access::Hidden),
        };
        let runs = map.regions().iter().map(|region| {
            Ok(Run {
                blocks: region.blocks,
                access: access(region.fate)?,
            })
        });
        Ok(Self {
            shape: map.shape(),
            runs: runs.collect::<Result<_, NoKey>>()?,
        })
    }

    /// The disk's size.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether TRIM reaches any part of the disk.
    #[must_use]
    pub fn passes_trim(&self) -> bool {
        self.runs.iter().any(Run::passes_trim)
    }

    /// Whether a command may write `blocks` logical blocks from `first`.
    ///
    /// # Errors
    /// [`Refused`]: the whole command is to fail.
    pub fn may_write(&self, first: u64, blocks: u32) -> Result<(), Refused> {
        if blocks == 0 {
            return Ok(());
        }
        let asked = BlockRange::of_length(first, blocks.into()).ok_or(Why::Length.at(first))?;
        for piece in self.pieces(asked) {
            piece.writable()?;
        }
        Ok(())
    }

    /// Makes of what the guest writes from block `first` what the disk gets, in its place.
    ///
    /// # Errors
    /// [`Refused`], as [`Self::may_write`]: `data` must not go to the disk, and a part of it may be encrypted.
    pub fn to_disk(&self, first: u64, mut data: &mut [u8]) -> Result<(), Refused> {
        if data.is_empty() {
            return Ok(());
        }
        let asked = self.blocks_of(first, data).ok_or(Why::Length.at(first))?;
        for piece in self.pieces(asked) {
            let access = piece.writable()?;
            let bytes = self.split_off(&mut data, piece.blocks);
            if let Access::Volume { cipher, .. } = access {
                let encrypted = cipher.encrypt(self.tweak(piece), bytes);
                encrypted.map_err(|_| Why::Cipher.at(piece.blocks.first()))?;
            }
        }
        Ok(())
    }

    /// Makes of what the disk gave from block `first` what the guest reads, in its place.
    ///
    /// Returns how many blocks read as zeros because they are not the guest's.
    pub fn to_guest(&self, first: u64, mut data: &mut [u8]) -> u64 {
        let Some(asked) = self.blocks_of(first, data) else {
            data.fill(0);
            return u64::try_from(data.len().div_ceil(self.block_bytes())).unwrap_or(u64::MAX);
        };
        let mut zeroed = 0_u64;
        for piece in self.pieces(asked) {
            let bytes = self.split_off(&mut data, piece.blocks);
            let readable = match piece.run.map(|run| &run.access) {
                Some(Access::Volume { cipher, .. }) => cipher.decrypt(self.tweak(piece), bytes).is_ok(),
                Some(Access::Clear | Access::ReadOnly) => true,
                Some(Access::Hidden) | None => false,
            };
            if !readable {
                bytes.fill(0);
                zeroed = zeroed.saturating_add(piece.blocks.length());
            }
        }
        zeroed
    }

    /// The parts of a TRIM that go through: what lies in volumes with `discard`.
    pub fn clip(&self, asked: BlockRange) -> impl Iterator<Item = BlockRange> {
        let passing = self
            .pieces(asked)
            .filter(|piece| piece.run.is_some_and(Run::passes_trim));
        passing.map(|piece| piece.blocks)
    }

    /// What `asked` consists of, in its order and without gaps.
    fn pieces(&self, asked: BlockRange) -> Pieces<'_> {
        let passed = self.runs.partition_point(|run| run.blocks.last() < asked.first());
        Pieces {
            runs: self.runs.get(passed..).unwrap_or_default(),
            rest: Some(asked),
        }
    }

    /// The blocks that `data` is, from `first`; `None` where it is empty, not whole blocks, or past the last number.
    fn blocks_of(&self, first: u64, data: &[u8]) -> Option<BlockRange> {
        let whole = data.len().is_multiple_of(self.block_bytes());
        let blocks = u64::try_from(data.len() / self.block_bytes()).ok()?;
        BlockRange::of_length(first, blocks).filter(|_| whole)
    }

    /// The bytes of the next `blocks` of `data`, which then begins behind them.
    fn split_off<'data>(&self, data: &mut &'data mut [u8], blocks: BlockRange) -> &'data mut [u8] {
        let length = usize::try_from(blocks.length()).unwrap_or(usize::MAX);
        let length = length.saturating_mul(self.block_bytes()).min(data.len());
        data.split_off_mut(..length).unwrap_or_default()
    }

    /// The tweak of a piece's first sector: they count from the start of its volume.
    fn tweak(&self, piece: Piece<'_>) -> u64 {
        let start = piece.run.map_or(0, |run| run.blocks.first());
        let units = u64::from(self.shape.block_size.bytes()) / TWEAK_UNIT;
        // Below the disk's size in bytes, which a 64-bit number holds: the map is within the disk.
        piece.blocks.first().saturating_sub(start).saturating_mul(units)
    }

    fn block_bytes(&self) -> usize {
        self.shape.block_size.bytes().into()
    }
}

impl Run {
    fn passes_trim(&self) -> bool {
        matches!(
            self.access,
            Access::Volume {
                trim: Trim::Passed,
                ..
            }
        )
    }
}

impl Why {
    const fn at(self, block: u64) -> Refused {
        Refused { block, why: self }
    }
}

/// Blocks of one fate; without a run, nobody's.
#[derive(Clone, Copy)]
struct Piece<'filter> {
    blocks: BlockRange,
    run: Option<&'filter Run>,
}

impl<'filter> Piece<'filter> {
    fn writable(self) -> Result<&'filter Access, Refused> {
        let why = match self.run.map(|run| &run.access) {
            Some(access @ (Access::Volume { .. } | Access::Clear)) => return Ok(access),
            Some(Access::ReadOnly) => Why::Tables,
            Some(Access::Hidden) => Why::Appliance,
            None => Why::Unnamed,
        };
        Err(why.at(self.blocks.first()))
    }
}

struct Pieces<'filter> {
    /// Those that end behind the start of `rest`.
    runs: &'filter [Run],
    rest: Option<BlockRange>,
}

impl<'filter> Iterator for Pieces<'filter> {
    type Item = Piece<'filter>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let piece = match self.runs.split_first() {
            Some((run, behind)) if run.blocks.contains(rest.first()) => {
                self.runs = behind;
                Piece {
                    blocks: rest.common(run.blocks)?,
                    run: Some(run),
                }
            }
            next => {
                let gap_end = next.map_or(u64::MAX, |(run, _)| run.blocks.first().saturating_sub(1));
                Piece {
                    blocks: BlockRange::new(rest.first(), rest.last().min(gap_end))?,
                    run: None,
                }
            }
        };
        let behind = piece.blocks.last().checked_add(1);
        self.rest = behind.and_then(|first| BlockRange::new(first, rest.last()));
        Some(piece)
    }
}
