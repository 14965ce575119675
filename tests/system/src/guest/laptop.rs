//! A laptop's disk: an EFI system partition that boots the Linux guest, a partition that no policy names, and one that a
//! policy may encrypt.

use super::{Program, disk, initramfs, kernel, overlay, root_archive, with_tools};
use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of a sector.
const SECTOR: u64 = 512;
/// The first sector of the first partition, here and on the disks of [`disk::write`].
const FIRST_SECTOR: u64 = 2048;
/// Sectors of the partition that no policy names.
const SPARE_SECTORS: u64 = 8192;
/// Sectors of the second copy of the partition table.
const TABLE_SECTORS: u64 = 33;

/// What the guest of a laptop's disk has beside its root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tools {
    /// File systems, and those who judge disks.
    Disk,
    /// Those, and the disk exerciser.
    Exerciser,
}

/// A laptop's disk image and where its partitions lie, in sectors of 512 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Laptop {
    /// The image.
    pub path: PathBuf,
    /// First sector of the partition that no policy names; the number of the partition is 2.
    pub spare: u64,
    /// First sector of the partition to be encrypted; its number is 3.
    pub system: u64,
    /// Its sectors.
    pub system_sectors: u64,
}

impl Laptop {
    /// Makes the disk `name`, with `mebibytes` in its third partition. A disk of that name is made anew.
    ///
    /// # Errors
    /// [`Failure`] where a package or a tool is missing.
    pub fn make(name: &str, mebibytes: u64, tools: Tools) -> Result<Self, Failure> {
        Self::around(&esp(name, tools)?, name, mebibytes)
    }

    /// The same with `program` in place of an operating system.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn with_program(program: Program, name: &str, mebibytes: u64) -> Result<Self, Failure> {
        Self::around(&program.disk()?, name, mebibytes)
    }

    /// The disk whose EFI system partition is that of the disk `esp`.
    fn around(esp: &Path, name: &str, mebibytes: u64) -> Result<Self, Failure> {
        let path = paths::cache("images")?.join(format!("{name}.img"));
        let esp_sectors =
            esp.metadata().map_err(Failure::file(esp))?.len() / SECTOR - FIRST_SECTOR - TABLE_SECTORS;
        let spare = (FIRST_SECTOR + esp_sectors).next_multiple_of(FIRST_SECTOR);
        let system = spare + SPARE_SECTORS;
        let system_sectors = (mebibytes << 20) / SECTOR;
        let sectors = (system + system_sectors + TABLE_SECTORS).next_multiple_of(FIRST_SECTOR);
        let mut disk = File::create(&path).map_err(Failure::file(&path))?;
        disk.set_len(sectors * SECTOR).map_err(Failure::file(&path))?;
        partition(
            &path,
            &[
                format!("--new=1:{FIRST_SECTOR}:{}", spare - 1),
                "--typecode=1:ef00".to_owned(),
                "--change-name=1:EFI system partition".to_owned(),
                format!("--new=2:{spare}:{}", system - 1),
                "--change-name=2:spare".to_owned(),
                format!("--new=3:{system}:{}", system + system_sectors - 1),
                "--change-name=3:system".to_owned(),
            ],
        )?;
        copy(esp, &mut disk, esp_sectors).map_err(Failure::file(&path))?;
        Ok(Self {
            path,
            spare,
            system,
            system_sectors,
        })
    }

    /// The bytes of the third partition as they are on the platter.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub fn platter(&self) -> Result<Vec<u8>, Failure> {
        let mut disk = File::open(&self.path).map_err(Failure::file(&self.path))?;
        let length = usize::try_from(self.system_sectors * SECTOR).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        disk.seek(SeekFrom::Start(self.system * SECTOR))
            .and_then(|_| disk.read_exact(&mut bytes))
            .map_err(Failure::file(&self.path))?;
        Ok(bytes)
    }
}

/// A disk whose only partition is the EFI system partition.
fn esp(name: &str, tools: Tools) -> Result<PathBuf, Failure> {
    let kernel = kernel::fetch()?;
    let root = root_archive(&kernel)?;
    let mut overlays = vec![overlay(&kernel, "disk-tools", initramfs::DISK_TOOLS)?];
    if tools == Tools::Exerciser {
        overlays.push(overlay(&kernel, "fio", initramfs::FIO)?);
    }
    let folder = paths::cache("images")?;
    // The kernel takes archives one behind the other.
    let joined = folder.join(format!("{name}.tools"));
    let mut all = File::create(&joined).map_err(Failure::file(&joined))?;
    for overlay in &overlays {
        let bytes = std::fs::read(overlay).map_err(Failure::file(overlay))?;
        all.write_all(&bytes).map_err(Failure::file(&joined))?;
    }
    let output = folder.join(format!("{name}.esp"));
    disk::write(&output, &with_tools(&kernel, &root, &joined))?;
    Ok(output)
}

/// Gives the disk a GPT with these partitions. Its GUIDs are new each time, as on every laptop.
fn partition(path: &Path, arguments: &[String]) -> Result<(), Failure> {
    let mut command = Command::new("/usr/sbin/sgdisk");
    tool::run(
        command
            .args(["--clear", "--set-alignment=1"])
            .args(arguments)
            .arg(path),
    )
    .map(|_| ())
}

/// Copies `sectors` from the first partition of `esp` to the first of `disk`.
fn copy(esp: &Path, disk: &mut File, sectors: u64) -> std::io::Result<()> {
    let mut from = File::open(esp)?;
    from.seek(SeekFrom::Start(FIRST_SECTOR * SECTOR))?;
    disk.seek(SeekFrom::Start(FIRST_SECTOR * SECTOR))?;
    std::io::copy(&mut from.take(sectors * SECTOR), disk).map(|_| ())
}
