//! A disk that is not as the policy and the pins say is refused, and not one of its bytes is written.

use crate::unlock::{answer, image, policy, refused, storage};
use sekisho_system::command::PASSPHRASE;
use sekisho_system::failure::Failure;
use sekisho_system::key_store::{KeyStore, pins};
use sekisho_system::machine::{Disk, Machine};
use sekisho_system::{paths, tool};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the disk.
const SIZE: u64 = 64 << 20;
/// What the refusals are about: the disk controller of the test machine.
const CONTROLLER: &str = "disk controller 00:1f.2: ";

/// A disk with an EFI system partition and, unless it is left out, the volume's partition.
fn disk(name: &str) -> Result<PathBuf, Failure> {
    let path = paths::cache("images")?.join(format!("{name}-disk.img"));
    let file = std::fs::File::create(&path).map_err(Failure::file(&path))?;
    file.set_len(SIZE).map_err(Failure::file(&path))?;
    edit(
        &path,
        &["--new=1:2048:+8M", "--typecode=1:ef00", "--new=3:32768:+16M"],
    )?;
    Ok(path)
}

/// Changes the partition table of a disk.
fn edit(disk: &Path, arguments: &[&str]) -> Result<(), Failure> {
    tool::run(Command::new("/usr/sbin/sgdisk").args(arguments).arg(disk)).map(drop)
}

/// Boots with `keys` and `disk`, unlocks, and expects `reason` and an untouched disk.
fn refuses(name: &str, keys: &KeyStore, disk: &Path, reason: &str) -> Result<(), Failure> {
    let before = std::fs::read(disk).map_err(Failure::file(disk))?;
    let mut machine = Machine::bare(&image(name, keys)?);
    machine.disks.push(Disk::kept(disk));
    let mut machine = machine.start(name)?;
    answer(&mut machine, PASSPHRASE)?;
    refused(machine, &format!("{CONTROLLER}{reason}"))?;
    let after = std::fs::read(disk).map_err(Failure::file(disk))?;
    assert!(before == after, "the disk was written");
    Ok(())
}

#[test]
fn a_moved_partition_is_refused() -> Result<(), Failure> {
    let disk = disk("pins-moved")?;
    let storage = storage(&policy()?);
    let keys = KeyStore::new(&storage, pins(&storage, &disk)?)?;
    edit(&disk, &["--delete=3", "--new=3:34816:65536"])?;
    let reason = "system: its first block was 32768 when its disk was encrypted, and is 34816";
    refuses("pins-moved", &keys, &disk, reason)
}

#[test]
fn a_disk_that_was_never_encrypted_is_refused() -> Result<(), Failure> {
    let disk = disk("pins-none")?;
    let keys = KeyStore::new(&storage(&policy()?), Vec::new())?;
    refuses(
        "pins-none",
        &keys,
        &disk,
        "volume `system` was never encrypted: run `sekisho disk encrypt`",
    )
}

#[test]
fn a_missing_disk_is_refused() -> Result<(), Failure> {
    let disk = disk("pins-missing")?;
    let storage = storage(&policy()?);
    let keys = KeyStore::new(&storage, pins(&storage, &disk)?)?;
    edit(&disk, &["--delete=3"])?;
    refuses("pins-missing", &keys, &disk, "no disk fits volume `system`")
}
