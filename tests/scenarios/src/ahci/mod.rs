//! The guest's AHCI driver, the mediator and the controller's model: what the guest gets, and what reaches the disk.

mod content;

use sekisho_abi::disk::{BlockRange, DiskMap, Fate, Region};
use sekisho_abi::storage::{Atapi, Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::{Ahci, Binder, BlockReader};
use sekisho_mediator::disk::command::Identity;
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_models::ahci::Hba;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Disk, Drive, Geometry, TaskFile};
use sekisho_models::guest::{AhciDriver, Request, Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Where the guest's structures lie.
const BASE: u64 = 0x10_0000;
/// A disk's logical blocks, of 512 bytes.
const BLOCKS: u64 = 1 << 20;
const BLOCK_BYTES: usize = 512;
/// What of it is in clear, and in a volume. The rest is nobody's, but for the tables at its start.
const TABLES: u64 = 33;
const CLEAR: u64 = 2048;
const CLEAR_LAST: u64 = 4095;
const VOLUME: u64 = 4096;
const VOLUME_LAST: u64 = BLOCKS - 1000;

/// A machine with an AHCI controller that was taken over, and its guest.
struct World {
    ahci: Ahci,
    hba: Hba,
    memory: Memory,
}

impl World {
    /// With these drives.
    fn with(drives: Vec<Option<Drive>>, atapi: Atapi) -> Self {
        let mut memory = Memory::new(Ram::new(64 << 20), Reach::Buffers);
        let mut hba = Hba::new(&memory, drives, 7);
        hba.set_pace(Pace::AtAccess);
        let buffers = memory.clone();
        let mut give = |length, _| Some(buffers.buffer(length));
        let mut binder = Everything::default();
        let ahci = Ahci::attach(atapi, &mut hba, &mut memory, &mut give, &mut binder).unwrap();
        hba.set_pace(Pace::WhenTold);
        Self { ahci, hba, memory }
    }

    /// With one disk, and a driver for it.
    fn started() -> (Self, AhciDriver) {
        Self::with(vec![Some(disk("MODEL-1"))], Atapi::Refuse).start(0)
    }

    fn start(mut self, port: u8) -> (Self, AhciDriver) {
        let memory = self.memory.clone();
        let base = BASE + u64::from(port) * (33 << 20);
        let driver = AhciDriver::start(&mut self, &memory, port, base).unwrap();
        (self, driver)
    }

    fn disk(&self) -> &Disk {
        self.hba.disk(0).unwrap()
    }

    /// What a careful driver does not do was not done.
    fn assert_careful(&self) {
        assert_eq!(self.memory.breaches(), []);
        assert_eq!(self.disk().harm(), []);
    }
}

impl Window for World {
    fn read(&mut self, offset: u32) -> u32 {
        let value = self
            .ahci
            .read(offset.into(), Width::Four, &mut self.hba, &mut self.memory);
        u32::try_from(value).unwrap()
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.ahci.write(
            offset.into(),
            Width::Four,
            value.into(),
            &mut self.hba,
            &mut self.memory,
        );
    }

    fn wait(&mut self) {
        self.hba.step();
    }
}

/// Binds every disk in the same way.
#[derive(Default)]
struct Everything {
    disks: Vec<u8>,
}

impl Binder for Everything {
    type Refusal = ();

    fn inspect(&mut self, port: u8, _: &Identity, blocks: &mut dyn BlockReader) -> Result<(), ()> {
        let mut first = [0; 2 * BLOCK_BYTES];
        blocks.read(0, &mut first).map_err(|_| ())?;
        self.disks.push(port);
        Ok(())
    }

    fn filter(&mut self, port: u8) -> Result<Option<SectorFilter>, ()> {
        assert!(self.disks.contains(&port));
        Ok(Some(filter()))
    }
}

fn filter() -> SectorFilter {
    let shape = sekisho_abi::disk::Shape {
        block_size: sekisho_abi::disk::BlockSize::B512,
        blocks: BLOCKS,
    };
    let region = |first, last, fate| Region {
        blocks: BlockRange::new(first, last).unwrap(),
        fate,
    };
    let regions = vec![
        region(0, TABLES, Fate::Tables),
        region(CLEAR, CLEAR_LAST, Fate::Clear(0)),
        region(VOLUME, VOLUME_LAST, Fate::Volume(0)),
    ];
    let map = DiskMap::new(shape, regions).unwrap();
    let storage = Storage {
        volumes: vec![Volume {
            name: "system".to_owned(),
            disk: None,
            place: Place::Partition(3),
            key_bits: 512,
            sector_size: 512,
            discard: true,
        }],
        ..Storage::default()
    };
    SectorFilter::new(&storage, &map, |_| Some(cipher())).unwrap()
}

fn cipher() -> SectorCipher {
    let key: Vec<u8> = (0..64).collect();
    SectorCipher::new(&key, SectorSize::B512).unwrap()
}

/// What lies on the disk where the guest wrote `content` at `block` of the volume.
fn encrypted(block: u64, content: &[u8]) -> Vec<u8> {
    let mut data = content.to_vec();
    cipher().encrypt(block - VOLUME, &mut data).unwrap();
    data
}

fn disk(serial: &str) -> Drive {
    Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: BLOCKS,
        sector_size: BLOCK_BYTES,
        serial: serial.to_owned(),
    })))
}

/// Content of so many blocks, none of which is like another.
fn pattern(seed: u8, blocks: usize) -> Vec<u8> {
    let word = |index: usize| (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(seed) << 56 | 1;
    (0..blocks * BLOCK_BYTES / 8)
        .flat_map(|index| word(index).to_le_bytes())
        .collect()
}

fn write(command: u8, block: u64, content: &[u8]) -> Request {
    let blocks = u16::try_from(content.len() / BLOCK_BYTES % 65_536).unwrap();
    Request::sends(task(command, block, blocks), content)
}

fn read(command: u8, block: u64, blocks: usize) -> Request {
    let count = u16::try_from(blocks % 65_536).unwrap();
    Request::brings(task(command, block, count), blocks * BLOCK_BYTES)
}

fn task(opcode: u8, block: u64, blocks: u16) -> TaskFile {
    match opcode {
        command::READ_FPDMA_QUEUED | command::WRITE_FPDMA_QUEUED => {
            TaskFile::queued(opcode, 0, block, blocks)
        }
        command::READ_DMA_EXT | command::WRITE_DMA_EXT => TaskFile::long(opcode, block, blocks),
        _ => TaskFile::short(opcode, block, blocks.try_into().unwrap()),
    }
}
