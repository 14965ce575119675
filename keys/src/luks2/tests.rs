//! Headers against themselves, damaged in every way and with metadata that does not fit; `cryptsetup` judges whole ones in
//! `keys/tests`.

use super::*;
use crate::tests::Counting;
use proptest::prelude::*;
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::xts::SectorSize;
use serde_json::{Value, json};
use std::sync::LazyLock;

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};
/// Bytes of one copy of ours.
const COPY: usize = 16 << 10;

fn new() -> (Header, SecretBytes) {
    let segment = Segment {
        offset: 0,
        size: Extent::Dynamic,
        sector_size: SectorSize::B512,
        key_size: 64,
    };
    let new = New {
        label: "system",
        segment,
    };
    let random = &mut Counting::new(1);
    let (mut header, key) = Header::create(&new, b"first", CHEAP, random).unwrap();
    header.add(&key, b"second", CHEAP, random).unwrap();
    (header, key)
}

/// The bytes of one header, made once.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| new().0.file().to_vec());

/// The header with its metadata changed, and checksums that agree.
fn with_metadata(change: impl FnOnce(&mut Value)) -> Result<Header, ReadError> {
    let whole = binary::read(&FILE, Place::Primary).map_err(|_| ReadError::Damaged)?;
    let mut metadata: Value = serde_json::from_slice(whole.json).unwrap();
    change(&mut metadata);
    with_json(&serde_json::to_vec(&metadata).unwrap())
}

fn with_json(json: &[u8]) -> Result<Header, ReadError> {
    let Ok(whole) = binary::read(&FILE, Place::Primary) else {
        return Err(ReadError::Damaged);
    };
    let mut file = FILE.clone();
    for (place, offset) in [(Place::Primary, 0), (Place::Secondary(COPY), COPY)] {
        let copy = whole.binary.write(place, &[0; 64], json).unwrap();
        file[offset..offset + COPY].copy_from_slice(&copy);
    }
    Header::read(&file)
}

fn fault(change: impl FnOnce(&mut Value)) -> Option<Fault> {
    match with_metadata(change).err()? {
        ReadError::Fault(fault) => Some(fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_header_is_read_back_and_opens_with_its_passphrases_alone() {
    let (header, key) = new();
    let read = Header::read(header.file()).unwrap();
    assert_eq!(read.condition(), Condition::Whole);
    for (passphrase, slot) in [(b"first".as_slice(), 0), (b"second", 1)] {
        let unlocked = read.unlock(passphrase).unwrap();
        assert!(unlocked.key == key && unlocked.slot == slot);
    }
    assert_eq!(read.unlock(b"third").err(), Some(UnlockError::WrongPassphrase));
    assert_eq!(
        (read.uuid(), read.key_id(), read.segment()),
        (header.uuid(), header.key_id(), header.segment())
    );
}

#[test]
fn sizes_and_places_that_do_not_fit_are_named() {
    let cases: [(&str, Value, Fault); 16] = [
        ("/config/json_size", json!("12289"), Fault::Sizes),
        ("/config/keyslots_size", json!("1048577"), Fault::Sizes),
        ("/config/keyslots_size", json!("1052672"), Fault::Sizes),
        (
            "/config/keyslots_size",
            json!("18446744073709547520"),
            Fault::Sizes,
        ),
        ("/keyslots/0/area/offset", json!("0"), Fault::Area { slot: 0 }),
        ("/keyslots/0/area/offset", json!("33280"), Fault::Area { slot: 0 }),
        (
            "/keyslots/0/area/offset",
            json!("290816"),
            Fault::Area { slot: 1 },
        ),
        (
            "/keyslots/1/area/offset",
            json!("286720"),
            Fault::Area { slot: 1 },
        ),
        (
            "/keyslots/1/area/offset",
            json!("18446744073709547520"),
            Fault::Area { slot: 1 },
        ),
        (
            "/keyslots/1/area/offset",
            json!("1077248"),
            Fault::Area { slot: 1 },
        ),
        ("/keyslots/1/area/size", json!("255999"), Fault::Area { slot: 1 }),
        ("/keyslots/1/area/key_size", json!(48), Fault::Area { slot: 1 }),
        ("/segments/0/offset", json!("100"), Fault::Segment),
        ("/segments/0/offset", json!("512"), Fault::Offset),
        ("/segments/0/size", json!("513"), Fault::Segment),
        ("/segments/0/iv_tweak", json!("8"), Fault::Segment),
    ];
    for (place, value, expected) in cases {
        let found = fault(|metadata| *metadata.pointer_mut(place).unwrap() = value.clone());
        assert_eq!(found, Some(expected), "{place} {value}");
    }
}

#[test]
fn costs_without_bounds_are_refused_before_they_are_paid() {
    let first = Fault::Costs { slot: 0 };
    let cases: [(&str, Value, Fault); 12] = [
        ("/keyslots/0/kdf/memory", json!(1_048_577), first),
        ("/keyslots/0/kdf/memory", json!(31), first),
        ("/keyslots/0/kdf/time", json!(0), first),
        ("/keyslots/0/kdf/time", json!(4_294_967_295_u32), first),
        ("/keyslots/0/kdf/cpus", json!(0), first),
        ("/keyslots/0/kdf/cpus", json!(5), first),
        ("/keyslots/0/kdf/salt", json!("c2hvcnQ="), first),
        ("/keyslots/0/af/stripes", json!(4001), first),
        ("/digests/0/iterations", json!(4_294_967_295_u32), Fault::Digest),
        ("/digests/0/iterations", json!(0), Fault::Digest),
        ("/digests/0/digest", json!(""), Fault::Digest),
        ("/digests/0/salt", json!(""), Fault::Digest),
    ];
    for (place, value, expected) in cases {
        let found = fault(|metadata| *metadata.pointer_mut(place).unwrap() = value.clone());
        assert_eq!(found, Some(expected), "{place} {value}");
    }
}

#[test]
fn what_is_not_one_volume_with_its_keyslots_is_refused() {
    let cases: [(&str, Value, Fault); 8] = [
        ("/keyslots", json!({}), Fault::Structure),
        ("/segments", json!({}), Fault::Structure),
        ("/digests", json!({}), Fault::Structure),
        ("/digests/0/keyslots", json!(["0"]), Fault::Structure),
        ("/digests/0/keyslots", json!(["0", "2"]), Fault::Structure),
        ("/digests/0/segments", json!(["1"]), Fault::Structure),
        ("/keyslots/0/key_size", json!(32), Fault::KeySize),
        ("/segments/0/sector_size", json!(1024), Fault::Segment),
    ];
    for (place, value, expected) in cases {
        let found = fault(|metadata| *metadata.pointer_mut(place).unwrap() = value.clone());
        assert_eq!(found, Some(expected), "{place} {value}");
    }
    let second = fault(|metadata| metadata["segments"]["1"] = metadata["segments"]["0"].clone());
    assert_eq!(second, Some(Fault::Structure));
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    let cases: [(&str, Value); 12] = [
        ("/keyslots/0/type", json!("reencrypt")),
        ("/keyslots/0/priority", json!(3)),
        ("/keyslots/0/kdf/type", json!("scrypt")),
        ("/keyslots/0/kdf/hash", json!("sha256")),
        ("/keyslots/0/af/hash", json!("whirlpool")),
        ("/keyslots/0/area/encryption", json!("serpent-xts-plain64")),
        ("/segments/0/type", json!("linear")),
        ("/segments/0/encryption", json!("aes-xts-plain")),
        ("/segments/0/integrity", json!({ "type": "hmac(sha256)" })),
        ("/segments/0/flags", json!(["backup-final"])),
        ("/digests/0/hash", json!("md5")),
        ("/config/beyond", json!(1)),
    ];
    for (place, value) in cases {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let read = with_metadata(|metadata| metadata.pointer_mut(parent).unwrap()[name] = value.clone());
        assert!(
            matches!(read.err(), Some(ReadError::Unknown { .. })),
            "{place} {value}"
        );
    }
}

#[test]
fn a_requirement_of_others_is_refused_by_name_and_ours_is_told() {
    let requiring = |name: &str| {
        let requirements = json!({ "mandatory": [name] });
        with_metadata(|metadata| metadata["config"]["requirements"] = requirements)
    };
    let theirs = requiring("online-reencrypt-v2").err();
    assert_eq!(theirs, Some(ReadError::Requirement("online-reencrypt-v2".into())));
    let ours = requiring(CONVERSION).unwrap();
    assert_eq!(ours.conversion(), Conversion::UnderWay);
    assert_eq!(ours.unlock(b"first").err(), Some(UnlockError::Converting));
}

#[test]
fn metadata_that_is_no_json_is_refused_even_if_it_is_deep() {
    for text in ["", "{", "null and void", "{}{}", &"[".repeat(12_000)] {
        let error = with_json(text.as_bytes()).err();
        assert!(
            matches!(error, Some(ReadError::Json { .. } | ReadError::Unknown { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for length in [
        0,
        1,
        5,
        6,
        511,
        4095,
        4096,
        COPY,
        2 * COPY,
        2 * COPY + 1,
        FILE.len() - 1,
    ] {
        assert!(Header::read(&FILE[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn the_last_keyslot_stays_and_a_foreign_key_is_not_put_in() {
    let (mut header, key) = new();
    let random = &mut Counting::new(5);
    header.remove(0, random).unwrap();
    assert_eq!(header.remove(1, random), Err(ChangeError::LastSlot));
    assert_eq!(header.remove(0, random), Err(ChangeError::NoSuchSlot { slot: 0 }));
    let foreign = SecretBytes::from_slice(&[9; 64]);
    let refused = header.add(&foreign, b"third", CHEAP, random);
    assert_eq!(refused, Err(ChangeError::WrongKey));
    // The numbers are taken again.
    assert_eq!(header.add(&key, b"third", CHEAP, random), Ok(0));
}

#[test]
fn a_removed_keyslots_material_is_overwritten() {
    let (mut header, _) = new();
    let slot = header.metadata.keyslots[&0].clone();
    let place = area(&slot).unwrap();
    let before = header.file[place.clone()].to_vec();
    header.remove(0, &mut Counting::new(5)).unwrap();
    let after = &header.file[place];
    let kept = before.iter().zip(after).filter(|(before, after)| before == after);
    // One byte in 256 is the same by chance.
    assert!(kept.count() < before.len() / 200);
}

#[test]
fn costs_beyond_what_is_read_are_not_written() {
    let (mut header, key) = new();
    for costs in [
        Costs { memory: 31, ..CHEAP },
        Costs {
            memory: (1 << 20) + 1,
            ..CHEAP
        },
        Costs { passes: 0, ..CHEAP },
        Costs {
            passes: u32::MAX,
            ..CHEAP
        },
    ] {
        let refused = header.add(&key, b"third", costs, &mut Counting::new(5));
        assert_eq!(refused, Err(ChangeError::Costs), "{costs:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever one copy is damaged, the other is used, and the header is what it was.
    #[test]
    fn damage_to_one_copy_changes_nothing_but_the_condition(
        second in any::<bool>(),
        places in prop::collection::vec((0..COPY, 1_u8..=255), 1..8),
    ) {
        let mut file = FILE.clone();
        let offset = if second { COPY } else { 0 };
        for (place, flip) in &places {
            file[offset + place] ^= flip;
        }
        // Two flips of one byte may cancel.
        prop_assume!(file != *FILE);
        let read = Header::read(&file).unwrap();
        let whole = Header::read(&FILE).unwrap();
        let expected = if second { Condition::SecondaryDamaged } else { Condition::PrimaryDamaged };
        prop_assert_eq!(read.condition(), expected);
        prop_assert_eq!(&read.metadata, &whole.metadata);
        let repaired = repaired(&file, &mut Counting::new(2)).unwrap().unwrap();
        prop_assert_eq!(Header::read(&repaired).unwrap().condition(), Condition::Whole);
    }

    /// Metadata with any value in any place is refused or read, and what is read can be written.
    #[test]
    fn metadata_with_anything_anywhere_is_refused_or_written_as_it_is_read(
        target in any::<prop::sample::Index>(),
        value in prop::sample::select(std::vec![
            json!(null), json!(0), json!(-1), json!(1e300), json!(""), json!("0"), json!("18446744073709551615"),
            json!([]), json!(["0"]), json!({}), json!({ "0": {} }), json!(4_294_967_296_u64),
        ]),
    ) {
        let read = with_metadata(|metadata| {
            let places = places(metadata);
            let place = target.get(&places);
            *metadata.pointer_mut(place).unwrap() = value;
        });
        if let Ok(mut header) = read {
            header.repair(&mut Counting::new(3)).unwrap();
            prop_assert_eq!(Header::read(header.file()).unwrap().metadata, header.metadata);
        }
    }
}

/// A pointer to every value of a document, the whole of it included.
fn places(value: &Value) -> Vec<String> {
    let mut found = std::vec![String::new()];
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(members) => (0..)
            .zip(members)
            .map(|(at, it): (u32, _)| (std::format!("{at}"), it))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        found.extend(
            places(child)
                .into_iter()
                .map(|below| std::format!("/{name}{below}")),
        );
    }
    found
}
