//! The guest's driver on the bare controller: what it does is no breach, and what the model does is what the
//! specification says. So a difference in a scenario is the mediator's.

use crate::ahci::spec::{cmd, generic, ghc, port};
use crate::ahci::{Hba, Line};
use crate::ata::spec::{command, error};
use crate::ata::{Disk, Drive, Fault, Geometry, PacketDrive, TaskFile, packet};
use crate::breach::Breach;
use crate::guest::{AhciDriver, Failure, Request, Window};
use crate::memory::{Memory, Reach};
use crate::ram::{Ram, UPPER};
use sekisho_mediator::seam::Registers;

const BASE: u64 = 0x10_0000;
const SECTORS: u64 = 1 << 20;

/// The controller, without anyone between.
struct Bare {
    hba: Hba,
    memory: Memory,
}

impl Window for Bare {
    fn read(&mut self, offset: u32) -> u32 {
        self.hba.read(offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.hba.write(offset, value);
    }

    fn wait(&mut self) {
        self.hba.step();
    }
}

fn disk() -> Drive {
    Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: SECTORS,
        sector_size: 512,
        serial: "MODEL-1".to_owned(),
    })))
}

fn bare(drives: Vec<Option<Drive>>, seed: u64) -> Bare {
    let memory = Memory::new(Ram::new(64 << 20), Reach::Guest);
    let hba = Hba::new(&memory, drives, seed);
    Bare { hba, memory }
}

fn started() -> (Bare, AhciDriver) {
    let mut bare = bare(vec![Some(disk())], 1);
    let memory = bare.memory.clone();
    let driver = AhciDriver::start(&mut bare, &memory, 0, BASE).unwrap();
    (bare, driver)
}

fn pattern(seed: u8, sectors: usize) -> Vec<u8> {
    (0..=250)
        .map(|place: u8| seed.wrapping_add(place))
        .cycle()
        .take(sectors * 512)
        .collect()
}

#[test]
fn what_is_written_is_read_again_by_every_kind_of_command() {
    let (mut bare, mut driver) = started();
    let pairs = [
        (
            TaskFile::short(command::WRITE_SECTORS, 100, 3),
            TaskFile::short(command::READ_SECTORS, 100, 3),
        ),
        (
            TaskFile::short(command::WRITE_MULTIPLE, 200, 3),
            TaskFile::short(command::READ_MULTIPLE, 200, 3),
        ),
        (
            TaskFile::short(command::WRITE_DMA, 300, 3),
            TaskFile::short(command::READ_DMA, 300, 3),
        ),
        (
            TaskFile::long(command::WRITE_DMA_EXT, 400, 3),
            TaskFile::long(command::READ_DMA_EXT, 400, 3),
        ),
        (
            TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, 500, 3),
            TaskFile::queued(command::READ_FPDMA_QUEUED, 0, 500, 3),
        ),
    ];
    for (seed, (write, read)) in (1..).zip(pairs) {
        let content = pattern(seed, 3);
        driver.run(&mut bare, &Request::sends(write, &content)).unwrap();
        let back = driver.run(&mut bare, &Request::brings(read, 3 * 512)).unwrap();
        assert_eq!(back.data, content, "{write:?}");
    }
    assert_eq!(bare.memory.breaches(), []);
}

#[test]
fn a_full_queue_completes_in_an_order_that_depends_on_the_seed() {
    let order = |seed| {
        let mut bare = bare(vec![Some(disk())], seed);
        let memory = bare.memory.clone();
        let mut driver = AhciDriver::start(&mut bare, &memory, 0, BASE).unwrap();
        for lba in 0..32 {
            let task = TaskFile::queued(command::READ_FPDMA_QUEUED, 0, lba, 1);
            driver.issue(&mut bare, &Request::brings(task, 512)).unwrap();
        }
        let ended = driver.drain(&mut bare);
        assert_eq!(bare.memory.breaches(), []);
        ended.iter().map(|completion| completion.slot).collect::<Vec<_>>()
    };
    let (first, second) = (order(1), order(2));
    assert_eq!(first.len(), 32);
    assert_ne!(first, second);
}

#[test]
fn a_bad_sector_fails_its_command_and_no_other() {
    let (mut bare, mut driver) = started();
    bare.hba.disk_mut(0).unwrap().platter.spoil(7);
    for lba in [3, 7, 11] {
        let task = TaskFile::queued(command::READ_FPDMA_QUEUED, 0, lba, 1);
        driver.issue(&mut bare, &Request::brings(task, 512)).unwrap();
    }
    let ended = driver.drain(&mut bare);
    let failed: Vec<_> = ended
        .iter()
        .filter_map(|completion| match completion.result {
            Err(Failure::Device { error, lba, .. }) => Some((completion.slot, error, lba)),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [(1, error::UNC, 7)]);
    let read = Request::brings(TaskFile::long(command::READ_DMA_EXT, 7, 1), 512);
    assert!(matches!(
        driver.run(&mut bare, &read),
        Err(Failure::Device {
            error: error::UNC,
            ..
        })
    ));
    assert!(driver.identify(&mut bare).is_ok());
    assert_eq!(bare.memory.breaches(), []);
}

#[test]
fn an_interrupt_comes_with_each_completion_and_goes_when_it_is_handled() {
    let (mut bare, mut driver) = started();
    bare.write(generic::IS, 1);
    let before = bare.hba.edges();
    driver
        .issue(
            &mut bare,
            &Request::brings(TaskFile::plain(command::IDENTIFY_DEVICE), 512),
        )
        .unwrap();
    assert_eq!(bare.hba.line(), Line::Low);
    bare.hba.run();
    assert_eq!((bare.hba.line(), bare.hba.edges()), (Line::High, before + 1));
    assert_eq!(driver.interrupt(&mut bare).len(), 1);
    assert_eq!(bare.hba.line(), Line::Low);
}

#[test]
fn a_silent_drive_is_woken_by_a_reset_of_the_link() {
    let (mut bare, mut driver) = started();
    bare.hba.disk_mut(0).unwrap().inject(Fault::Silent { command: 1 });
    let request = Request::plain(TaskFile::plain(command::FLUSH_CACHE_EXT));
    assert_eq!(driver.run(&mut bare, &request), Err(Failure::TimedOut));
    driver.give_up(&mut bare).unwrap();
    assert!(driver.run(&mut bare, &request).is_ok());
    assert_eq!(bare.memory.breaches(), []);
}

#[test]
fn a_drive_that_is_pulled_out_ends_everything() {
    let (mut bare, mut driver) = started();
    let request = Request::brings(TaskFile::queued(command::READ_FPDMA_QUEUED, 0, 0, 1), 512);
    driver.issue(&mut bare, &request).unwrap();
    bare.hba.plug(0, None);
    let ended = driver.look(&mut bare);
    assert_eq!(ended.first().unwrap().result, Err(Failure::Gone));
}

#[test]
fn a_packet_drive_reads_its_medium() {
    let medium: Vec<u8> = pattern(9, 16);
    let mut bare = bare(
        vec![None, Some(Drive::Packet(PacketDrive::new(medium.clone())))],
        1,
    );
    let memory = bare.memory.clone();
    let mut driver = AhciDriver::start(&mut bare, &memory, 1, UPPER).unwrap();
    assert_eq!(driver.read(&mut bare, port::SIG), 0xeb14_0101);
    let task = TaskFile::plain(command::PACKET).with_features(1);
    let read = [packet::operation::READ_10, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0];
    let request = Request::brings(task, 4096).with_packet(read);
    assert_eq!(driver.run(&mut bare, &request).unwrap().data, medium[2048..6144]);
    assert_eq!(bare.memory.breaches(), []);
}

#[test]
fn a_power_cut_takes_what_was_not_flushed_and_nothing_else() {
    let (mut bare, mut driver) = started();
    let (safe, unsafe_one) = (pattern(1, 64), pattern(2, 64));
    driver
        .run(
            &mut bare,
            &Request::sends(TaskFile::long(command::WRITE_DMA_EXT, 0, 64), &safe),
        )
        .unwrap();
    driver
        .run(
            &mut bare,
            &Request::plain(TaskFile::plain(command::FLUSH_CACHE_EXT)),
        )
        .unwrap();
    driver
        .run(
            &mut bare,
            &Request::sends(TaskFile::long(command::WRITE_DMA_EXT, 64, 64), &unsafe_one),
        )
        .unwrap();
    bare.hba.lose_power();
    let disk = bare.hba.disk(0).unwrap();
    assert_eq!(disk.platter.image(0, 64), safe);
    assert_ne!(disk.platter.image(64, 64), unsafe_one);
    assert!(disk.platter.ever_held(&unsafe_one[..512]));
}

#[test]
fn registers_changed_under_a_running_engine_are_breaches() {
    let (mut bare, driver) = started();
    driver.write(&mut bare, port::CLB, 0);
    driver.write(&mut bare, port::FB, 0);
    driver.write(&mut bare, port::IE, 1 << 9);
    driver.write(&mut bare, port::SCTL, 1);
    let expected = [
        Breach::ChangedInUse(0x100 + port::CLB),
        Breach::ChangedInUse(0x100 + port::FB),
        Breach::ReservedBits(0x100 + port::IE, 1 << 9),
        Breach::Untimely(0x100 + port::SCTL, 1),
    ];
    assert_eq!(bare.memory.breaches(), expected);
}

#[test]
fn commands_in_bad_form_are_breaches() {
    let (mut bare, mut driver) = started();
    let read = TaskFile::long(command::READ_DMA_EXT, 0, 1);
    let slot = driver.issue(&mut bare, &Request::brings(read, 512)).unwrap();
    driver.write(&mut bare, port::CI, 1 << slot);
    driver.drain(&mut bare);
    let odd = Request::brings(read, 512).in_regions(&[(BASE + 0x8_0001, 512)]);
    driver.run(&mut bare, &odd).unwrap();
    let short = Request::brings(read, 256);
    driver.run(&mut bare, &short).unwrap();
    let reversed = Request::sends(read, &[0; 512]);
    driver.run(&mut bare, &reversed).unwrap();
    driver.write(&mut bare, port::SACT, 1);
    assert_eq!(
        driver.run(&mut bare, &Request::brings(read, 512)),
        Err(Failure::TimedOut)
    );
    let expected = [
        Breach::SlotInUse(0, 0),
        Breach::BadRegion(0, 0),
        Breach::ShortRegions(0, 0),
        Breach::WrongDirection(0, 0),
        Breach::WrongActive(0, 0),
    ];
    assert_eq!(bare.memory.breaches(), expected);
}

#[test]
fn the_engine_follows_its_switches() {
    let (mut bare, driver) = started();
    let running = cmd::ST | cmd::FRE | cmd::CR | cmd::FR;
    assert_eq!(driver.read(&mut bare, port::CMD) & running, running);
    driver.stop(&mut bare).unwrap();
    assert_eq!(driver.read(&mut bare, port::CMD) & running, 0);
    bare.write(generic::GHC, ghc::AE | ghc::HR);
    assert_eq!(bare.read(generic::GHC), 0);
    assert_eq!(bare.memory.breaches(), []);
}
