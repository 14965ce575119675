//! What every call begins with: which volumes of the policy are on this disk, where, and what opens them.

use crate::folder::{self, Folder};
use crate::target::Target;
use sekisho_abi::disk::gpt::Copies;
use sekisho_abi::disk::{BlockRange, Disk, DiskMap, Fate, resolve};
use sekisho_abi::storage::{self, Place, Storage};
use sekisho_crypto::xts::SectorCipher;
use sekisho_keys::luks2::{Extent, Header, ReadError};
use sekisho_keys::secrets::{self, OpenError, Opened};
use std::fmt;

/// What the operator says.
pub struct Job<'a> {
    /// The policy.
    pub storage: &'a Storage,
    /// The key store.
    pub folder: &'a Folder,
    /// One volume alone; otherwise all that are on the disk.
    pub volume: Option<&'a str>,
    /// The passphrase, or the recovery key as it was made.
    pub passphrase: &'a [u8],
}

/// A disk whose place in the policy is known, with the store open.
pub struct Session<'a> {
    /// What the operator says.
    pub job: &'a Job<'a>,
    /// The disk.
    pub disk: Disk,
    /// Where everything lies on it.
    pub map: DiskMap,
    /// The store.
    pub opened: Opened,
}

/// One volume of the disk.
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Index into the policy's volumes.
    pub index: u32,
    /// Its blocks.
    pub blocks: BlockRange,
    /// Where it begins on the disk, in bytes.
    pub start: u64,
    /// Its bytes.
    pub length: u64,
    /// Its header.
    pub header: Header,
}

/// Why there is nothing to work on.
#[derive(Debug)]
pub enum Error {
    /// The policy has no volumes.
    NoVolumes,
    /// The policy has no volume of this name.
    NoSuchVolume(String),
    /// The policy names disks in several ways, of which this one could be any.
    WhichVolumes(Vec<String>),
    /// The two copies of the partition table are not the same.
    Copies(Copies),
    /// The policy and the disk do not fit.
    Resolve(resolve::Error),
    /// A file of the key store.
    Folder(folder::Error),
    /// The sealed secrets do not open.
    Secrets(OpenError),
    /// A volume's header or key.
    Volume {
        /// The volume.
        name: String,
        /// What is wrong.
        why: Why,
    },
}

/// What is wrong with a volume's header or key.
#[derive(Debug)]
pub enum Why {
    /// The header cannot be used.
    Header(ReadError),
    /// The header's key size is not the policy's.
    KeySize,
    /// The header's sector size is not the policy's.
    SectorSize,
    /// The header is for another place on the disk.
    Place,
    /// The sealed secrets have no key for it.
    NoKey,
    /// The sealed secrets have the key of another header.
    OtherKey,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVolumes => f.write_str("the policy has no volumes"),
            Self::NoSuchVolume(name) => write!(f, "the policy has no volume `{name}`"),
            Self::WhichVolumes(names) => write!(
                f,
                "this could be the disk of several volumes that the policy puts on different disks ({}): say which \
                 with --volume",
                names.join(", ")
            ),
            Self::Copies(Copies::PrimaryOnly(fault)) => {
                write!(
                    f,
                    "the second copy of the partition table is damaged ({fault}): repair it first"
                )
            }
            Self::Copies(Copies::BackupOnly(fault)) => {
                write!(
                    f,
                    "the first copy of the partition table is damaged ({fault}): repair it first"
                )
            }
            Self::Copies(_) => f.write_str("the two copies of the partition table differ: repair it first"),
            Self::Resolve(error) => error.fmt(f),
            Self::Folder(error) => error.fmt(f),
            Self::Secrets(error) => error.fmt(f),
            Self::Volume { name, why } => write!(f, "volume `{name}`: {why}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::KeySize => f.write_str("its header has another key size than the policy"),
            Self::SectorSize => f.write_str("its header has another sector size than the policy"),
            Self::Place => f.write_str("its header is for another place on the disk than the policy"),
            Self::NoKey => f.write_str("the sealed secrets have no key for it"),
            Self::OtherKey => f.write_str("the sealed secrets and its header are of different key stores"),
        }
    }
}

impl std::error::Error for Error {}

impl From<folder::Error> for Error {
    fn from(error: folder::Error) -> Self {
        Self::Folder(error)
    }
}

impl<'a> Session<'a> {
    /// Finds the volumes on a disk and opens the store.
    ///
    /// # Errors
    /// [`Error`]; nothing was changed.
    pub fn open(target: &Target, job: &'a Job<'a>) -> Result<Self, Error> {
        let mut disk = target.disk.clone();
        let volumes = chosen(job, &disk)?;
        if let Some(copies) = disk.gpt.as_ref().map(|table| table.copies)
            && copies != Copies::Agree
        {
            return Err(Error::Copies(copies));
        }
        // An image has no serial number: it is for the disk that the policy names.
        let named = volumes.iter().find_map(|index| selector(job.storage, *index));
        if let (None, Some(storage::Disk::Serial(serial))) = (&disk.serial, named) {
            disk.serial = Some(serial.clone());
        }
        let maps = resolve::resolve(job.storage, &volumes, std::slice::from_ref(&disk));
        let map = maps.map_err(Error::Resolve)?.pop().ok_or(Error::NoVolumes)?;
        let opened = secrets::unlock(&job.folder.secrets()?, job.passphrase);
        Ok(Self {
            job,
            disk,
            map,
            opened: opened.map_err(Error::Secrets)?,
        })
    }

    /// The volumes on the disk, in its order.
    ///
    /// # Errors
    /// [`Error`] for the first whose header or key does not fit.
    pub fn volumes(&self) -> Result<Vec<Volume>, Error> {
        let regions = self.map.regions().iter().filter_map(|region| match region.fate {
            Fate::Volume(index) => Some((index, region.blocks)),
            Fate::Clear(_) | Fate::Tables | Fate::Appliance => None,
        });
        regions
            .map(|(index, blocks)| self.volume(index, blocks))
            .collect()
    }

    fn volume(&self, index: u32, blocks: BlockRange) -> Result<Volume, Error> {
        let said = of(self.job.storage, index).ok_or(Error::NoVolumes)?;
        let bytes = u64::from(self.disk.shape.block_size.bytes());
        let fail = |why| Error::Volume {
            name: said.name.clone(),
            why,
        };
        let header = Header::read(&self.job.folder.header(&said.name)?);
        let volume = Volume {
            name: said.name.clone(),
            index,
            blocks,
            // Below the disk's size in bytes.
            start: blocks.first().saturating_mul(bytes),
            length: blocks.length().saturating_mul(bytes),
            header: header.map_err(|error| fail(Why::Header(error)))?,
        };
        volume.fits(said).map_err(fail)?;
        let secret = self
            .opened
            .secrets
            .volume(&said.name)
            .ok_or_else(|| fail(Why::NoKey))?;
        if secret.uuid != volume.header.uuid() || secret.key.length() != volume.header.segment().key_size {
            return Err(fail(Why::OtherKey));
        }
        Ok(volume)
    }

    /// The cipher of a volume.
    ///
    /// # Errors
    /// [`Error::Volume`].
    pub fn cipher(&self, volume: &Volume) -> Result<SectorCipher, Error> {
        let fail = |why| Error::Volume {
            name: volume.name.clone(),
            why,
        };
        let secret = self
            .opened
            .secrets
            .volume(&volume.name)
            .ok_or_else(|| fail(Why::NoKey))?;
        let sector_size = volume.header.segment().sector_size;
        SectorCipher::new(secret.key.expose(), sector_size).map_err(|_| fail(Why::KeySize))
    }
}

impl Volume {
    fn fits(&self, said: &storage::Volume) -> Result<(), Why> {
        let segment = self.header.segment();
        let whole = matches!(segment.size, Extent::Fixed(bytes) if bytes == self.length);
        let placed = match said.place {
            Place::Blocks { .. } => segment.offset == self.start && whole,
            Place::Partition(_) | Place::Label(_) | Place::Guid(_) => {
                segment.offset == 0 && (whole || segment.size == Extent::Dynamic)
            }
        };
        if segment.key_size * 8 != usize::from(said.key_bits) {
            Err(Why::KeySize)
        } else if segment.sector_size.bytes() != usize::from(said.sector_size) {
            Err(Why::SectorSize)
        } else if !placed {
            Err(Why::Place)
        } else {
            Ok(())
        }
    }
}

fn of(storage: &Storage, index: u32) -> Option<&storage::Volume> {
    storage.volumes.get(usize::try_from(index).ok()?)
}

fn selector(storage: &Storage, index: u32) -> Option<&storage::Disk> {
    of(storage, index)?.disk.as_ref()
}

/// The volumes to work on, by their indices. The operator names the disk, so its port is theirs to know; but where the
/// policy names several disks, nobody but them knows which this is.
fn chosen(job: &Job<'_>, disk: &Disk) -> Result<Vec<u32>, Error> {
    let volumes = (0..).zip(&job.storage.volumes);
    if let Some(name) = job.volume {
        let named = volumes.into_iter().find(|(_, volume)| volume.name == name);
        let (index, _) = named.ok_or_else(|| Error::NoSuchVolume(name.to_owned()))?;
        return Ok(vec![index]);
    }
    let possible = |volume: &storage::Volume| volume.disk.as_ref().is_none_or(|it| disk.may_be(it));
    let possible: Vec<_> = volumes.filter(|(_, volume)| possible(volume)).collect();
    let Some((_, first)) = possible.first() else {
        return Err(match job.storage.volumes.first() {
            None => Error::NoVolumes,
            Some(volume) => Error::Resolve(resolve::Error::DiskMissing {
                volume: volume.name.clone(),
            }),
        });
    };
    if possible.iter().any(|(_, volume)| volume.disk != first.disk) {
        let names = possible.iter().map(|(_, volume)| volume.name.clone());
        return Err(Error::WhichVolumes(names.collect()));
    }
    Ok(possible.into_iter().map(|(index, _)| index).collect())
}
