//! The binary header: 4,096 bytes before each copy of the metadata, with the checksum over both.
//!
//! Nothing of a copy is used before its checksum agrees. That tells damage; whoever writes on purpose can write checksums.

use super::spec::{
    AREA_SIZES, BINARY_SIZE, CHECKSUM, CHECKSUM_ROOM, PRIMARY_MAGIC, SALT_SIZE, SECONDARY_MAGIC, VERSION, at,
};
use alloc::vec::Vec;
use sekisho_crypto::sha256;

/// What a binary header says, apart from salt and checksum, which each copy has for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Binary {
    /// Bytes of one copy, its JSON area included: one of [`AREA_SIZES`].
    pub(super) area_size: usize,
    /// Higher in what was written later.
    pub(super) sequence: u64,
    pub(super) label: [u8; 48],
    pub(super) uuid: [u8; 40],
    pub(super) subsystem: [u8; 48],
}

/// Which copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// At the beginning.
    Primary,
    /// Behind the primary, which has this many bytes.
    Secondary(usize),
}

/// Why there is no copy at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absent {
    /// No magic: nothing was ever there, or its first bytes are gone.
    Magic,
    /// Another version of LUKS.
    Version(u16),
    /// Cut off, or some bytes are not what they were.
    Damaged,
}

/// The metadata is longer than its area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooLong;

/// A copy whose checksum agrees.
pub(super) struct Whole<'a> {
    pub(super) binary: Binary,
    /// The metadata, without the zeros behind it.
    pub(super) json: &'a [u8],
}

impl Place {
    const fn magic(self) -> &'static [u8; 6] {
        match self {
            Self::Primary => PRIMARY_MAGIC,
            Self::Secondary(_) => SECONDARY_MAGIC,
        }
    }

    const fn offset(self) -> usize {
        match self {
            Self::Primary => 0,
            Self::Secondary(offset) => offset,
        }
    }
}

/// Reads the copy at `place` of `file`.
pub(super) fn read(file: &[u8], place: Place) -> Result<Whole<'_>, Absent> {
    let bytes = file.get(place.offset()..).ok_or(Absent::Magic)?;
    if field::<6>(bytes, at::MAGIC)? != *place.magic() {
        return Err(Absent::Magic);
    }
    let version = u16::from_be_bytes(field(bytes, at::VERSION)?);
    if version != VERSION {
        return Err(Absent::Version(version));
    }
    let size = u64::from_be_bytes(field(bytes, at::HEADER_SIZE)?);
    let area_size = AREA_SIZES.into_iter().find(|it| u64::try_from(*it) == Ok(size));
    let area_size = area_size.ok_or(Absent::Damaged)?;
    let area = bytes.get(..area_size).ok_or(Absent::Damaged)?;
    let offset = u64::from_be_bytes(field(area, at::HEADER_OFFSET)?);
    let lies_elsewhere = match place {
        Place::Primary => false,
        Place::Secondary(offset) => offset != area_size,
    };
    if u64::try_from(place.offset()) != Ok(offset)
        || lies_elsewhere
        || field::<32>(area, at::CHECKSUM_NAME)? != *CHECKSUM
        || field::<CHECKSUM_ROOM>(area, at::CHECKSUM)? != checksum(area)
    {
        return Err(Absent::Damaged);
    }
    let binary = Binary {
        area_size,
        sequence: u64::from_be_bytes(field(area, at::SEQUENCE)?),
        label: field(area, at::LABEL)?,
        uuid: field(area, at::UUID)?,
        subsystem: field(area, at::SUBSYSTEM)?,
    };
    let json = area.get(BINARY_SIZE..).ok_or(Absent::Damaged)?;
    Ok(Whole {
        binary,
        json: without_zeros(json).ok_or(Absent::Damaged)?,
    })
}

fn field<const N: usize>(area: &[u8], offset: usize) -> Result<[u8; N], Absent> {
    area.get(offset..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .ok_or(Absent::Damaged)
}

/// The text before the first NUL; `None` if there is none, or anything but NULs behind it.
fn without_zeros(area: &[u8]) -> Option<&[u8]> {
    let end = area.iter().position(|byte| *byte == 0)?;
    let (text, rest) = area.split_at(end);
    rest.iter().all(|byte| *byte == 0).then_some(text)
}

/// The checksum of a copy, over all of it with zeros in the checksum's place.
fn checksum(area: &[u8]) -> [u8; CHECKSUM_ROOM] {
    let mut zeroed = area.to_vec();
    if let Some(room) = zeroed.get_mut(at::CHECKSUM..).and_then(<[u8]>::first_chunk_mut) {
        *room = [0; CHECKSUM_ROOM];
    }
    let mut room = [0; CHECKSUM_ROOM];
    if let Some(begin) = room.first_chunk_mut() {
        *begin = sha256(&zeroed);
    }
    room
}

impl Binary {
    /// The bytes of the copy at `place`.
    pub(super) fn write(
        &self,
        place: Place,
        salt: &[u8; SALT_SIZE],
        json: &[u8],
    ) -> Result<Vec<u8>, TooLong> {
        // The last byte of the area is a NUL.
        if json.len() >= self.area_size.saturating_sub(BINARY_SIZE) {
            return Err(TooLong);
        }
        let without = self.lay_out(place, salt, &[0; CHECKSUM_ROOM], json);
        Ok(self.lay_out(place, salt, &checksum(&without), json))
    }

    fn lay_out(
        &self,
        place: Place,
        salt: &[u8; SALT_SIZE],
        checksum: &[u8; CHECKSUM_ROOM],
        json: &[u8],
    ) -> Vec<u8> {
        let mut area = Vec::with_capacity(self.area_size);
        area.extend_from_slice(place.magic());
        area.extend_from_slice(&VERSION.to_be_bytes());
        area.extend_from_slice(&(self.area_size as u64).to_be_bytes());
        area.extend_from_slice(&self.sequence.to_be_bytes());
        area.extend_from_slice(&self.label);
        area.extend_from_slice(CHECKSUM);
        area.extend_from_slice(salt);
        area.extend_from_slice(&self.uuid);
        area.extend_from_slice(&self.subsystem);
        area.extend_from_slice(&(place.offset() as u64).to_be_bytes());
        area.resize(at::CHECKSUM, 0);
        area.extend_from_slice(checksum);
        area.resize(BINARY_SIZE, 0);
        area.extend_from_slice(json);
        area.resize(self.area_size, 0);
        area
    }
}
