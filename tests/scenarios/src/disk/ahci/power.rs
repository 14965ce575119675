//! Power cuts: what the guest was told is safe, is safe; a FLUSH never completes for the guest before its writes have.

use super::Scene;
use crate::disk::layout::{self, SYSTEM, content, encrypted};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::{command, device};
use sekisho_models::guest::{AhciDriver, Completion, Request, Window};
use sekisho_models::sequence::Sequence;
use std::collections::BTreeMap;

/// Few places, so that each is written often.
const PLACES: u64 = 6;
const BLOCKS_EACH: u16 = 4;
const BYTES_EACH: usize = 4 * 512;

/// What the guest knows of each place: the versions it has sent, and from which on one must be there.
#[derive(Default)]
struct Ledger {
    versions: BTreeMap<u64, Vec<u64>>,
    /// Index into the versions: the last that is complete, and the last that a flush made safe.
    complete: BTreeMap<u64, usize>,
    safe: BTreeMap<u64, usize>,
    /// Place and index of the write in each slot.
    in_flight: BTreeMap<u8, (u64, usize)>,
}

impl Ledger {
    fn note(&mut self, ended: Vec<Completion>) {
        for Completion { slot, result } in ended {
            if let (Some((place, index)), true) = (self.in_flight.remove(&slot), result.is_ok()) {
                self.complete.insert(place, index);
            }
        }
    }
}

fn lba(place: u64) -> u64 {
    SYSTEM.first + 1000 + place * 4
}

fn write(scene: &mut Scene, driver: &mut AhciDriver, ledger: &mut Ledger, place: u64, version: u64) {
    let versions = ledger.versions.entry(place).or_default();
    versions.push(version);
    let index = versions.len() - 1;
    let task = TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, lba(place), BLOCKS_EACH);
    let request = Request::sends(task, &content(version, BYTES_EACH));
    if let Some(slot) = driver.issue(scene, &request) {
        ledger.in_flight.insert(slot, (place, index));
    }
}

/// What is complete before a flush is safe behind it.
fn flush(scene: &mut Scene, driver: &mut AhciDriver, ledger: &mut Ledger) {
    ledger.note(driver.drain(scene));
    if scene.flush(driver).is_ok() {
        ledger.safe.clone_from(&ledger.complete);
    }
}

/// Writes and flushes until the lot says that the power fails.
fn work(scene: &mut Scene, driver: &mut AhciDriver, chance: &mut Sequence) -> Ledger {
    let mut ledger = Ledger::default();
    for version in 1.. {
        match chance.below(40) {
            0 => break,
            1..=6 => flush(scene, driver, &mut ledger),
            7..=15 => {
                scene.wait();
                ledger.note(driver.look(scene));
            }
            _ => {
                let place = chance.below(PLACES);
                let is_busy = ledger.in_flight.values().any(|(busy, _)| *busy == place);
                if !is_busy {
                    write(scene, driver, &mut ledger, place, version);
                }
            }
        }
    }
    for _ in 0..chance.below(30) {
        scene.hba.step();
    }
    ledger
}

#[test]
fn after_a_power_cut_every_flushed_write_or_a_later_one_is_there() {
    let mut flushed = 0;
    for seed in 0..200 {
        let mut scene = Scene::of(vec![Some(layout::disk("SYSTEM", BlockSize::B512))], seed);
        let mut driver = scene.driver(0);
        let mut chance = Sequence::new(seed);
        let ledger = work(&mut scene, &mut driver, &mut chance);
        scene.disk_mut(0).lose_power(&mut chance);
        for (place, safe) in &ledger.safe {
            flushed += 1;
            for block in 0..u64::from(BLOCKS_EACH) {
                let is_there = |version: &u64| {
                    let expected = encrypted(lba(*place), &content(*version, BYTES_EACH), BlockSize::B512);
                    let start = usize::try_from(block).unwrap() * 512;
                    scene.disk(0).platter.stable(lba(*place) + block) == expected[start..start + 512]
                };
                let later = &ledger.versions[place][*safe..];
                assert!(
                    later.iter().any(is_there),
                    "seed {seed}, place {place}, block {block}"
                );
            }
        }
    }
    assert!(
        flushed > 100,
        "the lots drew too few flushes to say anything: {flushed}"
    );
}

#[test]
fn a_flush_is_the_disks_to_complete() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 512);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    let flush = Request::plain(TaskFile::plain(command::FLUSH_CACHE_EXT));
    driver.issue(&mut scene, &flush).unwrap();
    for _ in 0..50 {
        assert_eq!(driver.look(&mut scene), [], "the disk has not even begun");
    }
    driver.drain(&mut scene);
    let expected = encrypted(SYSTEM.first, &plain, BlockSize::B512);
    assert_eq!(scene.disk(0).platter.stable(SYSTEM.first), expected);
}

#[test]
fn a_flush_behind_queued_writes_that_were_not_waited_for_makes_them_safe_too() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    for place in 0..PLACES {
        let task = TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, lba(place), BLOCKS_EACH);
        let request = Request::sends(task, &content(place, BYTES_EACH));
        driver.issue(&mut scene, &request).unwrap();
    }
    scene.flush(&mut driver).unwrap();
    for place in 0..PLACES {
        let expected = encrypted(lba(place), &content(place, BYTES_EACH), BlockSize::B512);
        assert_eq!(scene.disk(0).platter.stable(lba(place)), expected[..512]);
    }
}

#[test]
fn a_forced_write_is_safe_without_a_flush() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let mut queued = TaskFile::queued(command::WRITE_FPDMA_QUEUED, 0, SYSTEM.first, 1);
    queued.device |= device::FUA;
    let forced = [
        queued,
        TaskFile::long(command::WRITE_DMA_FUA_EXT, SYSTEM.first, 1),
        TaskFile::long(command::WRITE_MULTIPLE_FUA_EXT, SYSTEM.first, 1),
    ];
    for (seed, task) in (1..).zip(forced) {
        let plain = content(seed, 512);
        driver.run(&mut scene, &Request::sends(task, &plain)).unwrap();
        let expected = encrypted(SYSTEM.first, &plain, BlockSize::B512);
        assert_eq!(scene.disk(0).platter.stable(SYSTEM.first), expected, "{task:x?}");
    }
}
