//! A store changes as a whole, and is not put together of files that do not belong together.

use super::*;
use crate::recovery::RecoveryKey;
use crate::store::{Openers, create};
use crate::tests::Counting;
use alloc::string::ToString;
use sekisho_abi::storage::{Place, Storage, Volume};
use std::collections::BTreeMap;

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};

type Files = BTreeMap<String, Vec<u8>>;

fn volume(name: &str) -> Volume {
    Volume {
        name: name.to_string(),
        disk: None,
        place: Place::Partition(1),
        key_bits: 256,
        sector_size: 512,
        discard: false,
    }
}

/// A store of two volumes that `first` opens.
fn store(seed: u64) -> OpenStore {
    let storage = Storage {
        volumes: alloc::vec![volume("system"), volume("home")],
        ..Storage::default()
    };
    let random = &mut Counting::new(seed);
    let recovery = RecoveryKey::generate(random).unwrap();
    let openers = Openers {
        passphrase: b"first",
        recovery: &recovery,
        costs: CHEAP,
    };
    create(&storage, &openers, random).unwrap()
}

fn files(store: &OpenStore) -> Files {
    store.files(&mut Counting::new(3)).unwrap().into_iter().collect()
}

fn read(files: &Files, passphrase: &[u8]) -> Result<OpenStore, ReadError<()>> {
    OpenStore::read(passphrase, |path| files.get(path).cloned().ok_or(()))
}

/// How many of the three headers open with `passphrase`.
fn opening(store: &OpenStore, passphrase: &[u8]) -> usize {
    let headers = store.volumes.iter().map(|volume| &volume.header);
    headers
        .chain([&store.sealed.header])
        .filter(|header| header.unlock(passphrase).is_ok())
        .count()
}

#[test]
fn every_change_is_made_in_every_header() {
    let mut store = store(1);
    let random = &mut Counting::new(2);
    assert_eq!(store.add(b"second", CHEAP, random), Ok(2));
    assert_eq!((opening(&store, b"first"), opening(&store, b"second")), (3, 3));
    store.replace(0, b"third", CHEAP, random).unwrap();
    assert_eq!((opening(&store, b"first"), opening(&store, b"third")), (0, 3));
    let recovery = RecoveryKey::generate(random).unwrap();
    store.set_recovery(&recovery, CHEAP, random).unwrap();
    assert_eq!(opening(&store, recovery.text()), 3);
    store.remove(2, random).unwrap();
    assert_eq!((opening(&store, b"second"), opening(&store, b"third")), (0, 3));
    assert!(read(&files(&store), b"third").is_ok());
}

#[test]
fn a_recovery_key_that_was_removed_is_put_in_its_place_again() {
    let mut store = store(1);
    let random = &mut Counting::new(2);
    store.remove(RECOVERY_SLOT, random).unwrap();
    let recovery = RecoveryKey::generate(random).unwrap();
    store.set_recovery(&recovery, CHEAP, random).unwrap();
    let opened = read(&files(&store), recovery.text()).unwrap();
    assert_eq!(opened.sealed.slot, RECOVERY_SLOT);
}

#[test]
fn what_it_costs_stays_what_it_was() {
    assert_eq!(read(&files(&store(1)), b"first").unwrap().costs(), CHEAP);
}

#[test]
fn a_header_of_another_store_is_refused() {
    let mut mixed = files(&store(1));
    let path = header_file("home");
    mixed.insert(path.clone(), files(&store(9))[&path].clone());
    let expected = ReadError::Files(EditError::OutOfStep {
        name: "home".to_string(),
    });
    assert_eq!(read(&mixed, b"first").err(), Some(expected));
}

#[test]
fn a_header_whose_keyslots_were_changed_alone_is_refused() {
    let mut store = store(1);
    store.volumes[0].header.remove(1, &mut Counting::new(2)).unwrap();
    let expected = ReadError::Files(EditError::OutOfStep {
        name: "system".to_string(),
    });
    assert_eq!(read(&files(&store), b"first").err(), Some(expected));
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    let whole = files(&store(1));
    let path = header_file("system");
    let mut less = whole.clone();
    less.remove(&path);
    let missing = ReadError::File {
        path: path.clone(),
        error: (),
    };
    assert_eq!(read(&less, b"first").err(), Some(missing));
    less.insert(path.clone(), b"something else".to_vec());
    let error = luks2::ReadError::NotLuks;
    assert_eq!(
        read(&less, b"first").err(),
        Some(ReadError::Header { path, error })
    );
    assert!(matches!(read(&whole, b"other").err(), Some(ReadError::Sealed(_))));
}
