//! Headers of cryptsetup's before us.

use super::{Bench, CHEAP, System, done};
use sekisho_crypto::xts::SectorSize;
use sekisho_keys::luks2::{Condition, Extent, Header, ReadError, UnlockError};

/// Arguments that make each key derivation cheap.
const DERIVATIONS: [&[&str]; 5] = [
    &[
        "--pbkdf",
        "argon2id",
        "--pbkdf-memory",
        "32",
        "--pbkdf-force-iterations",
        "4",
    ],
    &[
        "--pbkdf",
        "argon2i",
        "--pbkdf-memory",
        "64",
        "--pbkdf-force-iterations",
        "5",
        "--pbkdf-parallel",
        "2",
    ],
    &[
        "--pbkdf",
        "pbkdf2",
        "--pbkdf-force-iterations",
        "1000",
        "--hash",
        "sha256",
    ],
    &[
        "--pbkdf",
        "pbkdf2",
        "--pbkdf-force-iterations",
        "1001",
        "--hash",
        "sha512",
    ],
    &[
        "--pbkdf",
        "pbkdf2",
        "--pbkdf-force-iterations",
        "1002",
        "--hash",
        "sha1",
    ],
];

fn format(bench: &Bench, arguments: &[&str]) {
    let passphrase = bench.write("passphrase", b"theirs");
    let (header, device) = (bench.path("header"), bench.path("device"));
    let fixed = [
        "luksFormat",
        "--type",
        "luks2",
        "--key-file",
        &passphrase,
        "--header",
        &header,
    ];
    done(&[fixed.as_slice(), arguments, &[&device]].concat());
}

#[test]
fn every_key_derivation_key_size_and_sector_size_opens_to_the_same_key() {
    for (number, derivation) in DERIVATIONS.into_iter().enumerate() {
        for (key_bits, key_size) in [("256", 32), ("512", 64)] {
            for (sector, sector_size) in [("512", SectorSize::B512), ("4096", SectorSize::B4096)] {
                let bench = Bench::new(&format!("theirs-{number}-{key_bits}-{sector}"));
                let shape = [
                    "--cipher",
                    "aes-xts-plain64",
                    "--key-size",
                    key_bits,
                    "--sector-size",
                    sector,
                ];
                format(&bench, &[shape.as_slice(), derivation].concat());
                let header = Header::read(&bench.header()).unwrap();
                assert_eq!(header.condition(), Condition::Whole);
                assert_eq!(header.segment().key_size, key_size);
                assert_eq!(header.segment().sector_size, sector_size);
                let unlocked = header.unlock(b"theirs").unwrap();
                assert!(unlocked.key == bench.volume_key(b"theirs"));
                assert_eq!(header.unlock(b"other").err(), Some(UnlockError::WrongPassphrase));
            }
        }
    }
}

#[test]
fn every_metadata_size_is_read() {
    for size in ["16k", "32k", "64k", "128k", "256k", "512k", "1m", "2m", "4m"] {
        let bench = Bench::new(&format!("metadata-{size}"));
        let areas = ["--luks2-metadata-size", size, "--luks2-keyslots-size", "1m"];
        format(&bench, &[areas.as_slice(), DERIVATIONS[0]].concat());
        let header = Header::read(&bench.header()).unwrap();
        assert!(header.unlock(b"theirs").is_ok(), "{size}");
        // And where the first copy is gone, the second is found at each of these offsets.
        let mut damaged = bench.header();
        damaged[..4096].fill(0);
        assert_eq!(
            Header::read(&damaged).unwrap().condition(),
            Condition::PrimaryDamaged
        );
    }
}

#[test]
fn keyslots_that_we_add_to_a_foreign_header_open_for_both() {
    let bench = Bench::new("added");
    format(&bench, DERIVATIONS[1]);
    let mut header = Header::read(&bench.header()).unwrap();
    let key = header.unlock(b"theirs").unwrap().key;
    for slot in 1..8 {
        let passphrase = format!("ours {slot}");
        assert_eq!(
            header.add(&key, passphrase.as_bytes(), CHEAP, &mut System),
            Ok(slot)
        );
    }
    bench.write("header", header.file());
    for passphrase in [b"theirs".as_slice(), b"ours 1", b"ours 7"] {
        assert!(bench.volume_key(passphrase) == key);
    }
}

#[test]
fn a_keyslot_that_cryptsetup_ignores_we_ignore() {
    let bench = Bench::new("priority");
    format(&bench, DERIVATIONS[0]);
    done(&[
        "config",
        "--priority",
        "ignore",
        "--key-slot",
        "0",
        &bench.path("header"),
    ]);
    assert!(!bench.opens(b"theirs"));
    let header = Header::read(&bench.header()).unwrap();
    assert_eq!(header.unlock(b"theirs").err(), Some(UnlockError::WrongPassphrase));
    done(&[
        "config",
        "--priority",
        "prefer",
        "--key-slot",
        "0",
        &bench.path("header"),
    ]);
    assert!(Header::read(&bench.header()).unwrap().unlock(b"theirs").is_ok());
}

#[test]
fn offset_label_and_tokens_are_read_and_kept() {
    let bench = Bench::new("tokens");
    format(
        &bench,
        &[&["--offset", "2048", "--label", "theirs"], DERIVATIONS[0]].concat(),
    );
    let token = bench.write(
        "token",
        br#"{"type":"other","keyslots":["0"],"value":[1,{"a":null}]}"#,
    );
    let header = bench.path("header");
    done(&["token", "import", "--json-file", &token, &header]);
    let mut read = Header::read(&bench.header()).unwrap();
    assert_eq!(
        (read.segment().offset, read.segment().size),
        (1 << 20, Extent::Dynamic)
    );
    let key = read.unlock(b"theirs").unwrap().key;
    read.add(&key, b"ours", CHEAP, &mut System).unwrap();
    bench.write("header", read.file());
    assert!(bench.opens(b"ours"));
    let kept = done(&["token", "export", "--token-id", "0", &header]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&kept).unwrap()["value"][1],
        serde_json::json!({ "a": null })
    );
}

#[test]
fn what_is_not_aes_xts_in_our_sectors_is_refused() {
    let refused: [&[&str]; 3] = [
        &["--cipher", "aes-xts-plain"],
        &["--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"],
        &["--sector-size", "1024"],
    ];
    for (number, arguments) in refused.into_iter().enumerate() {
        let bench = Bench::new(&format!("refused-{number}"));
        format(&bench, &[arguments, DERIVATIONS[0]].concat());
        let error = Header::read(&bench.header()).err().unwrap();
        assert!(
            matches!(error, ReadError::Unknown { .. } | ReadError::Fault(_)),
            "{arguments:?}: {error}"
        );
    }
}

#[test]
fn a_luks1_header_is_named() {
    let bench = Bench::new("luks1");
    let passphrase = bench.write("passphrase", b"theirs");
    let (header, device) = (bench.path("header"), bench.path("device"));
    let cheap = ["--pbkdf-force-iterations", "1000"];
    let fixed = [
        "luksFormat",
        "--type",
        "luks1",
        "--key-file",
        &passphrase,
        "--header",
        &header,
    ];
    done(&[fixed.as_slice(), &cheap, &[&device]].concat());
    let error = Header::read(&bench.header()).err();
    assert_eq!(error, Some(ReadError::Version { found: 1 }));
}

#[test]
fn a_reencryption_that_is_under_way_is_refused() {
    let bench = Bench::new("reencrypt");
    format(&bench, DERIVATIONS[0]);
    let passphrase = bench.write("passphrase", b"theirs");
    let (header, device) = (bench.path("header"), bench.path("device"));
    let begun = [
        "reencrypt",
        "--init-only",
        "--force-offline-reencrypt",
        "--key-file",
        &passphrase,
    ];
    done(&[begun.as_slice(), &["--header", &header, &device]].concat());
    assert!(Header::read(&bench.header()).is_err());
}
