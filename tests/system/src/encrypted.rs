//! A laptop whose third partition is the volume `system`: under the hypervisor, and as a stock kernel opens it.

use crate::command::{PASSPHRASE, Store};
use crate::failure::Failure;
use crate::guest::{Laptop, Tools};
use crate::machine::{Controller, Disk, Machine, Running};
use crate::paths;
use std::path::PathBuf;

/// The policy in `examples/` that encrypts partition 3 of the disk on the AHCI controller.
pub const POLICY: &str = "encrypted-disk.toml";
/// The volume's name.
pub const VOLUME: &str = "system";
/// MiB of the volume.
const SIZE: u64 = 64;
/// What file systems and dm-crypt need of the guest's kernel.
const MODULES: &str = "modprobe -a crc32c_generic ext4 dm-crypt ecb xts aesni-intel";
/// Names the disk with a third partition `$disk` in the guest's shell: the names of disks change from boot to boot.
pub const FIND: &str = "for p in /sys/block/sd*/sd*3; do disk=/dev/${p##*/}; done; echo $disk";
/// The disk without partitions, which is the header.
const FIND_HEADER: &str =
    "header=$(ls -d /sys/block/sd? | sed s,/sys/block,/dev, | grep -v ${disk%3}); echo $header";

/// An encrypted laptop, its key store, and the image that unlocks it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncryptedLaptop {
    /// Its disk.
    pub laptop: Laptop,
    /// Its keys.
    pub store: Store,
    /// The appliance's disk.
    pub image: PathBuf,
    /// What the disks are attached to.
    pub controller: Controller,
}

/// The text of [`POLICY`], for this kind of controller and with its log where the harness reads it.
///
/// # Errors
/// [`Failure::File`].
pub fn policy(controller: Controller) -> Result<String, Failure> {
    let path = paths::root().join("examples").join(POLICY);
    let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
    // COM1 is the guest's console here.
    let text = text.replace("\"com1\"", "\"com2\"");
    Ok(match controller {
        Controller::Ahci => text,
        Controller::Ide => text.replace("\"ahci\"", "\"ata\""),
    })
}

impl EncryptedLaptop {
    /// Makes the disk, the keys and the image, all by the command, as files that begin with `name`.
    ///
    /// # Errors
    /// [`Failure`] of the command or a tool.
    pub fn make(name: &str, controller: Controller) -> Result<Self, Failure> {
        let laptop = Laptop::make(name, SIZE, Tools::Disk)?;
        Self::of(laptop, name, controller, &policy(controller)?)
    }

    /// Of this disk and this policy.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn of(laptop: Laptop, name: &str, controller: Controller, policy: &str) -> Result<Self, Failure> {
        let store = Store::make(name, policy)?;
        store.encrypt(&laptop.path)?;
        let image = store.image(&format!("{name}-appliance"))?;
        Ok(Self {
            laptop,
            store,
            image,
            controller,
        })
    }

    /// The machine with the appliance's disk before its own, off.
    #[must_use]
    pub fn machine(&self) -> Machine {
        let mut machine = Machine::bare(&self.laptop.path);
        machine.controller = self.controller;
        machine.disks = vec![Disk::forgotten(&self.image), Disk::kept(&self.laptop.path)];
        machine
    }

    /// Boots it under the hypervisor, unlocked, to its shell; `$disk` is the volume's partition there.
    ///
    /// # Errors
    /// [`Failure`] with the logs.
    pub fn boot(&self, name: &str) -> Result<Running, Failure> {
        let mut machine = self.machine().start(name)?;
        machine.unlock(PASSPHRASE)?;
        machine.wait_shell()?;
        machine.run(MODULES)?;
        machine.run(FIND)?;
        Ok(machine)
    }

    /// Boots the bare machine with the volume's header on another disk, and opens the volume by dm-crypt as
    /// `/dev/mapper/plain`.
    ///
    /// # Errors
    /// [`Failure`] with the logs.
    pub fn boot_bare(&self, name: &str) -> Result<Running, Failure> {
        let mut machine = Machine::bare(&self.laptop.path);
        machine.disks = vec![
            Disk::kept(&self.laptop.path),
            Disk::forgotten(&self.store.header(VOLUME)),
        ];
        let mut machine = machine.start(name)?;
        machine.wait_shell()?;
        machine.run(MODULES)?;
        machine.run(FIND)?;
        machine.run(FIND_HEADER)?;
        // Where cryptsetup keeps its locks.
        machine.run("mkdir -p /run/cryptsetup")?;
        machine.run(&format!("echo -n '{PASSPHRASE}' | {}", Self::OPEN))?;
        Ok(machine)
    }

    /// The command by which the guest of [`Self::boot_bare`] opens the volume.
    pub const OPEN: &str = "cryptsetup open --type luks2 --header $header --key-file - $disk plain";
}
