//! Where volumes lie, and what is refused.

use crate::made::{BLOCKS, DISK, Made, Row, USUAL, guid};
use gpt::partition_types::{EFI, LINUX_FS};
use sekisho_abi::disk::resolve::{Error, clear_without_partition, resolve};
use sekisho_abi::disk::{BlockRange, BlockSize, Disk, DiskMap, Fate, Region};
use sekisho_abi::storage::{self, Clear, ClearPartition, Place, Storage, Volume};

/// A volume `a` at this place.
pub(crate) fn volume(place: Place) -> Volume {
    Volume {
        name: "a".to_owned(),
        disk: None,
        place,
        key_bits: 512,
        sector_size: 512,
        discard: false,
    }
}

/// These volumes, and these partitions in clear.
pub(crate) fn storage(volumes: Vec<Volume>, clear: Vec<ClearPartition>) -> Storage {
    Storage {
        volumes,
        clear: Clear {
            partitions: clear,
            tables_writable: false,
        },
        ..Storage::default()
    }
}

fn on_partition(number: u32) -> Storage {
    storage(vec![volume(Place::Partition(number))], Vec::new())
}

fn at(first: u64, last: u64, fate: Fate) -> Region {
    Region {
        blocks: BlockRange::new(first, last).unwrap(),
        fate,
    }
}

fn one(storage: &Storage, disk: Disk) -> Result<DiskMap, Error> {
    let indices: Vec<u32> = (0..).zip(&storage.volumes).map(|(index, _)| index).collect();
    let mut maps = resolve(storage, &indices, &[disk])?;
    Ok(maps.remove(0))
}

fn usual() -> Disk {
    Made::usual().at_port(0, "S1")
}

/// The disk without its partition table.
fn bare() -> Disk {
    Disk { gpt: None, ..usual() }
}

fn name() -> String {
    "a".to_owned()
}

#[test]
fn the_map_names_volumes_clear_partitions_tables_and_the_appliance_and_nothing_else() {
    let storage = storage(vec![volume(Place::Partition(3))], vec![ClearPartition::Esp]);
    let map = one(&storage, usual()).unwrap();
    let expected = [
        at(0, 0, Fate::Tables),
        at(1, 1, Fate::Tables),
        at(2, 33, Fate::Tables),
        at(100, 199, Fate::Clear(0)),
        at(200, 299, Fate::Appliance),
        at(300, 999, Fate::Volume(0)),
        at(BLOCKS - 33, BLOCKS - 2, Fate::Tables),
        at(BLOCKS - 1, BLOCKS - 1, Fate::Tables),
    ];
    assert_eq!(map.regions(), expected);
}

#[test]
fn number_label_and_guid_name_the_same_partition() {
    let places = [
        Place::Partition(3),
        Place::Label("root".to_owned()),
        Place::Guid(guid(3).to_bytes_le()),
        Place::Blocks {
            first: 300,
            last: 999,
        },
    ];
    for place in places {
        let map = one(&storage(vec![volume(place)], Vec::new()), usual()).unwrap();
        assert!(map.regions().contains(&at(300, 999, Fate::Volume(0))));
    }
}

#[test]
fn each_way_to_name_a_disk_finds_it() {
    let disks = [usual(), Made::new(BlockSize::B512, &[]).at_port(4, "S2")];
    let other = |disk| {
        let mut a = volume(Place::Blocks { first: 40, last: 50 });
        a.disk = Some(disk);
        resolve(&storage(vec![a], Vec::new()), &[0], &disks)
    };
    for selector in [storage::Disk::Serial("S2".to_owned()), storage::Disk::Port(4)] {
        let maps = other(selector).unwrap();
        assert_eq!(maps[0], DiskMap::closed(disks[0].shape));
        assert!(maps[1].regions().contains(&at(40, 50, Fate::Volume(0))));
    }
    let both = storage::Disk::Guid(DISK.to_bytes_le());
    assert_eq!(other(both), Err(Error::DiskAmbiguous { volume: name() }));
    let neither = storage::Disk::Port(1);
    assert_eq!(other(neither), Err(Error::DiskMissing { volume: name() }));
}

#[test]
fn an_unnamed_disk_is_the_only_one_that_has_the_partition() {
    let empty = Made::new(BlockSize::B512, &[]).at_port(1, "S2");
    let maps = resolve(&on_partition(3), &[0], &[empty, usual()]).unwrap();
    assert!(maps[0].regions().is_empty() && !maps[1].regions().is_empty());
    let twice = resolve(&on_partition(3), &[0], &[usual(), usual()]);
    assert_eq!(twice, Err(Error::DiskAmbiguous { volume: name() }));
    assert_eq!(
        resolve(&on_partition(3), &[0], &[]),
        Err(Error::DiskMissing { volume: name() })
    );
}

#[test]
fn a_serial_number_that_nobody_knows_is_not_held_against_an_image() {
    let mut a = volume(Place::Partition(3));
    a.disk = Some(storage::Disk::Serial("elsewhere".to_owned()));
    let image = Disk {
        serial: None,
        port: None,
        ..usual()
    };
    assert!(one(&storage(vec![a], Vec::new()), image).is_ok());
}

#[test]
fn a_disk_without_a_volume_is_closed_whatever_its_labels() {
    let rows: [Row; 1] = [(EFI, "esp-of-a-stranger", 100, 199)];
    let stranger = Made::new(BlockSize::B512, &rows).at_port(1, "S2");
    let storage = storage(vec![volume(Place::Partition(3))], vec![ClearPartition::Esp]);
    let maps = resolve(&storage, &[0], &[usual(), stranger]).unwrap();
    assert_eq!(maps[1], DiskMap::closed(maps[1].shape()));
}

#[test]
fn two_rules_for_one_clear_partition_are_one_region() {
    let clear = vec![ClearPartition::Number(1), ClearPartition::Esp];
    let map = one(&storage(vec![volume(Place::Partition(3))], clear), usual()).unwrap();
    let clear: Vec<&Region> = map
        .regions()
        .iter()
        .filter(|it| matches!(it.fate, Fate::Clear(_)))
        .collect();
    assert_eq!(clear, [&at(100, 199, Fate::Clear(0))]);
}

#[test]
fn the_appliance_is_in_clear_by_no_name() {
    for rule in [
        ClearPartition::Number(2),
        ClearPartition::Label("sekisho".to_owned()),
    ] {
        let refused = one(&storage(vec![volume(Place::Partition(3))], vec![rule]), usual());
        assert!(
            matches!(refused, Err(Error::Overlap { block: 200, .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(
        one(&on_partition(2), usual()),
        Err(Error::Overlap { block: 200, .. })
    ));
}

#[test]
fn what_claims_one_block_twice_is_refused_by_name() {
    let mut b = volume(Place::Blocks {
        first: 500,
        last: 600,
    });
    b.name = "b".to_owned();
    let two = one(
        &storage(vec![volume(Place::Partition(3)), b], Vec::new()),
        usual(),
    );
    let (one_, other) = ("volume `a`".to_owned(), "volume `b`".to_owned());
    assert_eq!(
        two,
        Err(Error::Overlap {
            one: one_,
            other,
            block: 500
        })
    );
    let clear = vec![ClearPartition::Label("root".to_owned())];
    let in_clear = one(&storage(vec![volume(Place::Partition(3))], clear), usual());
    assert!(matches!(in_clear, Err(Error::Overlap { block: 300, .. })));
    let table = one(
        &storage(vec![volume(Place::Blocks { first: 33, last: 50 })], Vec::new()),
        usual(),
    );
    assert!(matches!(table, Err(Error::Overlap { block: 33, .. })));
}

#[test]
fn a_partition_that_is_missing_or_named_twice_is_refused() {
    assert_eq!(
        one(&on_partition(9), usual()),
        Err(Error::PartitionMissing { volume: name() })
    );
    let rows: [Row; 2] = [(LINUX_FS, "data", 100, 199), (LINUX_FS, "data", 200, 299)];
    let disk = || Made::new(BlockSize::B512, &rows).at_port(0, "S");
    let labelled = storage(vec![volume(Place::Label("data".to_owned()))], Vec::new());
    assert_eq!(
        one(&labelled, disk()),
        Err(Error::PartitionAmbiguous { name: name() })
    );
    let clear = vec![ClearPartition::Label("data".to_owned())];
    let clear = one(
        &storage(vec![volume(Place::Blocks { first: 50, last: 60 })], clear),
        disk(),
    );
    let label = "\"data\"".to_owned();
    assert_eq!(clear, Err(Error::PartitionAmbiguous { name: label }));
}

#[test]
fn without_a_gpt_there_are_blocks_only() {
    assert_eq!(
        one(&on_partition(3), bare()),
        Err(Error::NoTable { volume: name() })
    );
    let lba = |first, last| storage(vec![volume(Place::Blocks { first, last })], Vec::new());
    let behind = one(&lba(1, 50), bare()).unwrap();
    assert_eq!(
        behind.regions(),
        [at(0, 0, Fate::Tables), at(1, 50, Fate::Volume(0))]
    );
    let whole = one(&lba(0, BLOCKS - 1), bare()).unwrap();
    assert_eq!(whole.regions(), [at(0, BLOCKS - 1, Fate::Volume(0))]);
    let outside = Error::Outside {
        volume: name(),
        last: BLOCKS,
        blocks: BLOCKS,
    };
    assert_eq!(one(&lba(1, BLOCKS), bare()), Err(outside));
}

#[test]
fn large_sectors_need_large_blocks() {
    let mut a = volume(Place::Partition(3));
    a.sector_size = 4096;
    let storage = storage(vec![a], Vec::new());
    assert_eq!(one(&storage, usual()), Err(Error::SectorSize { volume: name() }));
    assert!(one(&storage, Made::new(BlockSize::B4096, &USUAL).at_port(0, "S")).is_ok());
}

#[test]
fn a_damaged_policy_is_an_error() {
    let resolved = resolve(&storage(Vec::new(), Vec::new()), &[7], &[usual()]);
    assert_eq!(resolved, Err(Error::NoVolume { index: 7 }));
}

/// The rules in clear, of these, that mean no partition of this disk.
fn absent(volumes: Vec<Volume>, clear: Vec<ClearPartition>, disk: Disk) -> Vec<ClearPartition> {
    let storage = storage(volumes, clear);
    let indices: Vec<u32> = (0..).zip(&storage.volumes).map(|(index, _)| index).collect();
    let disks = [disk];
    let maps = resolve(&storage, &indices, &disks).unwrap();
    let absent = clear_without_partition(&storage, &disks, &maps);
    absent.into_iter().cloned().collect()
}

#[test]
fn a_rule_in_clear_that_means_no_partition_is_named() {
    let boot = ClearPartition::Label("boot".to_owned());
    // Two rules for one partition both mean it.
    let clear = vec![
        ClearPartition::Esp,
        boot.clone(),
        ClearPartition::Number(1),
        ClearPartition::Number(9),
    ];
    let volumes = vec![volume(Place::Partition(3))];
    assert_eq!(absent(volumes, clear, usual()), [boot, ClearPartition::Number(9)]);
}

#[test]
fn of_a_disk_without_a_volume_no_rule_in_clear_is_missed() {
    assert_eq!(absent(Vec::new(), vec![ClearPartition::Number(9)], usual()), []);
}
