//! What the hypervisor and the key store get of the policy's disks.

#![cfg(test)]

use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::selection::Driver;
use sekisho_abi::storage::{Atapi, Clear, ClearPartition, Controller, Disk, Place, Storage, Unlock, Volume};
use sekisho_policy::{Policy, Source, check, lower, unsupported};

const ENCRYPTED_DISK: &str = include_str!("../../examples/encrypted-disk.toml");
const FIRST_LIGHT: &str = include_str!("../../examples/first-light.toml");

/// One volume a place, two controllers behind a rule that is neither, one of each partition in clear.
const EVERYTHING: &str = r#"
policy = 1
name = "everything"
[defaults]
storage = "conceal"
network = "conceal"
other = "pass"
[[device]]
name = "wireless"
match = { class = "0280" }
driver = "conceal"
[[device]]
name = "sata"
match = { device = "ahci" }
driver = "ahci"
volumes = ["c", "b"]
atapi = "read"
[[device]]
name = "legacy"
match = { device = "ata" }
driver = "ata"
volumes = ["d", "a"]
atapi = "pass"
[volume.a]
disk = { port = 1 }
partition-label = "root"
cipher = "aes-xts-plain64"
key-size = 256
sector-size = 4096
discard = true
[volume.b]
disk = { serial = " WD-123 " }
partition = 7
cipher = "aes-xts-plain64"
key-size = 512
sector-size = 512
[volume.c]
disk = { disk-uuid = "00112233-4455-6677-8899-AABBCCDDEEFF" }
partition-uuid = "0fc63daf-8483-4772-8e79-3d69d8477de4"
cipher = "aes-xts-plain64"
key-size = 512
sector-size = 512
[volume.d]
disk = { port = 0 }
lba = [2048, 165887]
cipher = "aes-xts-plain64"
key-size = 512
sector-size = 512
[clear]
partitions = ["esp", 2, "boot", "11111111-2222-3333-4444-555555555555"]
[unlock]
methods = ["recovery"]
attempts = 3
"#;

fn policy(text: &str) -> Policy {
    let report = check(&Source::new("policy.toml".into(), text.into()));
    report
        .policy
        .unwrap_or_else(|| panic!("{:?}", report.diagnostics))
}

fn volume(name: &str, disk: Disk, place: Place) -> Volume {
    Volume {
        name: name.into(),
        disk: Some(disk),
        place,
        key_bits: 512,
        sector_size: 512,
        discard: false,
    }
}

/// A GUID's first three groups are little-endian on a disk.
const DISK_GUID: [u8; 16] = *b"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
const PARTITION_GUID: [u8; 16] = *b"\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4";

#[test]
fn every_key_about_disks_reaches_the_hypervisor() {
    let storage = lower(&policy(EVERYTHING)).storage;
    assert_eq!(
        storage.volumes,
        [
            Volume {
                key_bits: 256,
                sector_size: 4096,
                discard: true,
                ..volume("a", Disk::Port(1), Place::Label("root".into()))
            },
            volume("b", Disk::Serial("WD-123".into()), Place::Partition(7)),
            volume("c", Disk::Guid(DISK_GUID), Place::Guid(PARTITION_GUID)),
            volume(
                "d",
                Disk::Port(0),
                Place::Blocks {
                    first: 2048,
                    last: 165_887
                }
            ),
        ]
    );
    assert_eq!(
        storage.clear,
        Clear {
            partitions: vec![
                ClearPartition::Esp,
                ClearPartition::Number(2),
                ClearPartition::Label("boot".into()),
                ClearPartition::Guid(*b"\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55"),
            ],
            tables_writable: false,
        }
    );
    assert_eq!(
        storage.unlock,
        Unlock {
            passphrase: false,
            recovery: true,
            attempts: 3,
        }
    );
}

#[test]
fn a_controller_points_at_its_selection_entry_and_its_volumes() {
    let compiled = lower(&policy(EVERYTHING));
    let [sata, legacy] = compiled.storage.controllers.as_slice() else {
        panic!("{:?}", compiled.storage.controllers);
    };
    let driver = |controller: &Controller| compiled.selection.entries[controller.entry as usize].driver();
    assert_eq!(driver(sata), Some(Driver::Ahci));
    assert_eq!(driver(legacy), Some(Driver::Ata));
    assert_eq!((&sata.volumes[..], sata.atapi), (&[2, 1][..], Atapi::Read));
    assert_eq!((&legacy.volumes[..], legacy.atapi), (&[3, 0][..], Atapi::Pass));
}

#[test]
fn what_is_not_said_about_disks_has_the_documented_meaning() {
    let compiled = lower(&policy(ENCRYPTED_DISK));
    let storage = &compiled.storage;
    assert_eq!(storage.controllers[0].atapi, Atapi::Refuse);
    assert_eq!(storage.volumes[0].disk, None);
    assert!(!storage.volumes[0].discard);
    assert_eq!(storage.unlock, Unlock::default());
    assert!(!storage.clear.tables_writable);
    assert_eq!(
        CompiledPolicy::from_bytes(&compiled.to_bytes()).as_ref(),
        Ok(&compiled)
    );
}

#[test]
fn partition_tables_are_writable_where_the_policy_says_so() {
    let writable = ENCRYPTED_DISK.replace("[clear]", "[clear]\ngpt = \"write\"");
    assert!(lower(&policy(&writable)).storage.clear.tables_writable);
}

#[test]
fn a_policy_without_disks_says_nothing_about_them() {
    assert_eq!(lower(&policy(FIRST_LIGHT)).storage, Storage::default());
}

#[test]
fn everything_about_disks_can_be_enforced() {
    assert_eq!(unsupported(&policy(ENCRYPTED_DISK)), []);
    assert_eq!(unsupported(&policy(EVERYTHING)), []);
}
