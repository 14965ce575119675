//! A guest that does anything to an IDE controller: registers in any order, data at any time, descriptor tables that lie,
//! at any moment of the drives' work. No plaintext of a volume reaches a disk, and no sector of nobody's the guest.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::disk::{BlockRange, DiskMap, Fate, Region, Shape};
use sekisho_abi::storage::{Atapi, Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_mediator::disk::ata::{Ata, Block, Channel};
use sekisho_mediator::disk::bind::{Binder, BlockReader};
use sekisho_mediator::disk::command::Identity;
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_mediator::pci::Width;
use sekisho_models::ata::{Disk, Drive, Geometry};
use sekisho_models::ide::Ide;
use sekisho_models::memory::{BUFFERS, Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Steps of one input at most.
const STEPS: usize = 400;
const BLOCKS: u64 = 4096;
/// The one volume; the blocks behind it are nobody's.
const VOLUME: (u64, u64) = (1024, 2047);
/// Where the guest's table lies, and its data.
const TABLE: u32 = 0x1000;
const DATA: u64 = 0x2000;
const DATA_BYTES: usize = 0x4000;
const MEMORY: u64 = 1 << 20;
/// What the guest has in its memory, and what lies in the blocks that are nobody's.
const MINE: u8 = 0x3c;
const NOBODYS: u8 = 0xc3;
/// So many of them in a row are no accident.
const ROW: usize = 16;

fuzz_target!(|data: &[u8]| {
    let mut scene = Scene::new();
    // Too short an input ends early; that is no finding.
    let _ = scene.run(&mut Unstructured::new(data));
    scene.judge();
});

/// What the guest does next, or the drives.
#[derive(Arbitrary, Debug)]
enum Step {
    Read(Blocks, u8, Size),
    Write(Blocks, u8, Size, u32),
    /// A command for blocks near the volume's end.
    Command(Second, u8, u8, u8),
    TakeData(Second, u16),
    GiveData(Second, u16),
    Descriptor(u8, Target, u16, u16),
    /// The bus master is aimed at the table, and started.
    Start(Second, u8),
    /// Reset, and IDENTIFY.
    Reset(Second),
    /// The drives do so many things.
    Drives(u8),
}

#[derive(Arbitrary, Debug)]
enum Blocks {
    Command(Second),
    Control(Second),
    BusMaster,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Second {
    Yes,
    No,
}

#[derive(Arbitrary, Debug)]
enum Size {
    Byte,
    Word,
    Dword,
}

#[derive(Arbitrary, Debug)]
enum Target {
    Data(u16),
    Any(u32),
    Buffers(u16),
}

struct Scene {
    ata: Ata,
    ide: Ide,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        let mut memory = Memory::new(Ram::new(MEMORY), Reach::Buffers);
        memory.ram().store(DATA, &[MINE; DATA_BYTES]);
        let mut ide = Ide::new(&memory, [disk("A"), disk("B"), disk("C"), disk("D")]);
        ide.set_pace(Pace::AtAccess);
        let source = memory.clone();
        let ata = Ata::attach(
            Atapi::Refuse,
            &mut ide,
            &mut memory,
            &mut |length, _| Some(source.buffer(length)),
            &mut FirstDisk,
        );
        ide.set_pace(Pace::WhenTold);
        Self {
            ata: ata.expect("nothing stands against it"),
            ide,
            memory,
        }
    }

    fn run(&mut self, input: &mut Unstructured) -> Result<()> {
        for _ in 0..STEPS {
            let step = Step::arbitrary(input)?;
            self.take(step);
        }
        Ok(())
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Read(block, offset, size) => {
                let value = self.ata.read(
                    &mut self.ide,
                    &mut self.memory,
                    block.block(),
                    (offset % 20).into(),
                    size.width(),
                );
                assert!(
                    u64::from(value) >> (8 * size.width().bytes()) == 0,
                    "as wide as it was asked for"
                );
            }
            Step::Write(block, offset, size, value) => {
                self.write(block.block(), (offset % 20).into(), size.width(), value);
            }
            Step::Command(second, opcode, place, count) => {
                self.command(second.channel(), opcode, place, count)
            }
            Step::TakeData(second, length) => {
                let mut bytes = vec![0; usize::from(length % 2048) * 2];
                self.ata
                    .read_data(&mut self.ide, &mut self.memory, second.channel(), &mut bytes);
                assert!(!has_row(&bytes, NOBODYS), "a sector of nobody's at the data port");
            }
            Step::GiveData(second, length) => {
                let bytes = vec![MINE; usize::from(length % 2048) * 2];
                self.ata
                    .write_data(&mut self.ide, &mut self.memory, second.channel(), &bytes);
            }
            Step::Descriptor(index, target, bytes, flags) => {
                let raw = u64::from(target.address()) | u64::from(bytes) << 32 | u64::from(flags) << 48;
                let place = u64::from(TABLE) + 8 * u64::from(index % 16);
                self.memory.ram().store(place, &raw.to_le_bytes());
            }
            Step::Start(second, command) => {
                let base = if matches!(second, Second::Yes) { 8 } else { 0 };
                self.write(Block::BusMaster, base + 4, Width::Dword, TABLE);
                self.write(Block::BusMaster, base, Width::Byte, command.into());
            }
            Step::Reset(second) => {
                self.write(Block::Control(second.channel()), 2, Width::Byte, 4);
                self.write(Block::Control(second.channel()), 2, Width::Byte, 0);
                self.ide.run();
                self.write(Block::Command(second.channel()), 7, Width::Byte, 0xec);
                self.ide.run();
                let mut page = [0; 512];
                self.ata
                    .read_data(&mut self.ide, &mut self.memory, second.channel(), &mut page);
            }
            Step::Drives(steps) => {
                for _ in 0..steps {
                    self.ide.step();
                }
            }
        }
    }

    fn write(&mut self, block: Block, offset: u16, width: Width, value: u32) {
        self.ata
            .write(&mut self.ide, &mut self.memory, block, offset, width, value);
    }

    fn command(&mut self, channel: Channel, opcode: u8, place: u8, count: u8) {
        let [low, mid, ..] = (VOLUME.1 - 128 + u64::from(place)).to_le_bytes();
        let (low, mid) = (u32::from(low), u32::from(mid));
        let registers = [
            (2, 0),
            (3, 0),
            (4, 0),
            (5, 0),
            (2, count.into()),
            (3, low),
            (4, mid),
            (5, 0),
        ];
        for (offset, value) in registers.into_iter().chain([(6, 0x40), (7, opcode.into())]) {
            self.write(Block::Command(channel), offset, Width::Byte, value);
        }
    }

    fn judge(&self) {
        assert_eq!(self.memory.breaches(), []);
        for channel in Channel::ALL {
            for number in 0..2 {
                let disk = self.ide.disk(channel, number).expect("every place has one");
                assert_eq!(disk.harm(), []);
                assert!(!disk.platter.ever_held(&[MINE; ROW]), "plaintext on a disk");
            }
        }
        let memory = self.memory.ram().bytes(0, 1 << 20);
        assert!(!has_row(&memory, NOBODYS), "a sector of nobody's in memory");
    }
}

impl Blocks {
    fn block(&self) -> Block {
        match self {
            Self::Command(second) => Block::Command(second.channel()),
            Self::Control(second) => Block::Control(second.channel()),
            Self::BusMaster => Block::BusMaster,
        }
    }
}

impl Second {
    const fn channel(self) -> Channel {
        match self {
            Self::Yes => Channel::Secondary,
            Self::No => Channel::Primary,
        }
    }
}

impl Size {
    const fn width(&self) -> Width {
        match self {
            Self::Byte => Width::Byte,
            Self::Word => Width::Word,
            Self::Dword => Width::Dword,
        }
    }
}

impl Target {
    fn address(&self) -> u32 {
        match *self {
            Self::Data(offset) => DATA as u32 + u32::from(offset % DATA_BYTES as u16),
            Self::Any(address) => address,
            Self::Buffers(offset) => BUFFERS as u32 + u32::from(offset),
        }
    }
}

fn has_row(bytes: &[u8], value: u8) -> bool {
    bytes
        .windows(ROW)
        .any(|row| row.iter().all(|byte| *byte == value))
}

/// Only the first of the four has a volume.
struct FirstDisk;

impl Binder for FirstDisk {
    type Refusal = ();

    fn inspect(&mut self, _: u8, _: &Identity, blocks: &mut dyn BlockReader) -> core::result::Result<(), ()> {
        blocks.read(0, &mut [0; 512]).map_err(|_| ())
    }

    fn filter(&mut self, port: u8) -> core::result::Result<Option<SectorFilter>, ()> {
        Ok((port == 0).then(filter))
    }
}

fn filter() -> SectorFilter {
    let shape = Shape {
        block_size: sekisho_abi::disk::BlockSize::B512,
        blocks: BLOCKS,
    };
    let volume = Region {
        blocks: BlockRange::new(VOLUME.0, VOLUME.1).expect("not empty"),
        fate: Fate::Volume(0),
    };
    let storage = Storage {
        volumes: vec![Volume {
            name: "volume".to_owned(),
            disk: None,
            place: Place::Partition(1),
            key_bits: 512,
            sector_size: 512,
            discard: true,
        }],
        ..Storage::default()
    };
    let map = DiskMap::new(shape, vec![volume]).expect("within the disk");
    let key: Vec<u8> = (0..64).collect();
    SectorFilter::new(&storage, &map, |_| SectorCipher::new(&key, SectorSize::B512).ok())
        .expect("with its key")
}

fn disk(serial: &str) -> Option<Drive> {
    let mut disk = Disk::new(Geometry {
        sectors: BLOCKS,
        sector_size: 512,
        serial: serial.to_owned(),
    });
    disk.platter.prepare(VOLUME.1 + 1, &[NOBODYS; 64 * 512]);
    Some(Drive::Disk(Box::new(disk)))
}
