//! Disks and volumes of other shapes: blocks of 4,096 bytes, and a volume on a disk without partitions.

use super::bench::{Bench, at, ends, told};
use gpt::GptConfig;
use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::LINUX_FS;
use sekisho_abi::storage::DiskId;
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use std::collections::BTreeMap;
use std::fs::File;
use uuid::Uuid;

const LARGE: usize = 4096;
/// The volume's blocks on the disk of large blocks.
const FIRST: usize = 300;
const LAST: usize = 4000;

/// Puts a table with blocks of 4,096 bytes on the image, and one partition, called `root`.
fn partition(bench: &Bench) {
    let mut image = File::options()
        .read(true)
        .write(true)
        .open(bench.path("image"))
        .unwrap();
    ProtectiveMBR::with_lb_size(8191)
        .overwrite_lba0(&mut image)
        .unwrap();
    let config = GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb4096);
    let mut table = config
        .create_from_device(image, Some(Uuid::from_u128(7)))
        .unwrap();
    let root = Partition {
        part_type_guid: LINUX_FS,
        part_guid: Uuid::from_u128(8),
        first_lba: FIRST as u64,
        last_lba: LAST as u64,
        flags: 0,
        name: "root".to_owned(),
    };
    table.update_partitions(BTreeMap::from([(1, root)])).unwrap();
    table.write().unwrap();
}

#[test]
fn on_a_disk_of_large_blocks_large_sectors_are_as_cryptsetup_has_them() {
    let large = ("sector-size = 512", "sector-size = 4096");
    let bench = Bench::with_policy(
        "large-blocks",
        &[("partition = 3", "partition-label = \"root\""), large],
    );
    partition(&bench);
    let before = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let after = bench.image();
    let (first, end) = (FIRST * LARGE, (LAST + 1) * LARGE);
    assert!(after[..first] == before[..first] && after[end..] == before[end..]);
    assert!(after[first..end] != before[first..end]);
    assert!(bench.decrypted_by_cryptsetup(&after[first..end]) == before[first..end]);
}

#[test]
fn a_volume_in_blocks_needs_no_partitions_and_is_pinned_by_the_serial_number_of_the_policy() {
    let (first, last) = (2048, 2048 + 9999);
    let place = format!("lba = [{first}, {last}]\ndisk = {{ serial = \"QM00001\" }}");
    let bench = Bench::with_policy("blocks", &[("partition = 3", &place)]);
    let before = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let secrets = bench.secrets();
    assert_eq!(secrets.pins[0].disk, DiskId::Serial("QM00001".to_owned()));
    let mut expected = before.clone();
    let cipher = SectorCipher::new(secrets.volumes[0].key.expose(), SectorSize::B512).unwrap();
    cipher.encrypt(0, &mut expected[at(first)..at(last + 1)]).unwrap();
    assert!(bench.image() == expected);
    // The way back, by the recovery key.
    ends(
        &bench.opened_by("decrypt", "recovery"),
        0,
        "volume `system`: decrypted\n",
    );
    assert!(bench.image() == before);
}

#[test]
fn a_disk_that_nothing_could_know_again_is_refused() {
    let bench = Bench::with_policy("unknown", &[("partition = 3", "lba = [2048, 4095]")]);
    let sentence = "the disk of system has neither a GPT nor a serial number";
    told(&bench.disk("encrypt"), 1, sentence);
}

#[test]
fn where_the_policy_names_several_disks_the_volume_must_be_said() {
    let other = "[volume.data]\nlba = [2048, 4095]\ndisk = { port = 1 }\ncipher = \"aes-xts-plain64\"\n\
                 key-size = 512\nsector-size = 512\n\n[volume.system]";
    let bench = Bench::with_policy(
        "several",
        &[
            ("[volume.system]", other),
            ("volumes = [\"system\"]", "volumes = [\"system\", \"data\"]"),
            ("partition = 3", "partition = 3\ndisk = { port = 0 }"),
        ],
    );
    told(
        &bench.disk("encrypt"),
        1,
        "(data, system): say which with --volume",
    );
}
