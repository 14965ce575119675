//! The power fails at any operation, and of what was not synced any sectors are lost: the same call goes on, and in the
//! end every byte is right.

#![cfg(test)]

use proptest::prelude::*;
use proptest::test_runner::TestRng;
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use sekisho_offline::convert::convert;
use sekisho_offline::journal::{Direction, Error, Journal, Plan};
use sekisho_offline::medium::Medium;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

const SECTOR: usize = 512;
/// Where the volume begins on the disk, and what lies behind it.
const START: usize = 3 * 4096 + 512;
const BEHIND: usize = 5 * 512;

/// The power, which fails after so many operations.
struct Power(AtomicI64);

impl Power {
    fn use_once(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 {
            Ok(())
        } else {
            Err(io::Error::other("no power"))
        }
    }
}

/// Bytes of which a power cut loses any sectors that were not synced.
#[derive(Default)]
struct Volatile(Mutex<Contents>);

#[derive(Default, Clone)]
struct Contents {
    /// What a read gives.
    seen: Vec<u8>,
    /// What is on stable storage.
    durable: Vec<u8>,
    /// Sectors written since.
    unsynced: Vec<(usize, Vec<u8>)>,
}

fn put(bytes: &mut Vec<u8>, at: usize, sector: &[u8]) {
    bytes.resize(bytes.len().max(at + sector.len()), 0);
    bytes[at..at + sector.len()].copy_from_slice(sector);
}

impl Volatile {
    fn new(bytes: &[u8]) -> Self {
        Self(Mutex::new(Contents {
            seen: bytes.to_vec(),
            durable: bytes.to_vec(),
            unsynced: Vec::new(),
        }))
    }

    /// What is left after a power cut.
    fn cut(&self, chance: &mut TestRng) {
        let mut contents = self.0.lock().unwrap();
        for (at, sector) in std::mem::take(&mut contents.unsynced) {
            if chance.random_bool(0.5) {
                put(&mut contents.durable, at, &sector);
            }
        }
        contents.seen = contents.durable.clone();
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().seen.clone()
    }
}

/// A medium while there is power.
struct Powered<'a>(&'a Volatile, &'a Power);

impl Medium for Powered<'_> {
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.1.use_once()?;
        let contents = self.0.0.lock().unwrap();
        let at = usize::try_from(at).unwrap();
        let bytes = contents.seen.get(at..at + into.len());
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        // Without power halfway through, some of it may have been written.
        let power = self.1.use_once();
        let mut contents = self.0.0.lock().unwrap();
        for (number, sector) in bytes.chunks(SECTOR).enumerate() {
            let at = usize::try_from(at).unwrap() + number * SECTOR;
            put(&mut contents.seen, at, sector);
            contents.unsynced.push((at, sector.to_vec()));
        }
        power
    }

    fn sync(&self) -> io::Result<()> {
        self.1.use_once()?;
        let mut contents = self.0.0.lock().unwrap();
        contents.durable = contents.seen.clone();
        contents.unsynced.clear();
        Ok(())
    }
}

fn cipher() -> SectorCipher {
    let key: Vec<u8> = (0..64).collect();
    SectorCipher::new(&key, SectorSize::B512).unwrap()
}

fn plan(direction: Direction, length: usize, lanes: u32) -> Plan {
    Plan {
        run: [7; 16],
        direction,
        header: "1765bc25-736a-4f2d-bf78-77d4d3d2d889".to_owned(),
        disk: None,
        start: START as u64,
        length: length as u64,
        chunk: 4096,
        lanes,
    }
}

/// A disk in plaintext, and with its volume encrypted.
fn disks(length: usize) -> (Vec<u8>, Vec<u8>) {
    let plain: Vec<u8> = (0..START + length + BEHIND)
        .map(|at| u8::try_from(at * 31 % 253).unwrap())
        .collect();
    let mut encrypted = plain.clone();
    let volume = &mut encrypted[START..START + length];
    cipher().encrypt(0, volume).unwrap();
    (plain, encrypted)
}

/// One call, from whatever is there, until it ends or the power does.
fn call(disk: &Volatile, journal: &Volatile, plan: &Plan, operations: i64) -> bool {
    let power = Power(AtomicI64::new(operations));
    let opened = match Journal::open(Powered(journal, &power)) {
        // Without a whole plan nothing was done: begin again.
        Err(Error::Damaged) => Journal::create(Powered(journal, &power), plan.clone()),
        opened => opened,
    };
    opened.is_ok_and(|opened| convert(&Powered(disk, &power), &opened, &cipher(), &|_| {}).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn power_cuts_at_any_moment_lose_no_byte(
        decrypting in any::<bool>(),
        sectors in 1..150_usize,
        lanes in 1..5_u32,
        lives in proptest::collection::vec(1..120_i64, 0..8),
        mut chance in any::<u64>().prop_perturb(|_, rng| rng),
    ) {
        let (plain, encrypted) = disks(sectors * SECTOR);
        let (from, to, direction) = if decrypting {
            (encrypted, plain, Direction::Decrypt)
        } else {
            (plain, encrypted, Direction::Encrypt)
        };
        let (disk, journal) = (Volatile::new(&from), Volatile::default());
        let plan = plan(direction, sectors * SECTOR, lanes);
        for operations in lives {
            call(&disk, &journal, &plan, operations);
            disk.cut(&mut chance);
            journal.cut(&mut chance);
        }
        prop_assert!(call(&disk, &journal, &plan, i64::MAX));
        prop_assert!(disk.bytes() == to);
    }
}

#[test]
fn a_finished_conversion_is_never_repaired() {
    let (plain, encrypted) = disks(40 * SECTOR);
    let (disk, journal) = (Volatile::new(&plain), Volatile::default());
    let plan = plan(Direction::Encrypt, 40 * SECTOR, 2);
    assert!(call(&disk, &journal, &plan, i64::MAX));
    assert_eq!(disk.bytes(), encrypted);
    // The volume is used before the journal is removed.
    let used = Volatile::new(&vec![1; plain.len()]);
    assert!(call(&used, &journal, &plan, i64::MAX));
    assert_eq!(used.bytes(), vec![1; plain.len()]);
}

#[test]
fn records_of_another_run_are_not_taken_for_one_of_this() {
    let (plain, encrypted) = disks(40 * SECTOR);
    let (disk, journal) = (Volatile::new(&plain), Volatile::default());
    let first = plan(Direction::Encrypt, 40 * SECTOR, 2);
    assert!(call(&disk, &journal, &first, i64::MAX));
    // The head of another run is put over the old journal.
    let power = Power(AtomicI64::new(i64::MAX));
    let second = Plan {
        run: [8; 16],
        ..first
    };
    let again = Volatile::new(&plain);
    let opened = Journal::create(Powered(&journal, &power), second).unwrap();
    convert(&Powered(&again, &power), &opened, &cipher(), &|_| {}).unwrap();
    assert_eq!(again.bytes(), encrypted);
}

#[test]
fn a_damaged_plan_is_told() {
    let (disk, journal) = (Volatile::new(&disks(SECTOR).0), Volatile::default());
    let plan = plan(Direction::Encrypt, SECTOR, 1);
    assert!(call(&disk, &journal, &plan, i64::MAX));
    let mut bytes = journal.bytes();
    bytes[40] ^= 1;
    let power = Power(AtomicI64::new(i64::MAX));
    let opened = Journal::open(Powered(&Volatile::new(&bytes), &power)).map(|_| ());
    assert!(matches!(opened, Err(Error::Damaged)), "{opened:?}");
}

#[test]
fn progress_counts_every_byte_once_also_when_resumed() {
    let length = 100 * SECTOR;
    let (disk, journal) = (Volatile::new(&disks(length).0), Volatile::default());
    let plan = plan(Direction::Encrypt, length, 3);
    call(&disk, &journal, &plan, 30);
    let power = Power(AtomicI64::new(i64::MAX));
    let done = AtomicI64::new(0);
    let opened = Journal::open(Powered(&journal, &power)).unwrap();
    let count = |bytes| {
        done.fetch_add(i64::try_from(bytes).unwrap(), Ordering::SeqCst);
    };
    convert(&Powered(&disk, &power), &opened, &cipher(), &count).unwrap();
    assert_eq!(usize::try_from(done.load(Ordering::SeqCst)).unwrap(), length);
}
