//! Power cuts at any moment: what was written before a flush that ended is on the disk.

use super::Scene;
use super::layout::{SYSTEM, content, encrypted};
use sekisho_abi::disk::BlockSize;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{Failure, IdeDriver, IdeWindow, Request};
use sekisho_models::sequence::Sequence;

/// Few places, so that each is written often.
const PLACES: usize = 4;
const BLOCKS_EACH: u16 = 3;
const BYTES_EACH: usize = 3 * 512;

/// A machine that is dead after so many steps of its disk.
struct Doomed {
    scene: Scene,
    steps_left: u64,
}

impl Ports for Doomed {
    fn read(&mut self, block: Block, offset: u16) -> u8 {
        match self.steps_left {
            0 => u8::MAX,
            _ => self.scene.read(block, offset),
        }
    }

    fn write(&mut self, block: Block, offset: u16, value: u8) {
        self.scene.write(block, offset, value);
    }

    fn write_table(&mut self, channel: Channel, address: u32) {
        self.scene.write_table(channel, address);
    }

    fn read_data(&mut self, channel: Channel, bytes: &mut [u8]) {
        self.scene.read_data(channel, bytes);
    }

    fn write_data(&mut self, channel: Channel, bytes: &[u8]) {
        self.scene.write_data(channel, bytes);
    }
}

impl IdeWindow for Doomed {
    fn wait(&mut self) {
        self.steps_left = self.steps_left.saturating_sub(1);
        if self.steps_left > 0 {
            self.scene.wait();
        }
    }
}

/// The versions that were sent to one place, and how many of them a flush made safe.
#[derive(Clone, Debug, Default)]
struct Place {
    versions: Vec<u64>,
    safe: usize,
}

fn lba(place: usize) -> u64 {
    SYSTEM.first + place as u64 * u64::from(BLOCKS_EACH)
}

/// Writes by both ways and flushes until the machine is dead.
fn work(doomed: &mut Doomed, driver: &IdeDriver, chance: &mut Sequence) -> [Place; PLACES] {
    let mut places: [Place; PLACES] = Default::default();
    for version in 1.. {
        let result: Result<_, Failure> = match chance.below(6) {
            0 => {
                let flush = Request::plain(TaskFile::plain(command::FLUSH_CACHE_EXT));
                driver.pio(doomed, &flush).inspect(|_| {
                    for place in &mut places {
                        place.safe = place.versions.len();
                    }
                })
            }
            draw => {
                let number = usize::try_from(chance.below(PLACES as u64)).unwrap();
                places[number].versions.push(version);
                let plain = content(version, BYTES_EACH);
                let task = |code| TaskFile::long(code, lba(number), BLOCKS_EACH);
                match draw {
                    1 | 2 => driver.pio(doomed, &Request::sends(task(command::WRITE_SECTORS_EXT), &plain)),
                    _ => driver.dma(doomed, &Request::sends(task(command::WRITE_DMA_EXT), &plain)),
                }
            }
        };
        if result.is_err() {
            break;
        }
    }
    places
}

#[test]
fn after_a_power_cut_every_flushed_write_or_a_later_one_is_there() {
    let mut flushed = 0;
    for seed in 0..40 {
        let mut chance = Sequence::new(seed);
        let scene = Scene::new();
        let driver = scene.driver();
        let steps_left = chance.below(200);
        let mut doomed = Doomed { scene, steps_left };
        let places = work(&mut doomed, &driver, &mut chance);
        doomed.scene.disk_mut().lose_power(&mut chance);
        for (number, place) in places.iter().enumerate().filter(|(_, place)| place.safe > 0) {
            flushed += 1;
            let later = &place.versions[place.safe - 1..];
            let expected: Vec<_> = later
                .iter()
                .map(|version| encrypted(lba(number), &content(*version, BYTES_EACH), BlockSize::B512))
                .collect();
            for block in 0..usize::from(BLOCKS_EACH) {
                let stable = doomed.scene.disk().platter.stable(lba(number) + block as u64);
                let is_there = |version: &Vec<u8>| stable == version[block * 512..][..512];
                assert!(
                    expected.iter().any(is_there),
                    "seed {seed}, place {number}, block {block}"
                );
            }
        }
    }
    assert!(
        flushed > 50,
        "the lots drew too few flushes to say anything: {flushed}"
    );
}
