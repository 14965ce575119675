//! What metadata must keep before a key is looked for: one volume, sizes and offsets that fit, costs within bounds.

use super::binary::Binary;
use super::metadata::{Digest, Kdf, Keyslot, Metadata};
use super::spec::{
    ALIGNMENT, ARGON2_LANES, ARGON2_MEMORY, ARGON2_WORK, BINARY_SIZE, MAX_KEYSLOTS, MAX_KEYSLOTS_SIZE,
    PBKDF2_ITERATIONS, SALT_LENGTHS, STRIPES,
};
use super::word::Extent;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use sekisho_crypto::xts::SectorSize;

/// What a header's volume is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it begins on the device that the header is used with, in bytes.
    pub offset: u64,
    /// How long it is.
    pub size: Extent,
    /// What is encrypted under one tweak.
    pub sector_size: SectorSize,
    /// Bytes of its key: 32 or 64.
    pub key_size: usize,
}

/// What is wrong with metadata whose shape is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// `json_size` or `keyslots_size` is not that of the file.
    Sizes,
    /// The volume begins where the keyslots would lie if the header were on the same device, which cryptsetup refuses of
    /// a detached header as well; only 0 is exempt.
    Offset,
    /// There is not exactly one segment and one digest, which belong together and to every keyslot.
    Structure,
    /// The segment is not in whole sectors of 512 or 4,096 bytes, or its tweaks do not begin at 0.
    Segment,
    /// A volume key is neither 32 nor 64 bytes, or keyslots differ in it.
    KeySize,
    /// A keyslot's area is misaligned, outside the keyslots area, too small, or shared with another's.
    Area {
        /// The keyslot.
        slot: u32,
    },
    /// A keyslot's costs, salt or stripes are out of bounds.
    Costs {
        /// The keyslot.
        slot: u32,
    },
    /// The digest's iterations, salt or length are out of bounds.
    Digest,
    /// The UUID is none.
    Uuid,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sizes => f.write_str("its areas do not fit the file"),
            Self::Offset => f.write_str("its volume begins within the space of the header"),
            Self::Structure => f.write_str("it is not one volume with one digest for all keyslots"),
            Self::Segment => f.write_str("its segment is not in whole sectors of 512 or 4096 bytes"),
            Self::KeySize => f.write_str("its key is neither 256 nor 512 bits long"),
            Self::Area { slot } => write!(f, "the area of keyslot {slot} is not within bounds of its own"),
            Self::Costs { slot } => write!(f, "the key derivation of keyslot {slot} is out of bounds"),
            Self::Digest => f.write_str("its digest is out of bounds"),
            Self::Uuid => f.write_str("it has no UUID"),
        }
    }
}

/// Checks everything; `file_size` is in bytes.
pub(super) fn check(metadata: &Metadata, binary: &Binary, file_size: usize) -> Result<Segment, Fault> {
    let keyslots_area = keyslots_area(metadata, binary, file_size)?;
    let segment = segment(metadata)?;
    if segment.offset != 0 && segment.offset < keyslots_area.end {
        return Err(Fault::Offset);
    }
    for (slot, keyslot) in &metadata.keyslots {
        check_costs(keyslot).ok_or(Fault::Costs { slot: *slot })?;
    }
    check_areas(metadata, &keyslots_area)?;
    metadata.digests.values().try_for_each(check_digest)?;
    Ok(segment)
}

/// Where keyslots' areas may lie, in bytes from the beginning of the header.
fn keyslots_area(metadata: &Metadata, binary: &Binary, file_size: usize) -> Result<Range<u64>, Fault> {
    let config = &metadata.config;
    let json_size = binary.area_size.saturating_sub(BINARY_SIZE);
    let size = config.keyslots_size.0;
    if u64::try_from(json_size) != Ok(config.json_size.0)
        || !size.is_multiple_of(ALIGNMENT)
        || size > MAX_KEYSLOTS_SIZE
    {
        return Err(Fault::Sizes);
    }
    let begin = (binary.area_size as u64).saturating_mul(2);
    let end = begin.saturating_add(size);
    if u64::try_from(file_size).map_err(|_| Fault::Sizes)? < end {
        return Err(Fault::Sizes);
    }
    Ok(begin..end)
}

/// The one segment, with the one digest, of which every keyslot is.
fn segment(metadata: &Metadata) -> Result<Segment, Fault> {
    let mut segments = metadata.segments.iter();
    let mut digests = metadata.digests.values();
    let (Some((number, segment)), None) = (segments.next(), segments.next()) else {
        return Err(Fault::Structure);
    };
    let (Some(digest), None) = (digests.next(), digests.next()) else {
        return Err(Fault::Structure);
    };
    let of_digest: Vec<u64> = digest.keyslots.iter().map(|slot| slot.0).collect();
    let keyslots: Vec<u64> = metadata.keyslots.keys().map(|slot| u64::from(*slot)).collect();
    let same = of_digest.len() == keyslots.len() && keyslots.iter().all(|slot| of_digest.contains(slot));
    let [of_segment] = digest.segments.as_slice() else {
        return Err(Fault::Structure);
    };
    if !same || of_segment.0 != u64::from(*number) || keyslots.len() > MAX_KEYSLOTS {
        return Err(Fault::Structure);
    }
    let sector_size = SectorSize::try_from(segment.sector_size).map_err(|_| Fault::Segment)?;
    let whole = |bytes: u64| bytes.is_multiple_of(u64::from(segment.sector_size));
    let sized = match segment.size.0 {
        Extent::Dynamic => true,
        Extent::Fixed(bytes) => bytes > 0 && whole(bytes) && segment.offset.0.checked_add(bytes).is_some(),
    };
    if !whole(segment.offset.0) || !sized || segment.iv_tweak.0 != 0 {
        return Err(Fault::Segment);
    }
    Ok(Segment {
        offset: segment.offset.0,
        size: segment.size.0,
        sector_size,
        key_size: key_size(metadata)?,
    })
}

fn key_size(metadata: &Metadata) -> Result<usize, Fault> {
    let mut sizes = metadata.keyslots.values().map(|keyslot| keyslot.key_size);
    let size = sizes.next().ok_or(Fault::Structure)?;
    let known = [32, 64].contains(&size);
    if known && sizes.all(|other| other == size) {
        Ok(size)
    } else {
        Err(Fault::KeySize)
    }
}

fn check_costs(keyslot: &Keyslot) -> Option<()> {
    let bounded = match &keyslot.kdf {
        Kdf::Argon2id {
            time, memory, cpus, ..
        }
        | Kdf::Argon2i {
            time, memory, cpus, ..
        } => {
            ARGON2_MEMORY.contains(memory)
                && ARGON2_LANES.contains(cpus)
                && *memory >= 8 * cpus
                && *time > 0
                && u64::from(*time) * u64::from(*memory) <= ARGON2_WORK
        }
        Kdf::Pbkdf2 { iterations, .. } => PBKDF2_ITERATIONS.contains(iterations),
    };
    let salted = SALT_LENGTHS.contains(&keyslot.kdf.salt().len());
    (bounded && salted && keyslot.af.stripes == STRIPES).then_some(())
}

/// Each keyslot's area lies in the keyslots area, has room for its material, and is its own.
fn check_areas(metadata: &Metadata, bounds: &Range<u64>) -> Result<(), Fault> {
    let mut areas = Vec::new();
    for (slot, keyslot) in &metadata.keyslots {
        let area = area(keyslot, bounds).ok_or(Fault::Area { slot: *slot })?;
        areas.push((area, *slot));
    }
    areas.sort_unstable_by_key(|(area, _)| area.start);
    let shared = areas
        .iter()
        .zip(areas.iter().skip(1))
        .find(|((one, _), (next, _))| one.end > next.start);
    match shared {
        None => Ok(()),
        Some((_, (_, slot))) => Err(Fault::Area { slot: *slot }),
    }
}

fn area(keyslot: &Keyslot, bounds: &Range<u64>) -> Option<Range<u64>> {
    let begin = keyslot.area.offset.0;
    let end = begin.checked_add(keyslot.area.size.0)?;
    let material = u64::try_from(keyslot.key_size)
        .ok()?
        .checked_mul(u64::from(STRIPES))?;
    let fits = begin.is_multiple_of(ALIGNMENT)
        && bounds.start <= begin
        && end <= bounds.end
        && material <= keyslot.area.size.0;
    (fits && [32, 64].contains(&keyslot.area.key_size)).then_some(begin..end)
}

fn check_digest(digest: &Digest) -> Result<(), Fault> {
    let bounded = PBKDF2_ITERATIONS.contains(&digest.iterations)
        && SALT_LENGTHS.contains(&digest.salt.0.len())
        && digest.digest.0.len() == digest.hash.0.size();
    if bounded { Ok(()) } else { Err(Fault::Digest) }
}
