//! A store is taken where it fits the policy, and opens with what the policy takes.

use super::*;
use crate::luks2::{Extent, New};
use crate::tests::Counting;
use alloc::string::ToString;
use sekisho_abi::storage::Place;
use sekisho_crypto::argon2::Costs;
use std::collections::BTreeMap;

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};
const HEADER: &str = "volumes/system.luks2";

type Files = BTreeMap<String, Vec<u8>>;

fn storage() -> Storage {
    Storage {
        volumes: alloc::vec![Volume {
            name: "system".to_string(),
            disk: None,
            place: Place::Partition(3),
            key_bits: 512,
            sector_size: 512,
            discard: false,
        }],
        ..Storage::default()
    }
}

/// A store that `passphrase` and the returned recovery key open.
fn files() -> (Files, String) {
    let random = &mut Counting::new(7);
    let recovery = RecoveryKey::generate(random).unwrap();
    let openers = Openers {
        passphrase: b"passphrase",
        recovery: &recovery,
        costs: CHEAP,
    };
    let store = create(&storage(), &openers, random).unwrap();
    let files = store.files(random).unwrap().into_iter().collect();
    let recovery = String::from_utf8(recovery.text().to_vec()).unwrap();
    (files, recovery)
}

fn read(files: &Files, storage: &Storage) -> Result<Store, StoreError<()>> {
    Store::read(storage, |path| files.get(path).cloned().ok_or(()))
}

fn store(files: &Files) -> Store {
    read(files, &storage()).unwrap_or_else(|error| panic!("{error:?}"))
}

/// What is said about a store or an answer that is refused.
fn refused(files: &Files) -> StoreError<()> {
    read(files, &storage()).err().unwrap()
}

const BOTH: Unlock = Unlock {
    passphrase: true,
    recovery: true,
    attempts: 5,
};

#[test]
fn passphrase_and_recovery_key_open_the_store_however_the_key_is_spaced() {
    let (files, recovery) = files();
    let store = store(&files);
    let bare = recovery.replace('-', "");
    for answer in ["passphrase", &recovery, &bare, &recovery.replace('-', " ")] {
        let secrets = store.unlock(BOTH, answer.as_bytes());
        let secrets = secrets.unwrap_or_else(|error| panic!("{answer}: {error}"));
        assert_eq!(secrets.volume("system").unwrap().key.length(), 64);
    }
}

#[test]
fn a_wrong_answer_is_wrong_and_a_mistyped_recovery_key_says_where() {
    let (files, recovery) = files();
    let store = store(&files);
    let wrong = |answer: &[u8]| store.unlock(BOTH, answer).err().unwrap();
    assert_eq!(wrong(b"Passphrase"), Locked::Wrong { mistyped: None });
    let last = if recovery.ends_with('1') { "2" } else { "1" };
    let mistyped = alloc::format!("{}{last}", &recovery[..recovery.len() - 1]);
    assert_eq!(
        wrong(mistyped.as_bytes()),
        Locked::Wrong {
            mistyped: Some(RecoveryError::Group { number: 8 })
        }
    );
}

#[test]
fn an_answer_of_a_form_that_the_policy_does_not_take_is_wrong() {
    let (files, recovery) = files();
    let store = store(&files);
    let opens = |passphrase, recovery, answer: &str| {
        let methods = Unlock {
            passphrase,
            recovery,
            attempts: 1,
        };
        store.unlock(methods, answer.as_bytes()).is_ok()
    };
    assert!(opens(true, false, "passphrase"));
    assert!(!opens(true, false, &recovery));
    assert!(opens(false, true, &recovery));
    assert!(!opens(false, true, "passphrase"));
}

#[test]
fn every_file_that_is_missing_or_damaged_is_named() {
    let (files, _) = files();
    for path in [SECRETS_FILE, HEADER] {
        let mut less = files.clone();
        let mut bytes = less.remove(path).unwrap();
        let path = path.to_string();
        assert_eq!(
            refused(&less),
            StoreError::File {
                path: path.clone(),
                error: ()
            }
        );
        bytes[..32 << 10].fill(0x5a);
        less.insert(path.clone(), bytes);
        assert_eq!(
            refused(&less),
            StoreError::Header {
                path,
                error: ReadError::NotLuks
            }
        );
    }
}

#[test]
fn a_header_of_another_size_than_the_policy_says_is_refused() {
    let (files, _) = files();
    let mut policy = storage();
    policy.volumes[0].key_bits = 256;
    assert!(matches!(
        read(&files, &policy).err(),
        Some(StoreError::Differs {
            what: "key-size",
            header: 512,
            policy: 256,
            ..
        })
    ));
    policy.volumes[0].key_bits = 512;
    policy.volumes[0].sector_size = 4096;
    assert!(matches!(
        read(&files, &policy).err(),
        Some(StoreError::Differs {
            what: "sector-size",
            header: 512,
            policy: 4096,
            ..
        })
    ));
}

#[test]
fn a_volume_that_is_half_encrypted_is_refused() {
    let (mut files, _) = files();
    let mut header = Header::read(&files[HEADER]).unwrap();
    header
        .set_conversion(Conversion::UnderWay, &mut Counting::new(9))
        .unwrap();
    files.insert(HEADER.to_string(), header.file().to_vec());
    assert_eq!(
        refused(&files),
        StoreError::Converting {
            volume: "system".to_string()
        }
    );
}

#[test]
fn a_header_of_another_store_is_noticed_once_the_secrets_are_open() {
    let (files, _) = files();
    let mut mixed = files.clone();
    let new = New {
        label: "system",
        segment: Header::read(&files[HEADER]).unwrap().segment(),
    };
    let (other, _) = Header::create(&new, b"passphrase", CHEAP, &mut Counting::new(11)).unwrap();
    mixed.insert(HEADER.to_string(), other.file().to_vec());
    assert_eq!(
        store(&mixed).unlock(BOTH, b"passphrase").err(),
        Some(Locked::OtherKey {
            volume: "system".to_string()
        })
    );
    let mut policy = storage();
    policy.volumes[0].name = "data".to_string();
    mixed.insert("volumes/data.luks2".to_string(), files[HEADER].clone());
    let store = read(&mixed, &policy).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(
        store.unlock(BOTH, b"passphrase").err(),
        Some(Locked::NoKey {
            volume: "data".to_string()
        })
    );
}

#[test]
fn damaged_sealed_bytes_are_not_a_wrong_answer() {
    let (mut files, _) = files();
    let sealed = files.get_mut(SECRETS_FILE).unwrap();
    let behind = Header::read(sealed).unwrap().file().len();
    sealed[behind + 60] ^= 1;
    assert_eq!(
        store(&files).unlock(BOTH, b"passphrase").err(),
        Some(Locked::Unusable(OpenError::Forged))
    );
}

#[test]
fn its_files_are_the_bytes_that_were_read() {
    let (files, _) = files();
    let store = store(&files);
    let again: Files = store
        .files()
        .map(|(path, _, bytes)| (path, bytes.to_vec()))
        .collect();
    assert!(again == files);
}

#[test]
fn a_volume_of_blocks_is_found_on_the_whole_disk() {
    let mut policy = storage();
    policy.volumes[0].place = Place::Blocks {
        first: 2048,
        last: 4095,
    };
    let random = &mut Counting::new(3);
    let recovery = RecoveryKey::generate(random).unwrap();
    let openers = Openers {
        passphrase: b"passphrase",
        recovery: &recovery,
        costs: CHEAP,
    };
    let volumes = create(&policy, &openers, random).unwrap().volumes;
    let segment = volumes[0].header.segment();
    assert_eq!((segment.offset, segment.size), (1 << 20, Extent::Fixed(1 << 20)));
}
