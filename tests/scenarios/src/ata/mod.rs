//! A guest's IDE driver, the mediator, and the model of a controller with its drives.
//!
//! The first disk of the primary channel has two volumes, tables and a partition in clear; nothing is said about the
//! second one. The packet drive is the second of the secondary channel.

mod transfers;

use sekisho_abi::disk::{BlockRange, DiskMap, Fate, Region};
use sekisho_abi::storage::{Atapi, Clear, Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_mediator::disk::ata::{
    Ata, Block, Channel, DATA_BYTES, Memory as Lent, Ports, Position, TABLE_BYTES,
};
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_mediator::pci::Width;
use sekisho_models::ata::{Disk, Drive, Geometry, PacketDrive};
use sekisho_models::guest::{IdeDriver, IdeWindow, Unit};
use sekisho_models::ide::Ide;
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::ram::Ram;
use sekisho_models::sequence::Sequence;

/// Where the guest's drivers keep their tables and data.
const BASE: u64 = 0x10_0000;
/// Blocks of every disk: the second volume needs 48-bit commands.
const BLOCKS: u64 = 1 << 29;
/// The tables, which are read-only.
const TABLES: (u64, u64) = (0, 33);
/// A partition in clear.
const CLEAR: (u64, u64) = (34, 2047);
/// The first volume.
const SYSTEM: (u64, u64) = (2048, 199_999);
/// The second volume, with TRIM.
const DATA: (u64, u64) = (1 << 28, (1 << 28) + 9999);

/// A machine with a mediated controller.
struct Rig {
    ata: Ata,
    ide: Ide,
    memory: Memory,
}

impl Rig {
    fn new() -> Self {
        Self::with(Atapi::Read)
    }

    fn with(atapi: Atapi) -> Self {
        let memory = Memory::new(Ram::new(64 << 20), Reach::Buffers);
        let medium = PacketDrive::new(Sequence::new(7).bytes(64 * 2048));
        let drives = [disk("FIRST"), disk("SECOND"), None, Some(Drive::Packet(medium))];
        let mut rig = Self::attach(Ide::new(&memory, drives), memory, atapi);
        rig.ata.bind(Channel::Primary, Position::First, filter());
        rig
    }

    fn attach(mut ide: Ide, memory: Memory, atapi: Atapi) -> Self {
        ide.set_pace(sekisho_models::pace::Pace::AtAccess);
        let lent = || Lent {
            data: memory.buffer(DATA_BYTES),
            table: memory.buffer(TABLE_BYTES),
        };
        let (mut host, lent) = (memory.clone(), [lent(), lent()]);
        let ata = Ata::attach(&mut ide, &mut host, lent, atapi).expect("the memory is as it should be");
        ide.set_pace(sekisho_models::pace::Pace::WhenTold);
        Self { ata, ide, memory }
    }

    fn driver(&self, channel: Channel, unit: Unit) -> IdeDriver {
        IdeDriver::new(&self.memory, channel, unit, BASE)
    }

    /// The driver of the disk with volumes.
    fn first(&self) -> IdeDriver {
        self.driver(Channel::Primary, Unit::First)
    }

    /// The disk with volumes.
    fn disk(&self) -> &Disk {
        self.ide.disk(Channel::Primary, 0).expect("it is there")
    }

    fn disk_mut(&mut self) -> &mut Disk {
        self.ide.disk_mut(Channel::Primary, 0).expect("it is there")
    }

    /// What the guest did is no breach below, and no harm came to the disk.
    fn is_sound(&self) {
        assert_eq!(self.memory.breaches(), []);
        assert_eq!(self.disk().harm(), []);
    }

    fn access(&mut self, block: Block, offset: u16, width: Width) -> u32 {
        self.ata
            .read(&mut self.ide, &mut self.memory, block, offset, width)
    }

    fn store(&mut self, block: Block, offset: u16, width: Width, value: u32) {
        self.ata
            .write(&mut self.ide, &mut self.memory, block, (offset, width), value);
    }
}

/// The guest's accesses end in the mediator.
impl Ports for Rig {
    fn read(&mut self, block: Block, offset: u16) -> u8 {
        let value = self.access(block, offset, Width::Byte);
        u8::try_from(value).expect("one byte was asked for")
    }

    fn write(&mut self, block: Block, offset: u16, value: u8) {
        self.store(block, offset, Width::Byte, value.into());
    }

    fn write_table(&mut self, channel: Channel, address: u32) {
        let offset = if channel == Channel::Primary { 4 } else { 12 };
        self.store(Block::BusMaster, offset, Width::Dword, address);
    }

    fn read_data(&mut self, channel: Channel, bytes: &mut [u8]) {
        self.ata
            .read_data(&mut self.ide, &mut self.memory, channel, bytes);
    }

    fn write_data(&mut self, channel: Channel, bytes: &[u8]) {
        self.ata
            .write_data(&mut self.ide, &mut self.memory, channel, bytes);
    }
}

impl IdeWindow for Rig {
    fn wait(&mut self) {
        self.ide.step();
    }
}

fn disk(serial: &str) -> Option<Drive> {
    Some(Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: BLOCKS,
        sector_size: 512,
        serial: serial.to_owned(),
    }))))
}

fn filter() -> SectorFilter {
    let shape = sekisho_abi::disk::Shape {
        block_size: sekisho_abi::disk::BlockSize::B512,
        blocks: BLOCKS,
    };
    let region = |(first, last), fate| Region {
        blocks: BlockRange::new(first, last).expect("not empty"),
        fate,
    };
    let regions = vec![
        region(TABLES, Fate::Tables),
        region(CLEAR, Fate::Clear(0)),
        region(SYSTEM, Fate::Volume(0)),
        region(DATA, Fate::Volume(1)),
    ];
    let map = DiskMap::new(shape, regions).expect("they do not overlap");
    let storage = Storage {
        volumes: vec![volume(false), volume(true)],
        clear: Clear::default(),
        ..Storage::default()
    };
    SectorFilter::new(&storage, &map, |index| Some(cipher(index))).expect("every volume has a key")
}

fn volume(discard: bool) -> Volume {
    Volume {
        name: "volume".to_owned(),
        disk: None,
        place: Place::Partition(1),
        key_bits: 512,
        sector_size: 512,
        discard,
    }
}

fn cipher(index: u32) -> SectorCipher {
    let key = Sequence::new(index.into()).bytes(64);
    SectorCipher::new(&key, SectorSize::B512).expect("the halves differ")
}

/// What lies on the disk where the guest wrote `data` at `block` of volume `index`, which begins at `start`.
fn on_disk(index: u32, start: u64, block: u64, data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    cipher(index)
        .encrypt(block - start, &mut bytes)
        .expect("whole sectors");
    bytes
}

/// `sectors` sectors that compress badly and differ by seed.
fn content(seed: u64, sectors: usize) -> Vec<u8> {
    Sequence::new(seed).bytes(sectors * 512)
}
