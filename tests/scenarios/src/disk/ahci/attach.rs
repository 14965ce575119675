//! Taking the controller over: from firmware that was using it, with drives that are slow, silent, absent or odd.

use super::{BASE, Scene};
use crate::disk::layout::{self, SYSTEM, content};
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::disk::ahci::{Ahci, AttachError};
use sekisho_mediator::disk::bind::{Binder, BlockReader};
use sekisho_mediator::disk::command::{Identity, TaskFile, Verdict};
use sekisho_mediator::disk::drive::Refusal;
use sekisho_mediator::disk::filter::SectorFilter;
use sekisho_models::ahci::Hba;
use sekisho_models::ata::platter::Durability;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Disk, Drive, Fault, Geometry};
use sekisho_models::guest::{AhciDriver, Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Firmware at the controller itself, before anybody took it over.
struct Firmware(Hba);

impl Window for Firmware {
    fn read(&mut self, offset: u32) -> u32 {
        sekisho_mediator::seam::Registers::read(&mut self.0, offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        sekisho_mediator::seam::Registers::write(&mut self.0, offset, value);
    }

    fn wait(&mut self) {
        self.0.step();
    }
}

/// Says nothing about any disk.
struct Nothing;

impl Binder for Nothing {
    type Refusal = ();

    fn inspect(&mut self, _: u8, _: &Identity, _: &mut dyn BlockReader) -> Result<(), ()> {
        Ok(())
    }

    fn filter(&mut self, _: u8) -> Result<Option<SectorFilter>, ()> {
        Ok(None)
    }
}

/// Refuses every disk.
struct Nobody;

impl Binder for Nobody {
    type Refusal = &'static str;

    fn inspect(&mut self, _: u8, _: &Identity, _: &mut dyn BlockReader) -> Result<(), &'static str> {
        Err("no")
    }

    fn filter(&mut self, _: u8) -> Result<Option<SectorFilter>, &'static str> {
        Ok(None)
    }
}

/// Reads the first three blocks, and keeps those that came.
#[derive(Default)]
struct ThreeBlocks(Vec<Option<Vec<u8>>>);

impl Binder for ThreeBlocks {
    type Refusal = ();

    fn inspect(&mut self, _: u8, _: &Identity, blocks: &mut dyn BlockReader) -> Result<(), ()> {
        let mut read = |number| {
            let mut block = vec![0; 512];
            blocks.read(number, &mut block).is_ok().then_some(block)
        };
        self.0 = (0..3).map(&mut read).collect();
        Ok(())
    }

    fn filter(&mut self, _: u8) -> Result<Option<SectorFilter>, ()> {
        Ok(None)
    }
}

fn disk(serial: &str) -> Drive {
    layout::disk(serial, BlockSize::B512)
}

fn hardware(drives: Vec<Option<Drive>>) -> (Hba, Memory) {
    let memory = Memory::new(Ram::new(64 << 20), Reach::Buffers);
    let mut hba = Hba::new(&memory, drives, 1);
    hba.set_pace(Pace::AtAccess);
    (hba, memory)
}

fn attach<B: Binder>(
    hba: &mut Hba,
    memory: &Memory,
    binder: &mut B,
) -> Result<Ahci, AttachError<B::Refusal>> {
    let source = memory.clone();
    let mut give = |length, _| Some(source.buffer(length));
    Ahci::attach(Atapi::Refuse, hba, &mut memory.clone(), &mut give, binder)
}

#[test]
fn a_controller_that_firmware_left_running_is_taken_over() {
    let (hba, memory) = hardware(vec![Some(disk("SYSTEM"))]);
    let mut firmware = Firmware(hba);
    AhciDriver::start(&mut firmware, &memory, 0, BASE).unwrap();
    let Firmware(mut hba) = firmware;
    let ahci = attach(&mut hba, &memory, &mut layout::Everywhere::default())
        .ok()
        .unwrap();
    let mut scene = Scene::taken_over(hba, ahci, memory);
    let mut driver = scene.driver(0);
    let plain = content(1, 1024);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first, 2), plain);
}

#[test]
fn a_drive_that_says_nothing_is_closed_and_the_others_work() {
    let mut silent = disk("SILENT");
    silent.disk_mut().unwrap().inject(Fault::Silent { command: 1 });
    let mut scene = Scene::of(vec![Some(silent), None, Some(disk("SYSTEM"))], 1);
    let found: Vec<u8> = scene.ahci.drives().map(|(port, _)| port).collect();
    assert_eq!(found, [2]);
    let mut driver = scene.driver(2);
    let plain = content(2, 512);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first, 1), plain);
}

/// What comes of the first three blocks of a disk that fails in this way, and what becomes of a read of the guest's then.
fn three_blocks(fail: impl FnOnce(&mut Disk)) -> (Vec<Option<Vec<u8>>>, Result<Verdict, Refusal>) {
    let mut drive = disk("SYSTEM");
    let failing = drive.disk_mut().unwrap();
    failing.platter.write(0, &content(4, 3 * 512), Durability::Forced);
    fail(failing);
    let (mut hba, memory) = hardware(vec![Some(drive)]);
    let mut binder = ThreeBlocks::default();
    let ahci = attach(&mut hba, &memory, &mut binder).ok().unwrap();
    assert_eq!(memory.breaches(), []);
    let (_, drive) = ahci.drives().next().unwrap();
    let read = TaskFile {
        command: command::READ_DMA_EXT,
        count: 1,
        device: 0x40,
        ..TaskFile::default()
    };
    (binder.0, drive.decide(&read))
}

/// The first three blocks without the second.
fn without_the_second() -> [Option<Vec<u8>>; 3] {
    let plain = content(4, 3 * 512);
    [Some(plain[..512].to_vec()), None, Some(plain[1024..].to_vec())]
}

#[test]
fn after_a_block_that_cannot_be_read_the_next_one_is() {
    let (came, then) = three_blocks(|disk| disk.platter.spoil(1));
    assert_eq!(came, without_the_second());
    assert!(matches!(then, Ok(Verdict::Content(_))));
}

#[test]
fn after_a_read_without_an_answer_the_next_one_is_answered_and_the_disk_asked_who_it_is() {
    let (came, then) = three_blocks(|disk| disk.inject(Fault::Silent { command: 3 }));
    assert_eq!(came, without_the_second());
    assert_eq!(then, Err(Refusal::Unconfirmed));
}

#[test]
fn a_disk_that_never_answers_again_brings_no_bytes_of_another_read() {
    let (came, _) = three_blocks(|disk| {
        disk.inject(Fault::Silent { command: 3 });
        disk.inject(Fault::Silent { command: 4 });
    });
    assert_eq!(came[1..], [None, None]);
}

#[test]
fn a_drive_whose_blocks_are_of_a_size_that_no_volume_has_takes_no_writes() {
    let odd = Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: 1000,
        sector_size: 1024,
        serial: "ODD".to_owned(),
    })));
    let (mut hba, memory) = hardware(vec![Some(odd)]);
    let ahci = attach(&mut hba, &memory, &mut Nothing).ok().unwrap();
    let mut scene = Scene::taken_over(hba, ahci, memory);
    let mut driver = scene.driver(0);
    assert!(scene.write_blocks(&mut driver, 0, &content(3, 1024)).is_err());
    assert!(scene.try_read_blocks(&mut driver, 0, 1).is_err());
    assert_eq!(scene.disk(0).platter.written(), []);
}

#[test]
fn what_the_policy_will_not_have_is_told_with_its_port() {
    let (mut hba, memory) = hardware(vec![None, Some(disk("SYSTEM"))]);
    let refused = attach(&mut hba, &memory, &mut Nobody).err();
    assert_eq!(refused, Some(AttachError::Refused(1, "no")));
    assert_eq!(hba.disk(1).unwrap().platter.written(), []);
}

#[test]
fn without_memory_the_controller_is_not_used() {
    let (mut hba, memory) = hardware(vec![Some(disk("SYSTEM"))]);
    for buffers in [0, 1, 2, 40] {
        let source = memory.clone();
        let mut left = buffers;
        let mut give = |length, _| {
            left -= 1;
            (left >= 0).then(|| source.buffer(length))
        };
        let binder = &mut layout::Everywhere::default();
        let refused = Ahci::attach(Atapi::Refuse, &mut hba, &mut memory.clone(), &mut give, binder).err();
        assert_eq!(refused, Some(AttachError::Memory), "{buffers} buffers");
    }
}
