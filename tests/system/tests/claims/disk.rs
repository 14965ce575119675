//! An encrypted volume is plain to the guest, ciphertext on the platter, and opens with stock tools; and back.

use super::*;
use sekisho_system::encrypted::EncryptedLaptop;
use sekisho_system::machine::Controller;

/// What must not be on the platter.
const MARK: &str = "the plain text that nobody may find";

#[test]
fn a_volume_behind_ahci_is_plain_to_the_guest_and_opens_with_stock_tools() -> Result<(), Failure> {
    to_dm_crypt_and_back(&EncryptedLaptop::make("ahci-volume", Controller::Ahci)?)
}

#[test]
fn a_volume_behind_ide_is_plain_to_the_guest_and_opens_with_stock_tools() -> Result<(), Failure> {
    to_dm_crypt_and_back(&EncryptedLaptop::make("ide-volume", Controller::Ide)?)
}

fn to_dm_crypt_and_back(laptop: &EncryptedLaptop) -> Result<(), Failure> {
    let mut machine = laptop.boot("volume")?;
    machine.run("/usr/sbin/mke2fs -q -t ext4 $disk && mkdir /volume && mount $disk /volume")?;
    machine.run(&format!("echo '{MARK}' > /volume/mark"))?;
    machine.run("head -c 20000000 /dev/urandom > /volume/noise; umount /volume; mount $disk /volume")?;
    let written = machine.run("cd /volume; sha256sum mark noise; cd /; umount /volume")?;
    machine.power_off()?;
    let platter = laptop.laptop.platter()?;
    assert!(!contains(&platter, MARK.as_bytes()), "the mark is on the platter");

    let mut machine = laptop.boot_bare("volume-bare")?;
    let plain = machine
        .run("mkdir /volume && mount /dev/mapper/plain /volume && cd /volume && sha256sum mark noise")?;
    assert_same(&mut machine, "checksums by dm-crypt", &plain, &written)?;
    let written =
        machine.run("cp noise more; sha256sum more; cd /; umount /volume; cryptsetup close plain")?;
    machine.power_off()?;

    let mut machine = laptop.boot("volume-again")?;
    machine.run("e2fsck -fn $disk")?;
    let plain = machine
        .run("mkdir /volume; mount $disk /volume && cd /volume && sha256sum more; cd /; umount /volume")?;
    assert_same(&mut machine, "checksum of what dm-crypt wrote", &plain, &written)?;
    machine.power_off()
}

#[test]
fn what_no_rule_names_reads_as_zeros_and_takes_no_writes() -> Result<(), Failure> {
    let laptop = EncryptedLaptop::make("unnamed", Controller::Ahci)?;
    let mut machine = laptop.boot("unnamed")?;
    machine.run("spare=${disk%3}2; [ $(head -c 65536 $spare | tr -d '\\0' | wc -c) = 0 ]")?;
    let refused = machine.run("dd if=/dev/urandom of=$spare bs=4096 count=4 oflag=direct && exit 1; true");
    refused?;
    let table = machine.run("dd if=/dev/zero of=${disk%3} bs=512 count=1 oflag=direct; sync; true")?;
    let counters = report::counters(&machine.run("agent counters")?);
    let count = |name: &str| {
        counters
            .iter()
            .find(|(it, _)| it.starts_with(name))
            .map(|(_, count)| *count)
    };
    if count("write refused").unwrap_or(0) < 2 || count("blocks read as z").unwrap_or(0) == 0 {
        return Err(machine.refute(format!(
            "refused writes and zeroed reads were expected: {table} {counters:?}"
        )));
    }
    machine.power_off()
}

pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let first = needle.first().copied().unwrap_or_default();
    let starts = hay.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts
        .map(|(at, _)| at)
        .any(|at| hay.get(at..).is_some_and(|rest| rest.starts_with(needle)))
}
