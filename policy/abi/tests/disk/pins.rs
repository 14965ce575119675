//! A disk that no longer lies as it is pinned is refused, saying how.

use crate::made::{BLOCKS, DISK, Made, USUAL};
use crate::maps::{storage, volume};
use sekisho_abi::disk::pin::{Error, Measure, agree, pins_of};
use sekisho_abi::disk::resolve::resolve;
use sekisho_abi::disk::{BlockSize, Disk, DiskMap};
use sekisho_abi::storage::{ClearPartition, DiskId, Pin, PinKind, Place, Storage};

fn policy() -> Storage {
    storage(
        vec![volume(Place::Label("root".to_owned()))],
        vec![ClearPartition::Esp],
    )
}

fn mapped(storage: &Storage, disk: &Disk) -> DiskMap {
    resolve(storage, &[0], std::slice::from_ref(disk))
        .unwrap()
        .remove(0)
}

fn pinned(disk: &Disk) -> Vec<Pin> {
    pins_of(&policy(), disk, &mapped(&policy(), disk)).unwrap()
}

fn judged(disk: &Disk, pins: &[Pin]) -> Result<(), Error> {
    agree(&policy(), disk, &mapped(&policy(), disk), pins)
}

fn usual() -> Disk {
    Made::usual().at_port(0, "S1")
}

#[test]
fn volumes_and_clear_partitions_are_pinned_by_the_tables_guid() {
    let pin = |name: &str, kind, first, last| Pin {
        name: name.to_owned(),
        kind,
        disk: DiskId::Guid(DISK.to_bytes_le()),
        block_size: 512,
        blocks: BLOCKS,
        first,
        last,
    };
    let expected = [
        pin("\"esp\"", PinKind::Clear, 100, 199),
        pin("a", PinKind::Volume, 300, 999),
    ];
    assert_eq!(pinned(&usual()), expected);
    assert_eq!(judged(&usual(), &expected), Ok(()));
}

#[test]
fn a_disk_without_a_table_is_pinned_by_its_serial_number_or_not_at_all() {
    let storage = storage(vec![volume(Place::Blocks { first: 1, last: 9 })], Vec::new());
    let disk = Disk { gpt: None, ..usual() };
    let pins = pins_of(&storage, &disk, &mapped(&storage, &disk)).unwrap();
    assert_eq!(pins[0].disk, DiskId::Serial("S1".to_owned()));
    let unknown = Disk { serial: None, ..disk };
    let refused = pins_of(&storage, &unknown, &mapped(&storage, &unknown));
    assert_eq!(refused, Err(Error::NoIdentity { name: "a".to_owned() }));
}

#[test]
fn a_volume_without_a_pin_was_never_encrypted() {
    let clear_only: Vec<Pin> = pinned(&usual())
        .into_iter()
        .filter(|it| it.kind == PinKind::Clear)
        .collect();
    let never = Error::NeverEncrypted {
        volume: "a".to_owned(),
    };
    assert_eq!(judged(&usual(), &clear_only), Err(never.clone()));
    assert_eq!(judged(&usual(), &[]), Err(never));
}

#[test]
fn a_partition_newly_in_clear_is_refused() {
    let volumes: Vec<Pin> = pinned(&usual())
        .into_iter()
        .filter(|it| it.kind == PinKind::Volume)
        .collect();
    let name = "\"esp\"".to_owned();
    assert_eq!(judged(&usual(), &volumes), Err(Error::NotRecorded { name }));
}

/// The usual disk, with partition `index` moved.
fn edited(index: usize, first: u64, last: u64) -> Disk {
    let mut rows = USUAL;
    (rows[index].2, rows[index].3) = (first, last);
    Made::new(BlockSize::B512, &rows).at_port(0, "S1")
}

#[test]
fn a_moved_boundary_is_refused_with_both_numbers() {
    let pins = pinned(&usual());
    for (disk, name, what, was, is) in [
        (edited(2, 308, 999), "a", Measure::First, 300, 308),
        (edited(2, 300, 900), "a", Measure::Last, 999, 900),
        (edited(0, 100, 150), "\"esp\"", Measure::Last, 199, 150),
    ] {
        let moved = Error::Moved {
            name: name.to_owned(),
            what,
            pinned: was,
            found: is,
        };
        assert_eq!(judged(&disk, &pins), Err(moved));
    }
}

#[test]
fn an_esp_beside_the_pinned_one_is_refused() {
    let mut rows = USUAL;
    rows[3].0 = gpt::partition_types::EFI;
    let disk = Made::new(BlockSize::B512, &rows).at_port(0, "S1");
    let refused = judged(&disk, &pinned(&usual()));
    assert!(
        matches!(
            refused,
            Err(Error::Moved {
                what: Measure::First,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn another_disk_or_size_is_refused() {
    let pins = pinned(&usual());
    let mut pins_elsewhere = pins.clone();
    for pin in &mut pins_elsewhere {
        pin.disk = DiskId::Serial("S1".to_owned());
    }
    assert!(matches!(
        judged(&usual(), &pins_elsewhere),
        Err(Error::OtherDisk { .. })
    ));
    let mut pins_smaller = pins;
    for pin in &mut pins_smaller {
        pin.blocks -= 1;
    }
    let refused = judged(&usual(), &pins_smaller);
    assert!(
        matches!(
            refused,
            Err(Error::Moved {
                what: Measure::Blocks,
                ..
            })
        ),
        "{refused:?}"
    );
    let large = Made::new(BlockSize::B4096, &USUAL).at_port(0, "S1");
    let refused = judged(&large, &pinned(&usual()));
    assert!(
        matches!(
            refused,
            Err(Error::Moved {
                what: Measure::BlockSize,
                ..
            })
        ),
        "{refused:?}"
    );
}
