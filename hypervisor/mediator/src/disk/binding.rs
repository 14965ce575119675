//! Binding the disks of one controller: where the policy's volumes lie, whether that is where they were encrypted, and
//! the filter of each disk.

use super::bind::{Binder, BlockReader, Unreadable};
use super::command::Identity;
use super::filter::{NoKey, SectorFilter};
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};
use sekisho_abi::disk::{BlockSize, Disk, Shape, gpt, pin, resolve};
use sekisho_abi::storage::{ClearPartition, Pin, Storage};
use sekisho_crypto::xts::{SectorCipher, SectorSize};

/// Why a controller's disks are not bound: a sentence for the operator, and no guest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unbound {
    /// The disks do not have what the policy names.
    Place(resolve::Error),
    /// What it names is not where it was.
    Moved(pin::Error),
    /// There is no key for a volume, or one of another length.
    NoKey(NoKey),
}

/// The binder of one controller.
pub struct Binding<'a> {
    storage: &'a Storage,
    /// Indices in [`Storage::volumes`] of the volumes on its disks.
    volumes: &'a [u32],
    pins: &'a [Pin],
    /// The key of a volume, by its name.
    key: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    found: Found,
    absent: Vec<ClearPartition>,
}

/// How far it is.
enum Found {
    /// Disks that were shown, each with its port.
    Disks(Vec<(u8, Disk)>),
    /// What becomes of each.
    Filters(Vec<(u8, SectorFilter)>),
}

impl<'a> Binding<'a> {
    /// For the controller with the volumes of these indices in [`Storage::volumes`]. `key` gives the key of the volume
    /// with a name.
    pub const fn new(
        storage: &'a Storage,
        volumes: &'a [u32],
        pins: &'a [Pin],
        key: &'a dyn Fn(&str) -> Option<&'a [u8]>,
    ) -> Self {
        Self {
            storage,
            volumes,
            pins,
            key,
            found: Found::Disks(Vec::new()),
            absent: Vec::new(),
        }
    }

    /// Once its disks are bound: what the policy says is in clear and is no partition beside its volumes.
    pub fn into_absent(self) -> Vec<ClearPartition> {
        self.absent
    }

    /// Decides all disks: a volume may be on any of them.
    fn decide(&mut self, shown: &[(u8, Disk)]) -> Result<Vec<(u8, SectorFilter)>, Unbound> {
        let disks: Vec<Disk> = shown.iter().map(|(_, disk)| disk.clone()).collect();
        let maps = resolve::resolve(self.storage, self.volumes, &disks).map_err(Unbound::Place)?;
        let absent = resolve::clear_without_partition(self.storage, &disks, &maps);
        self.absent = absent.into_iter().cloned().collect();
        let filters = shown.iter().zip(&maps).map(|((port, disk), map)| {
            pin::agree(self.storage, disk, map, self.pins).map_err(Unbound::Moved)?;
            let filter =
                SectorFilter::new(self.storage, map, |index| self.cipher(index)).map_err(Unbound::NoKey)?;
            Ok((*port, filter))
        });
        filters.collect()
    }

    /// The cipher of a volume, if its key is of the length that the policy says.
    fn cipher(&self, volume: u32) -> Option<SectorCipher> {
        let volume = self.storage.volumes.get(usize::try_from(volume).ok()?)?;
        let key = (self.key)(&volume.name).filter(|key| key.len() * 8 == usize::from(volume.key_bits))?;
        SectorCipher::new(key, SectorSize::try_from(volume.sector_size).ok()?).ok()
    }
}

impl Binder for Binding<'_> {
    type Refusal = Unbound;

    fn inspect(
        &mut self,
        port: u8,
        identity: &Identity,
        blocks: &mut dyn BlockReader,
    ) -> Result<(), Unbound> {
        let known = identity.known();
        // A disk of another block size has no filter: it stays closed.
        if let (Some(block_size), Found::Disks(disks)) =
            (BlockSize::from_bytes(known.block_bytes), &mut self.found)
        {
            let shape = Shape {
                block_size,
                blocks: known.blocks,
            };
            let serial = core::str::from_utf8(identity.serial()).ok();
            disks.push((
                port,
                Disk {
                    serial: serial.filter(|serial| !serial.is_empty()).map(String::from),
                    port: Some(port),
                    shape,
                    gpt: table(shape, blocks),
                },
            ));
        }
        Ok(())
    }

    fn filter(&mut self, port: u8) -> Result<Option<SectorFilter>, Unbound> {
        if let Found::Disks(shown) = &mut self.found {
            let shown = mem::take(shown);
            self.found = Found::Filters(self.decide(&shown)?);
        }
        let Found::Filters(filters) = &mut self.found else {
            return Ok(None);
        };
        let index = filters.iter().position(|(of, _)| *of == port);
        Ok(index.map(|index| filters.swap_remove(index).1))
    }
}

/// A disk's GPT. Where it cannot be read or both copies are damaged there is none to find a partition by; only a volume
/// that needs it is refused for that.
fn table(shape: Shape, blocks: &mut dyn BlockReader) -> Option<gpt::Gpt> {
    let read = |block, data: &mut [u8]| -> Result<(), Unreadable> { blocks.read(block, data) };
    gpt::read(shape, read).ok().flatten()
}

impl fmt::Display for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::Moved(error) => error.fmt(f),
            Self::NoKey(NoKey { volume }) => {
                write!(f, "the key store has no fitting key for volume number {volume}")
            }
        }
    }
}
