//! An encrypted volume is plain to the guest, ciphertext on the platter, and opens with stock tools; and back.

use super::*;
use sekisho_system::command::{PASSPHRASE, Store};
use sekisho_system::guest::{Laptop, Tools};
use sekisho_system::machine::Disk;

/// Partition 3 of the disk on the AHCI controller is the volume `system`.
const ENCRYPTED: &str = "encrypted-disk.toml";
/// What must not be on the platter.
const MARK: &str = "the plain text that nobody may find";
/// Programs for disks in the guest, and what they need of the kernel.
const MODULES: &str = "modprobe -a ext4 dm-crypt xts aesni-intel";
/// The disk with a third partition: the names of disks change from boot to boot.
const FIND: &str = "for p in /sys/block/sd*/sd*3; do disk=/dev/${p##*/}; done; echo $disk";

/// An encrypted laptop, ready to boot.
struct Scene {
    laptop: Laptop,
    store: Store,
    image: PathBuf,
}

impl Scene {
    fn new(name: &str, policy: &str) -> Result<Self, Failure> {
        let laptop = Laptop::make(name, 64, Tools::Disk)?;
        let store = Store::make(name, policy)?;
        store.encrypt(&laptop.path)?;
        let image = store.image(&format!("{name}-appliance"))?;
        Ok(Self { laptop, store, image })
    }

    /// The laptop under the hypervisor, unlocked, at its shell.
    fn boot(&self, name: &str) -> Result<Running, Failure> {
        let mut machine = Machine::bare(&self.laptop.path);
        machine.disks = vec![Disk::forgotten(&self.image), Disk::kept(&self.laptop.path)];
        let mut machine = machine.start(name)?;
        machine.unlock(PASSPHRASE)?;
        machine.wait_shell()?;
        machine.run(MODULES)?;
        machine.run(FIND)?;
        Ok(machine)
    }

    /// The bare machine with the disk and the volume's header on another.
    fn boot_bare(&self, name: &str) -> Result<Running, Failure> {
        let header = self.store.header("system");
        let mut machine = Machine::bare(&self.laptop.path);
        machine.disks = vec![Disk::kept(&self.laptop.path), Disk::forgotten(&header)];
        let mut machine = machine.start(name)?;
        machine.wait_shell()?;
        machine.run(MODULES)?;
        machine.run(FIND)?;
        let open = "header=$(ls -d /sys/block/sd? | sed s,/sys/block,/dev, | grep -v ${disk%3});";
        machine.run(&format!(
            "{open} echo -n '{PASSPHRASE}' | cryptsetup open --type luks2 --header $header --key-file - $disk plain"
        ))?;
        Ok(machine)
    }
}

fn policy() -> Result<String, Failure> {
    let path = sekisho_system::paths::root().join("examples").join(ENCRYPTED);
    std::fs::read_to_string(&path).map_err(Failure::file(&path))
}

#[test]
fn an_encrypted_volume_is_plain_to_the_guest_and_opens_with_stock_tools() -> Result<(), Failure> {
    let scene = Scene::new("volume", &policy()?)?;
    let mut machine = scene.boot("volume")?;
    machine.run("mke2fs -q -t ext4 $disk && mkdir -p /volume && mount $disk /volume")?;
    machine.run(&format!("echo '{MARK}' > /volume/mark"))?;
    machine.run("head -c 20000000 /dev/urandom > /volume/noise; umount /volume; mount $disk /volume")?;
    let written = machine.run("cd /volume; sha256sum mark noise; cd /; umount /volume")?;
    machine.power_off()?;

    let platter = scene.laptop.platter()?;
    assert!(!contains(&platter, MARK.as_bytes()), "the mark is on the platter");

    let mut machine = scene.boot_bare("volume-bare")?;
    let plain = machine
        .run("mkdir -p /volume && mount /dev/mapper/plain /volume && cd /volume && sha256sum mark noise")?;
    assert_same(&mut machine, "checksums by dm-crypt", &plain, &written)?;
    // And the other way round.
    let written =
        machine.run("cp noise more; sha256sum more; cd /; umount /volume; cryptsetup close plain")?;
    machine.power_off()?;

    let mut machine = scene.boot("volume-again")?;
    machine.run("e2fsck -fn $disk")?;
    let plain = machine.run(
        "mkdir -p /volume && mount $disk /volume && cd /volume && sha256sum more; cd /; umount /volume",
    )?;
    assert_same(&mut machine, "checksum of what dm-crypt wrote", &plain, &written)?;
    machine.power_off()
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}
