//! A laptop with an encrypted volume on one of the two controllers, under the hypervisor or bare.

use crate::command::{PASSPHRASE, Store};
use crate::failure::Failure;
use crate::guest::{Laptop, Tools};
use crate::machine::{Controller, Disk, Machine, Running};
use crate::paths;
use std::path::PathBuf;

/// The policy of the laptop with AHCI.
const POLICY: &str = "encrypted-disk.toml";
/// By its path: the shell takes busybox's for the bare name.
pub const FORMAT: &str = "/usr/sbin/mke2fs -q -F -t ext4 $part";
/// What programs for disks need of the kernel.
const MODULES: &str = "modprobe -a ext4 crc32c_generic";
/// The disk with a third partition: the names of disks change from boot to boot.
const FIND: &str =
    "for p in /sys/block/sd*/sd*3; do part=/dev/${p##*/}; done; disk=${part%3}; mkdir -p /volume";

/// The laptop, its key store and its appliance.
pub struct Scene {
    /// `ahci` or `ata`: the name of the mediator.
    pub driver: &'static str,
    /// Its disk.
    pub laptop: Laptop,
    /// What opens it.
    pub store: Store,
    /// What it is attached to.
    pub controller: Controller,
    image: PathBuf,
}

impl Scene {
    /// A disk with `mebibytes` to be encrypted, which are.
    ///
    /// # Errors
    /// [`Failure`] where a package or a tool is missing.
    pub fn new(controller: Controller, mebibytes: u64) -> Result<Self, Failure> {
        let driver = match controller {
            Controller::Ahci => "ahci",
            Controller::Ide => "ata",
        };
        let path = paths::root().join("examples").join(POLICY);
        let policy = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let policy = policy
            .replace("\"ahci\"", &format!("\"{driver}\""))
            .replace("serial = \"com1\"", "serial = \"com2\"");
        let name = format!("endurance-{driver}");
        let laptop = Laptop::make(&name, mebibytes, Tools::Exerciser)?;
        let store = Store::make(&name, &policy)?;
        store.encrypt(&laptop.path)?;
        let image = store.image(&format!("{name}-appliance"))?;
        Ok(Self {
            driver,
            laptop,
            store,
            controller,
            image,
        })
    }

    /// The machine that boots the hypervisor and then `disk`, or the laptop's own.
    #[must_use]
    pub fn machine(&self, disk: Disk) -> Machine {
        let mut machine = Machine::bare(&self.laptop.path);
        machine.controller = self.controller;
        machine.disks = vec![Disk::forgotten(&self.image), disk];
        machine
    }

    /// The laptop under the hypervisor, unlocked, at its shell, where `$disk` is its disk and `$part` the volume.
    ///
    /// # Errors
    /// [`Failure`] with both logs.
    pub fn boot(&self, name: &str, disk: Disk) -> Result<Running, Failure> {
        let mut machine = self
            .machine(disk)
            .start(&format!("endurance-{}-{name}", self.driver))?;
        machine.unlock(PASSPHRASE)?;
        machine.wait_shell()?;
        prepare(&mut machine)?;
        Ok(machine)
    }

    /// The laptop without the hypervisor: a blank disk is in the place of the appliance's.
    ///
    /// # Errors
    /// [`Failure`] with both logs.
    pub fn boot_bare(&self) -> Result<Running, Failure> {
        let blank = paths::cache("images")?.join("blank.img");
        std::fs::write(&blank, vec![0; 1 << 20]).map_err(Failure::file(&blank))?;
        let mut machine = self.machine(Disk::forgotten(&self.laptop.path));
        machine.disks.splice(..1, [Disk::forgotten(&blank)]);
        let mut machine = machine.start(&format!("endurance-{}-bare", self.driver))?;
        machine.wait_shell()?;
        prepare(&mut machine)?;
        Ok(machine)
    }
}

fn prepare(machine: &mut Running) -> Result<(), Failure> {
    machine.run(MODULES)?;
    machine.run(FIND)?;
    Ok(())
}
