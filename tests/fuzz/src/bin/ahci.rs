//! A guest that does anything to an AHCI controller: registers, command lists, tables, regions, memory, at any moment of
//! the device's work.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::disk::{BlockRange, BlockSize, DiskMap, Fate, Region, Shape};
use sekisho_abi::storage::{Atapi, Place, Storage, Volume};
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_mediator::disk::bind::{Binder, BlockReader};
use sekisho_mediator::disk::command::Identity;
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_models::ahci::Hba;
use sekisho_models::ahci::spec::{PORTS, cmd, generic, ghc, port};
use sekisho_models::ata::{Disk, Drive, Geometry};
use sekisho_models::breach::Breach;
use sekisho_models::memory::{BUFFERS, Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Steps of one input at most.
const STEPS: usize = 400;
/// Guest memory; the list, the received FISes and a table for each slot lie at its start, content behind.
const MEMORY: u64 = CONTENT + CONTENT_BYTES as u64;
const LIST: u64 = 0x1000;
const RECEIVED: u64 = 0x2000;
const TABLES: u64 = 0x1_0000;
const TABLE_BYTES: u64 = 0x400;
const CONTENT: u64 = 0x2_0000;
const CONTENT_BYTES: usize = 0x2_0000;
/// The disk: tables, clear, a gap, a volume, a gap.
const BLOCKS: u64 = 4096;
const CLEAR: (u64, u64) = (64, 127);
const VOLUME: (u64, u64) = (1024, 3071);

fuzz_target!(|data: &[u8]| {
    let mut scene = Scene::new();
    // Too short an input ends early; that is no finding.
    let _ = scene.run(&mut Unstructured::new(data));
    scene.judge();
});

/// What the guest does next, or the device.
#[derive(Arbitrary, Debug)]
enum Step {
    /// A register is written, or read.
    Write(u16, Value, Length),
    Read(u16, Length),
    /// A command is laid out in a slot and, mostly, submitted.
    Command(Command),
    /// Memory is changed.
    Store(u32, [u8; 8]),
    /// The device does so many things.
    Device(u8),
    /// The machine polls.
    Poll,
    /// The guest stops its port and starts it again.
    Restart,
}

/// Mostly one bit: registers are made of them.
#[derive(Arbitrary, Debug)]
enum Value {
    Bit(u8),
    Any(u32),
}

#[derive(Arbitrary, Debug)]
enum Length {
    One,
    Two,
    Four,
    Eight,
}

#[derive(Arbitrary, Debug)]
struct Command {
    slot: u8,
    kind: Kind,
    lba: u16,
    blocks: u8,
    flags: u16,
    regions: [Region64; 3],
    submit: Submit,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    Queued(Way),
    Dma(Way),
    Pio(Way),
    Opcode(u8, u16),
    Fis([u8; 20]),
}

#[derive(Arbitrary, Debug)]
enum Way {
    Read,
    Write,
}

#[derive(Arbitrary, Debug)]
enum Region64 {
    Content(u16, u16),
    Any(u64, u32),
    Buffers(u32),
}

#[derive(Arbitrary, Debug)]
enum Submit {
    Yes,
    WithActive,
    No,
}

struct Scene {
    ahci: Ahci,
    hba: Hba,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        let mut memory = Memory::new(Ram::new(MEMORY), Reach::Buffers);
        let disk = Disk::new(Geometry {
            sectors: BLOCKS,
            sector_size: 512,
            serial: "FUZZ".to_owned(),
        });
        let mut hba = Hba::new(&memory, vec![Some(Drive::Disk(Box::new(disk)))], 1);
        hba.set_pace(Pace::AtAccess);
        let source = memory.clone();
        let mut give = |length, _| Some(source.buffer(length));
        let ahci = Ahci::attach(Atapi::Refuse, &mut hba, &mut memory, &mut give, &mut Layout)
            .unwrap_or_else(|_| panic!("the model can be attached"));
        hba.set_pace(Pace::WhenTold);
        memory
            .ram()
            .store(CONTENT, &SECRET.repeat(CONTENT_BYTES / SECRET.len()));
        let mut scene = Self { ahci, hba, memory };
        scene.restart();
        scene
    }

    fn run(&mut self, input: &mut Unstructured) -> Result<()> {
        for _ in 0..STEPS {
            match Step::arbitrary(input)? {
                Step::Write(offset, value, length) => {
                    let value = match value {
                        Value::Bit(bit) => 1 << (bit % 32),
                        Value::Any(value) => value,
                    };
                    let offset = u64::from(offset) % 0x200;
                    self.ahci.write(
                        offset,
                        width(&length),
                        value.into(),
                        &mut self.hba,
                        &mut self.memory,
                    );
                }
                Step::Read(offset, length) => {
                    let offset = u64::from(offset) % 0x200;
                    self.ahci
                        .read(offset, width(&length), &mut self.hba, &mut self.memory);
                }
                Step::Command(command) => self.command(&command),
                Step::Store(address, bytes) => {
                    // Not over the content, which is how plaintext is known.
                    self.memory
                        .ram()
                        .store(u64::from(address) % (CONTENT - bytes.len() as u64), &bytes);
                }
                Step::Device(steps) => (0..steps % 16).for_each(|_| {
                    self.hba.step();
                }),
                Step::Poll => self.ahci.poll(&mut self.hba, &mut self.memory),
                Step::Restart => self.restart(),
            }
        }
        Ok(())
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

    fn read(&mut self, offset: u32) -> u32 {
        let value = self
            .ahci
            .read(offset.into(), Width::Four, &mut self.hba, &mut self.memory);
        value as u32
    }

    fn restart(&mut self) {
        let command = self.read(PORTS + port::CMD);
        self.write(PORTS + port::CMD, command & !cmd::ST);
        self.hba.step();
        self.read(PORTS + port::CMD);
        for (register, value) in [
            (port::CLB, LIST),
            (port::CLBU, 0),
            (port::FB, RECEIVED),
            (port::FBU, 0),
        ] {
            self.write(PORTS + register, value as u32);
        }
        self.write(PORTS + port::SCTL, 0);
        self.write(PORTS + port::CMD, command & !cmd::ST | cmd::FRE);
        (0..4).for_each(|_| {
            self.hba.step();
        });
        self.write(PORTS + port::SERR, u32::MAX);
        self.write(PORTS + port::CMD, command | cmd::FRE | cmd::ST);
        self.write(PORTS + port::IE, 0x7dc0_00ff);
        self.write(generic::GHC, ghc::AE | ghc::IE);
    }

    fn command(&mut self, command: &Command) {
        let slot = command.slot % 32;
        let table = TABLES + u64::from(slot) * TABLE_BYTES;
        let ram = self.memory.ram();
        ram.store(table, &fis(slot, command));
        for (region, place) in command.regions.iter().zip((table + 0x80..).step_by(16)) {
            let (address, count) = match region {
                Region64::Content(address, count) => (CONTENT + u64::from(*address) * 2, u32::from(*count)),
                Region64::Any(address, count) => (*address, *count),
                Region64::Buffers(within) => (BUFFERS + u64::from(*within) % (8 << 20), 8191),
            };
            ram.store(place, &address.to_le_bytes());
            ram.store(place + 12, &count.to_le_bytes());
        }
        let mut header = [0; 16];
        header[..2].copy_from_slice(&(5 | command.flags & 0x7e0).to_le_bytes());
        header[2] = 3;
        header[8..].copy_from_slice(&table.to_le_bytes());
        ram.store(LIST + 32 * u64::from(slot), &header);
        if matches!(command.submit, Submit::WithActive) {
            self.write(PORTS + port::SACT, 1 << slot);
        }
        if !matches!(command.submit, Submit::No) {
            self.write(PORTS + port::CI, 1 << slot);
        }
    }

    /// What must hold whatever the guest did.
    fn judge(&self) {
        // A guest may start its port while the device is busy, as on the bare controller.
        let started =
            |breach: &Breach| matches!(breach, Breach::Untimely(offset, _) if *offset == PORTS + port::CMD);
        let breaches = self.memory.breaches();
        let careless = breaches.iter().find(|breach| !started(breach));
        assert_eq!(careless, None, "the controller is driven with care");
        let disk = self.hba.disk(0).expect("it has a disk");
        assert_eq!(disk.harm(), []);
        for (block, content) in disk.platter.written() {
            let clear = (CLEAR.0..=CLEAR.1).contains(block);
            let volume = (VOLUME.0..=VOLUME.1).contains(block);
            assert!(clear || volume, "block {block} is not the guest's");
            let plain = content.windows(SECRET.len()).any(|window| window == SECRET);
            assert!(clear || !plain, "plaintext in block {block}");
        }
    }
}

/// What the guest's content is made of, so that it is known wherever it lies.
const SECRET: [u8; 16] = *b"plaintext, 16 by";

fn fis(slot: u8, command: &Command) -> [u8; 20] {
    let (opcode, features) = match &command.kind {
        Kind::Queued(Way::Read) => (0x60, command.blocks.into()),
        Kind::Queued(Way::Write) => (0x61, command.blocks.into()),
        Kind::Dma(Way::Read) => (0x25, 0),
        Kind::Dma(Way::Write) => (0x35, 0),
        Kind::Pio(Way::Read) => (0x20, 0),
        Kind::Pio(Way::Write) => (0x30, 0),
        Kind::Opcode(opcode, features) => (*opcode, *features),
        Kind::Fis(fis) => return *fis,
    };
    let count = if matches!(command.kind, Kind::Queued(_)) {
        slot << 3
    } else {
        command.blocks
    };
    let [features_low, features_high] = u16::to_le_bytes(features);
    let [low, high] = command.lba.to_le_bytes();
    let mut fis = [0; 20];
    fis[..8].copy_from_slice(&[0x27, 0x80, opcode, features_low, low, high & 0x1f, 0, 0x40]);
    (fis[11], fis[12]) = (features_high, count);
    fis
}

const fn width(length: &Length) -> Width {
    match length {
        Length::One => Width::One,
        Length::Two => Width::Two,
        Length::Four => Width::Four,
        Length::Eight => Width::Eight,
    }
}

/// Says what becomes of the disk's sectors.
struct Layout;

impl Binder for Layout {
    type Refusal = ();

    fn inspect(&mut self, _: u8, _: &Identity, _: &mut dyn BlockReader) -> std::result::Result<(), ()> {
        Ok(())
    }

    fn filter(&mut self, _: u8) -> std::result::Result<Option<SectorFilter>, ()> {
        let shape = Shape {
            block_size: BlockSize::B512,
            blocks: BLOCKS,
        };
        let region = |(first, last), fate| {
            Some(Region {
                blocks: BlockRange::new(first, last)?,
                fate,
            })
        };
        let regions = [
            region((0, 33), Fate::Tables),
            region(CLEAR, Fate::Clear(0)),
            region(VOLUME, Fate::Volume(0)),
        ];
        let map = DiskMap::new(shape, regions.into_iter().flatten().collect()).map_err(|_| ())?;
        let volume = Volume {
            name: "system".to_owned(),
            disk: None,
            place: Place::Partition(1),
            key_bits: 512,
            sector_size: 512,
            discard: true,
        };
        let storage = Storage {
            volumes: vec![volume],
            ..Storage::default()
        };
        let key: Vec<u8> = (0..64).collect();
        SectorFilter::new(&storage, &map, |_| SectorCipher::new(&key, SectorSize::B512).ok())
            .map(Some)
            .map_err(|_| ())
    }
}
