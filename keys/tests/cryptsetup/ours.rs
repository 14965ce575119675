//! Headers of ours before cryptsetup.

use super::{Bench, CHEAP, System, cryptsetup, done, ours, segment};
use sekisho_crypto::secret::SecretBytes;
use sekisho_crypto::xts::SectorSize;
use sekisho_keys::luks2::{
    CONVERSION, ChangeError, Conversion, Extent, Fault, Header, New, Segment, UnlockError,
};
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::secrets;

const SHAPES: [(usize, SectorSize); 4] = [
    (32, SectorSize::B512),
    (32, SectorSize::B4096),
    (64, SectorSize::B512),
    (64, SectorSize::B4096),
];

#[test]
fn every_shape_of_header_opens_with_passphrase_and_recovery_key_to_our_key() {
    for (key_size, sector_size) in SHAPES {
        let bench = Bench::new(&format!("shape-{key_size}-{}", sector_size.bytes()));
        let (mut header, key) = ours(&bench, segment(key_size, sector_size));
        let recovery = RecoveryKey::generate(&mut System).unwrap();
        assert_eq!(header.add(&key, recovery.text(), CHEAP, &mut System), Ok(1));
        bench.write("header", header.file());
        for passphrase in [b"first".as_slice(), recovery.text()] {
            assert!(bench.opens(passphrase));
            assert!(bench.volume_key(passphrase) == key);
        }
        assert!(!bench.opens(b"second"));
        let told = done(&["luksDump", &bench.path("header")]);
        for line in [
            format!("UUID:          \t{}", header.uuid()),
            format!("sector: {} [bytes]", sector_size.bytes()),
            format!("Key:        {} bits", key_size * 8),
            "Label:         \tsystem".to_owned(),
            "length: (whole device)".to_owned(),
        ] {
            assert!(told.contains(&line), "{line}: {told}");
        }
    }
}

#[test]
fn a_volume_of_blocks_carries_its_offset_and_size() {
    // From the least offset that leaves room for two keyslots; at 1 MiB there are three, past it four.
    for (offset, slots) in [(548_864, 2), (1 << 20, 3), (1_081_344, 4), (1 << 30, 4)] {
        let bench = Bench::new(&format!("blocks-{offset}"));
        let blocks = Segment {
            offset,
            size: Extent::Fixed(2 << 20),
            ..segment(64, SectorSize::B4096)
        };
        let (mut header, key) = ours(&bench, blocks);
        assert!(bench.volume_key(b"first") == key);
        let told = done(&["luksDump", &bench.path("header")]);
        assert!(told.contains(&format!("offset: {offset} [bytes]")), "{told}");
        assert!(told.contains("length: 2097152 [bytes]"), "{told}");
        while header.add(&key, b"more", CHEAP, &mut System).is_ok() {}
        assert_eq!(header.slots().count(), slots);
    }
}

#[test]
fn a_volume_within_the_space_of_a_header_is_refused() {
    for offset in [512, 34 * 512, 548_864 - 512] {
        let segment = Segment {
            offset,
            ..segment(64, SectorSize::B512)
        };
        let new = New {
            label: "early",
            segment,
        };
        let error = Header::create(&new, b"first", CHEAP, &mut System).err();
        assert_eq!(error, Some(ChangeError::Fault(Fault::Offset)), "{offset}");
    }
}

#[test]
fn four_keyslots_fit_and_each_opens() {
    let bench = Bench::new("four");
    let (mut header, key) = ours(&bench, segment(64, SectorSize::B512));
    for (slot, passphrase) in (1..).zip(["second", "third", "fourth"]) {
        assert_eq!(
            header.add(&key, passphrase.as_bytes(), CHEAP, &mut System),
            Ok(slot)
        );
    }
    assert!(header.add(&key, b"fifth", CHEAP, &mut System).is_err());
    bench.write("header", header.file());
    for passphrase in ["first", "second", "third", "fourth"] {
        assert!(bench.volume_key(passphrase.as_bytes()) == key, "{passphrase}");
    }
}

#[test]
fn a_passphrase_that_was_changed_or_removed_opens_nothing_more() {
    let bench = Bench::new("changed");
    let (mut header, key) = ours(&bench, segment(64, SectorSize::B512));
    header.add(&key, b"second", CHEAP, &mut System).unwrap();
    header.replace(0, &key, b"new", CHEAP, &mut System).unwrap();
    bench.write("header", header.file());
    assert!(bench.opens(b"new") && bench.opens(b"second") && !bench.opens(b"first"));
    header.remove(1, &mut System).unwrap();
    bench.write("header", header.file());
    assert!(bench.opens(b"new") && !bench.opens(b"second"));
    assert!(bench.volume_key(b"new") == key);
}

/// Opening needs a kernel with dm-crypt; what a file allows is judged here.
#[test]
fn cryptsetup_leaves_a_half_done_volume_alone_until_it_is_done() {
    let bench = Bench::new("half-done");
    let (mut header, _) = ours(&bench, segment(64, SectorSize::B512));
    let (file, passphrase) = (bench.path("header"), bench.write("first", b"first"));
    let change = ["luksAddKey", "--key-file", &passphrase, &file, &passphrase];
    let cheap = [
        "--pbkdf",
        "argon2id",
        "--pbkdf-memory",
        "32",
        "--pbkdf-force-iterations",
        "4",
    ];
    let change = [change.as_slice(), &cheap].concat();

    header.set_conversion(Conversion::UnderWay, &mut System).unwrap();
    assert_eq!(header.unlock(b"first").err(), Some(UnlockError::Converting));
    bench.write("header", header.file());
    let refused = cryptsetup(&change);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && told.contains("Unmet LUKS2 requirements"),
        "{told}"
    );
    let told = done(&["luksDump", &file]);
    assert!(told.contains(&format!("Requirements:\t{CONVERSION}")), "{told}");

    header.set_conversion(Conversion::None, &mut System).unwrap();
    bench.write("header", header.file());
    assert!(header.unlock(b"first").is_ok());
    done(&change);
}

#[test]
fn what_cryptsetup_changes_in_our_header_we_read() {
    let bench = Bench::new("changed-by-cryptsetup");
    let (_, key) = ours(&bench, segment(64, SectorSize::B512));
    let (first, added) = (bench.write("first", b"first"), bench.write("added", b"added"));
    let header = bench.path("header");
    let cheap = [
        "--pbkdf",
        "argon2id",
        "--pbkdf-memory",
        "32",
        "--pbkdf-force-iterations",
        "4",
    ];
    done(
        &[
            &["luksAddKey", "--key-file", &first, &header, &added],
            cheap.as_slice(),
        ]
        .concat(),
    );
    done(&["luksKillSlot", "--key-file", &added, &header, "0"]);
    done(&["config", "--label", "renamed", &header]);
    let read = Header::read(&bench.header()).unwrap();
    assert!(read.unlock(b"first").is_err());
    assert!(read.unlock(b"added").unwrap().key == key);
}

#[test]
fn a_sealed_store_is_a_header_for_cryptsetup_too_and_survives_its_changes() {
    let bench = Bench::new("sealed");
    let mut store = secrets::create(b"first", CHEAP, &mut System).unwrap();
    store.secrets.least_revision = 7;
    let file = bench.write("header", &store.seal(&mut System).unwrap());
    assert!(bench.volume_key(b"first") == store.key);
    let (first, changed) = (bench.write("first", b"first"), bench.write("changed", b"changed"));
    let cheap = [
        "--pbkdf",
        "argon2id",
        "--pbkdf-memory",
        "32",
        "--pbkdf-force-iterations",
        "4",
    ];
    done(
        &[
            &["luksChangeKey", "--key-file", &first, &file, &changed],
            cheap.as_slice(),
        ]
        .concat(),
    );
    let opened = secrets::unlock(&bench.header(), b"changed").unwrap();
    assert_eq!(opened.secrets.least_revision, 7);
    assert!(secrets::unlock(&bench.header(), b"first").is_err());
    let _: SecretBytes = opened.key;
}
