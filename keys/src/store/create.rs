//! A new key store for a policy's volumes.

use super::{OpenStore, StoredVolume};
use crate::luks2::{ChangeError, Extent, Header, New, Segment};
use crate::random::Random;
use crate::recovery::RecoveryKey;
use crate::secrets::{self, SealError, VolumeSecret};
use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use sekisho_abi::storage::{Place, Storage, Volume};
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::xts::SectorSize;

/// What opens each file of a new store, and what a guess shall cost.
pub struct Openers<'a> {
    /// The passphrase.
    pub passphrase: &'a [u8],
    /// The recovery key.
    pub recovery: &'a RecoveryKey,
    /// Of one guess, with either.
    pub costs: Costs,
}

/// A header for each volume of `storage`, and the store of their keys, not sealed yet, so that more can be put in.
///
/// # Errors
/// [`SealError`].
pub fn create(
    storage: &Storage,
    openers: &Openers<'_>,
    random: &mut dyn Random,
) -> Result<OpenStore, SealError> {
    let mut sealed = secrets::create(openers.passphrase, openers.costs, random)?;
    sealed
        .header
        .add(&sealed.key, openers.recovery.text(), openers.costs, random)
        .map_err(SealError::Header)?;
    let mut volumes = Vec::new();
    for volume in &storage.volumes {
        let (header, secret) = of_volume(volume, openers, random).map_err(SealError::Header)?;
        sealed.secrets.volumes.push(secret);
        volumes.push(StoredVolume {
            name: volume.name.clone(),
            header,
        });
    }
    Ok(OpenStore { sealed, volumes })
}

fn of_volume(
    volume: &Volume,
    openers: &Openers<'_>,
    random: &mut dyn Random,
) -> Result<(Header, VolumeSecret), ChangeError> {
    let new = New {
        label: &volume.name,
        segment: segment(volume),
    };
    let (mut header, key) = Header::create(&new, openers.passphrase, openers.costs, random)?;
    header.add(&key, openers.recovery.text(), openers.costs, random)?;
    let secret = VolumeSecret {
        name: volume.name.clone(),
        uuid: header.uuid().to_owned(),
        key,
    };
    Ok((header, secret))
}

/// A volume in a partition begins with it and ends with it; one in blocks is found on the whole disk, whose blocks have
/// 512 bytes unless sectors of 4096 are encrypted.
fn segment(volume: &Volume) -> Segment {
    let sector_size = SectorSize::try_from(volume.sector_size).unwrap_or(SectorSize::B512);
    let block = u64::from(volume.sector_size);
    let (offset, size) = match volume.place {
        Place::Blocks { first, last } => {
            let blocks = last.saturating_sub(first).saturating_add(1);
            (
                first.saturating_mul(block),
                Extent::Fixed(blocks.saturating_mul(block)),
            )
        }
        Place::Partition(_) | Place::Label(_) | Place::Guid(_) => (0, Extent::Dynamic),
    };
    Segment {
        offset,
        size,
        sector_size,
        key_size: usize::from(volume.key_bits) / 8,
    }
}
