//! A store opens to what was sealed, with the right passphrase and untouched, and not otherwise.

use super::*;
use crate::luks2::UnlockError;
use crate::tests::Counting;
use alloc::string::ToString;
use sekisho_abi::storage::{DiskId, PinKind};
use sekisho_crypto::argon2::Costs;

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};
/// Bytes of our headers.
const HEADER: usize = (1 << 20) + (32 << 10);

fn secrets() -> Secrets {
    let pin = Pin {
        name: "system".to_string(),
        kind: PinKind::Volume,
        disk: DiskId::Serial("QM00001".to_string()),
        block_size: 512,
        blocks: 1 << 21,
        first: 2048,
        last: 4095,
    };
    Secrets {
        volumes: alloc::vec![VolumeSecret {
            name: "system".to_string(),
            uuid: "1765bc25-736a-4f2d-bf78-77d4d3d2d889".to_string(),
            key: SecretBytes::from_slice(&[3; 64]),
        }],
        wireguard: alloc::vec![WireGuardKey {
            name: "hq".to_string(),
            kind: WireGuardKind::Private,
            key: Secret::new([7; 32]),
        }],
        pins: alloc::vec![pin],
        least_revision: 9,
    }
}

fn store() -> (Opened, Vec<u8>) {
    let mut store = create(b"first", CHEAP, &mut Counting::new(1)).unwrap();
    store.secrets = secrets();
    let file = store.seal(&mut Counting::new(2)).unwrap();
    (store, file)
}

fn same(one: &Secrets, other: &Secrets) -> bool {
    one.to_bytes() == other.to_bytes()
}

#[test]
fn secrets_survive_the_handover() {
    let read = Secrets::from_bytes(secrets().to_bytes().expose()).unwrap();
    assert!(same(&read, &secrets()));
    assert_eq!(read.volume("system").unwrap().key.expose(), [3; 64]);
    assert_eq!(read.pins, secrets().pins);
}

#[test]
fn cut_off_or_longer_bytes_are_no_secrets() {
    let bytes = secrets().to_bytes();
    for length in 0..bytes.length() {
        assert!(
            Secrets::from_bytes(&bytes.expose()[..length]).is_err(),
            "{length} bytes"
        );
    }
    let longer = [bytes.expose(), &[0]].concat();
    assert_eq!(Secrets::from_bytes(&longer).err(), Some(DecodeError::Malformed));
    assert_eq!(
        Secrets::from_bytes(&[2, 0, 0]).err(),
        Some(DecodeError::Version { found: 2 })
    );
}

#[test]
fn a_store_opens_with_each_of_its_passphrases_to_what_was_sealed() {
    let (mut store, _) = store();
    let random = &mut Counting::new(3);
    store.header.add(&store.key, b"second", CHEAP, random).unwrap();
    let file = store.seal(random).unwrap();
    assert_eq!(file.len() % 4096, 0);
    for passphrase in [b"first".as_slice(), b"second"] {
        assert!(same(&unlock(&file, passphrase).unwrap().secrets, &secrets()));
    }
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let (_, file) = store();
    let error = unlock(&file, b"First").err();
    assert_eq!(error, Some(OpenError::Unlock(UnlockError::WrongPassphrase)));
}

#[test]
fn no_secret_lies_in_the_file() {
    let (_, file) = store();
    for secret in [[3_u8; 16], [7; 16]] {
        assert!(!file.windows(16).any(|bytes| bytes == secret));
    }
    assert!(!file.windows(7).any(|bytes| bytes == b"QM00001"));
}

#[test]
fn every_changed_byte_behind_the_header_is_noticed() {
    let (_, file) = store();
    let sealed = secrets().to_bytes().length() + 46 + 16;
    for at in HEADER..HEADER + sealed {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        assert!(unlock(&damaged, b"first").is_err(), "byte {at}");
    }
}

#[test]
fn a_file_cut_off_anywhere_behind_the_header_is_refused() {
    let (_, file) = store();
    for length in [HEADER, HEADER + 7, HEADER + 45, HEADER + 46, HEADER + 100] {
        assert_eq!(
            unlock(&file[..length], b"first").err(),
            Some(OpenError::NotSealed)
        );
    }
}

#[test]
fn secrets_of_another_store_are_refused_under_the_same_key() {
    let (one, _) = store();
    let mut other = create(b"first", CHEAP, &mut Counting::new(9)).unwrap();
    other.secrets = secrets();
    other.key = SecretBytes::from_slice(one.key.expose());
    let other = other.seal(&mut Counting::new(4)).unwrap();
    let mixed = [one.header.file(), &other[HEADER..]].concat();
    assert_eq!(unlock(&mixed, b"first").err(), Some(OpenError::Forged));
}

#[test]
fn sealing_again_uses_another_key() {
    let (store, file) = store();
    let again = store.seal(&mut Counting::new(5)).unwrap();
    assert!(file[HEADER + 46..HEADER + 78] != again[HEADER + 46..HEADER + 78]);
}
