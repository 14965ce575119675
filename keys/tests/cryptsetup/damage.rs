//! Damaged headers: what we use, cryptsetup uses, and what either repairs the other finds whole.

use super::{Bench, System, done, ours, segment};
use sekisho_crypto::xts::SectorSize;
use sekisho_keys::luks2::{CONVERSION, Condition, Conversion, Header, ReadError};

/// Bytes of one copy.
const COPY: usize = 16 << 10;

/// Places in a copy whose damage must be noticed: magic, version, sizes, label, salt, UUID, checksum, padding, metadata,
/// and the zeros behind it.
const PLACES: [usize; 14] = [
    0,
    7,
    15,
    23,
    24,
    72,
    104,
    168,
    256,
    448,
    511,
    4095,
    4200,
    COPY - 1,
];

#[test]
fn a_damaged_first_copy_is_repaired_so_that_cryptsetup_finds_nothing_to_do() {
    for place in PLACES {
        let bench = Bench::new(&format!("primary-{place}"));
        let (header, key) = ours(&bench, segment(64, SectorSize::B512));
        let mut damaged = header.file().to_vec();
        damaged[place] ^= 0x10;
        let mut read = Header::read(&damaged).unwrap();
        assert_eq!(read.condition(), Condition::PrimaryDamaged, "byte {place}");
        assert!(read.unlock(b"first").unwrap().key == key);
        read.repair(&mut System).unwrap();
        assert_eq!(Header::read(read.file()).unwrap().condition(), Condition::Whole);
        let repaired = read.file().to_vec();
        bench.write("header", &repaired);
        assert!(bench.opens(b"first"));
        assert!(bench.header() == repaired, "cryptsetup found something to repair");
    }
}

#[test]
fn a_damaged_second_copy_is_noticed() {
    for place in PLACES {
        let bench = Bench::new(&format!("secondary-{place}"));
        let (header, key) = ours(&bench, segment(64, SectorSize::B512));
        let mut damaged = header.file().to_vec();
        damaged[COPY + place] ^= 0x10;
        let read = Header::read(&damaged).unwrap();
        assert_eq!(read.condition(), Condition::SecondaryDamaged, "byte {place}");
        assert!(read.unlock(b"first").unwrap().key == key);
    }
}

#[test]
fn what_cryptsetup_repairs_we_find_whole() {
    for (name, offset, found) in [
        ("first", 0, Condition::PrimaryDamaged),
        ("second", COPY, Condition::SecondaryDamaged),
    ] {
        let bench = Bench::new(&format!("repaired-{name}"));
        let (header, key) = ours(&bench, segment(64, SectorSize::B512));
        let mut damaged = header.file().to_vec();
        damaged[offset..offset + 4096].fill(0);
        assert_eq!(Header::read(&damaged).unwrap().condition(), found);
        bench.write("header", &damaged);
        assert!(bench.opens(b"first"));
        let repaired = Header::read(&bench.header()).unwrap();
        assert_eq!(repaired.condition(), Condition::Whole);
        assert!(repaired.unlock(b"first").unwrap().key == key);
    }
}

#[test]
fn with_both_copies_damaged_neither_opens_anything() {
    let bench = Bench::new("both");
    let (header, _) = ours(&bench, segment(64, SectorSize::B512));
    let mut damaged = header.file().to_vec();
    for place in [300, COPY + 5000] {
        damaged[place] ^= 1;
    }
    assert_eq!(Header::read(&damaged).err(), Some(ReadError::Damaged));
    bench.write("header", &damaged);
    assert!(!bench.opens(b"first"));
}

#[test]
fn of_two_whole_copies_the_newer_is_used_by_both() {
    let bench = Bench::new("older");
    let (mut header, _) = ours(&bench, segment(64, SectorSize::B512));
    let older = header.file().to_vec();
    header.set_conversion(Conversion::UnderWay, &mut System).unwrap();
    let newer = header.file().to_vec();
    // A write that was cut short after the first copy, and one whose first copy came back from an old backup.
    let after_first = [&newer[..COPY], &older[COPY..]].concat();
    let old_first = [&older[..COPY], &newer[COPY..]].concat();
    for file in [after_first, old_first] {
        let read = Header::read(&file).unwrap();
        assert_eq!(read.condition(), Condition::OneIsOlder);
        assert_eq!(read.conversion(), Conversion::UnderWay);
        bench.write("header", &file);
        let told = done(&["luksDump", &bench.path("header")]);
        assert!(
            told.contains(CONVERSION),
            "cryptsetup used the older copy: {told}"
        );
    }
}

#[test]
fn a_damaged_keyslot_opens_nothing_and_leaves_the_others() {
    let bench = Bench::new("keyslot");
    let (mut header, key) = ours(&bench, segment(64, SectorSize::B512));
    header.add(&key, b"second", super::CHEAP, &mut System).unwrap();
    let mut damaged = header.file().to_vec();
    damaged[2 * COPY + 100_000] ^= 1;
    let read = Header::read(&damaged).unwrap();
    assert!(read.unlock(b"first").is_err());
    assert!(read.unlock(b"second").unwrap().key == key);
    bench.write("header", &damaged);
    assert!(!bench.opens(b"first") && bench.opens(b"second"));
    done(&["luksDump", &bench.path("header")]);
}
