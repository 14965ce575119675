//! The appliance's disk of a policy with volumes: the key store is on it, told by anyone, and judged against the policy.

#![cfg(test)]

use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::selection::Selection;
use sekisho_abi::storage::{APPLIANCE_FOLDER, Place, SECRETS_FILE, Storage, Volume};
use sekisho_crypto::argon2::Costs;
use sekisho_image::disk::{self, File};
use sekisho_image::inspect::{APPLICATION, Error, FALLBACK, LABEL, NotThere, inspect};
use sekisho_image::{appliance, seal};
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::store::{Openers, Store, StoreError, create};
use sekisho_keys::{NoRandomness, Random};
use std::collections::BTreeMap;

const HEADER: &str = "volumes/a-volume-with-a-long-name.luks2";

/// Bytes that differ, and are the same in every run.
struct Counter(u64);

impl Random for Counter {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_le_bytes()[7];
        }
        Ok(())
    }
}

fn policy(key_bits: u16) -> CompiledPolicy {
    CompiledPolicy {
        format: FORMAT,
        name: "claims".to_owned(),
        source_hash: [0x5a; 32],
        selection: Selection { entries: Vec::new() },
        origins: sekisho_abi::origin::Origins::default(),
        boot_next: None,
        guest_status: true,
        serial: Serial::Com1,
        network: sekisho_abi::network::Network::default(),
        storage: Storage {
            volumes: vec![Volume {
                name: "a-volume-with-a-long-name".to_owned(),
                disk: None,
                place: Place::Partition(3),
                key_bits,
                sector_size: 512,
                discard: false,
            }],
            ..Storage::default()
        },
    }
}

/// The files of a store of `policy`.
fn files(policy: &CompiledPolicy) -> BTreeMap<String, Vec<u8>> {
    let random = &mut Counter(1);
    let openers = Openers {
        passphrase: b"passphrase",
        recovery: &RecoveryKey::generate(random).unwrap(),
        costs: Costs {
            memory: 32,
            passes: 4,
            lanes: 1,
        },
    };
    let store = create(&policy.storage, &openers, random).unwrap();
    store.files(random).unwrap().into_iter().collect()
}

/// A disk with an application of `policy` and `files`, whether they fit or not.
fn disk_with(policy: &CompiledPolicy, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let application = seal::application(policy).unwrap();
    let paths: Vec<String> = files
        .keys()
        .map(|path| format!("{APPLIANCE_FOLDER}/{path}"))
        .collect();
    let programs = [APPLICATION, FALLBACK].map(|path| File {
        path: &path[1..],
        bytes: &application,
    });
    let keys = paths
        .iter()
        .zip(files.values())
        .map(|(path, bytes)| File { path, bytes });
    let all: Vec<_> = programs.into_iter().chain(keys).collect();
    disk::build(LABEL, &all).unwrap()
}

fn refusal(policy: &CompiledPolicy, files: &BTreeMap<String, Vec<u8>>) -> StoreError<NotThere> {
    match inspect(&disk_with(policy, files)) {
        Err(Error::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_key_store_is_on_the_disk_and_told_without_its_secrets() {
    let policy = policy(512);
    let files = files(&policy);
    let store = Store::read(&policy.storage, |path| files.get(path).cloned().ok_or(()));
    let Ok(store) = store else {
        panic!("the store does not fit");
    };
    let image = appliance::disk(&seal::application(&policy).unwrap(), Some(&store)).unwrap();
    let report = inspect(&image).unwrap();
    assert_eq!(report.keys[0].file, SECRETS_FILE);
    let volume = &report.keys[1];
    assert_eq!(volume.file, HEADER);
    assert_eq!(volume.uuid, store.volumes[0].header.uuid());
    assert_eq!(volume.key_id, store.volumes[0].header.key_id().to_string());
    let slots: Vec<u32> = volume.slots.iter().map(|(slot, _)| *slot).collect();
    assert_eq!(slots, [0, 1]);
    let told = report.to_string();
    for part in [
        &format!("header       {HEADER}: both copies of the header are whole\n"),
        &format!("  key        {}\n", volume.key_id),
        "  slot 1     argon2id, 32 KiB, 4 passes\n",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
}

#[test]
fn a_disk_without_a_file_of_the_store_is_refused_by_its_name() {
    let policy = policy(512);
    for path in [SECRETS_FILE, HEADER] {
        let mut files = files(&policy);
        files.remove(path);
        let refusal = refusal(&policy, &files);
        assert_eq!(
            refusal.to_string(),
            format!("{path} cannot be read: it is not on the image")
        );
    }
}

#[test]
fn a_disk_with_the_store_of_another_policy_is_refused() {
    let refusal = refusal(&policy(256), &files(&policy(512)));
    assert_eq!(
        refusal.to_string(),
        "the header of volume a-volume-with-a-long-name has key-size 512, the policy says 256"
    );
}
