//! A key store in memory, so that claims can damage what the command would refuse to put on an image.

use crate::command::PASSPHRASE;
use crate::failure::Failure;
use sekisho_abi::disk::{BlockSize, Disk, Shape, gpt, pin, resolve};
use sekisho_abi::storage::{Pin, Storage};
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::secrets::WireGuardKey;
use sekisho_keys::store::{Openers, create};
use sekisho_keys::{Costs, NoRandomness, Random};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

/// Little enough to be done at once, and enough to need more than one block of memory.
const COSTS: Costs = Costs {
    memory: 1 << 10,
    passes: 4,
    lanes: 1,
};

/// A store's files and its recovery key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyStore {
    /// The files, by their paths in the store.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What opens it beside [`PASSPHRASE`].
    pub recovery: String,
}

impl KeyStore {
    /// A new store with a key for each volume, the same in every run, and these pins.
    ///
    /// # Errors
    /// [`Failure::Tool`] with what the library says.
    pub fn new(storage: &Storage, pins: Vec<Pin>) -> Result<Self, Failure> {
        Self::with_tunnels(storage, pins, Vec::new())
    }

    /// The same, with these keys of tunnels.
    ///
    /// # Errors
    /// The same.
    pub fn with_tunnels(
        storage: &Storage,
        pins: Vec<Pin>,
        wireguard: Vec<WireGuardKey>,
    ) -> Result<Self, Failure> {
        let random = &mut Repeated(1);
        let recovery = RecoveryKey::generate(random).map_err(failed)?;
        let openers = Openers {
            passphrase: PASSPHRASE.as_bytes(),
            recovery: &recovery,
            costs: COSTS,
        };
        let mut store = create(storage, &openers, random).map_err(failed)?;
        store.sealed.secrets.pins = pins;
        store.sealed.secrets.wireguard = wireguard;
        Ok(Self {
            files: store.files(random).map_err(failed)?.into_iter().collect(),
            recovery: String::from_utf8_lossy(recovery.text()).into_owned(),
        })
    }
}

/// What `sekisho disk encrypt` would record of the disk in the image `path`, on which every volume lies.
///
/// # Errors
/// [`Failure`] with what the library says.
pub fn pins(storage: &Storage, path: &Path) -> Result<Vec<Pin>, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    let (blocks, _) = bytes.as_chunks::<512>();
    let shape = Shape {
        block_size: BlockSize::B512,
        blocks: blocks.len() as u64,
    };
    let read = |number: u64, into: &mut [u8]| -> Result<(), &str> {
        let block = usize::try_from(number).ok().and_then(|number| blocks.get(number));
        into.copy_from_slice(block.ok_or("beyond the end")?);
        Ok(())
    };
    let disk = Disk {
        serial: None,
        port: None,
        shape,
        gpt: gpt::read(shape, read).map_err(failed)?,
    };
    let volumes: Vec<u32> = (0..).zip(&storage.volumes).map(|(index, _)| index).collect();
    let maps = resolve::resolve(storage, &volumes, std::slice::from_ref(&disk)).map_err(failed)?;
    let map = maps.first().ok_or_else(|| failed("no map"))?;
    pin::pins_of(storage, &disk, map).map_err(failed)
}

fn failed(error: impl Display) -> Failure {
    Failure::Tool {
        command: "making the key store".to_owned(),
        output: error.to_string(),
    }
}

/// Bytes that are the same in every run, so that a failure can be repeated.
struct Repeated(u64);

impl Random for Repeated {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_le_bytes()[7];
        }
        Ok(())
    }
}
