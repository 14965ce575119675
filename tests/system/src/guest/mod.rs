//! The guest's disk: a Debian kernel, a small root of busybox and the agent, and GRUB to start it.
//!
//! Made once and kept under `target/`; made anew when anything it is made of has changed.

mod disk;
mod initramfs;
mod kernel;
mod programs;

use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::path::{Path, PathBuf};

use disk::EspFile;
pub use programs::{Program, memtest_disk};

/// The Linux guest's disk image.
///
/// # Errors
/// [`Failure`] where a package cannot be fetched or a tool is missing.
pub fn linux_disk() -> Result<PathBuf, Failure> {
    let kernel = kernel::fetch()?;
    let system = Path::new(env!("CARGO_MANIFEST_DIR"));
    let init = system.join("guest/init");
    let grub = system.join("guest/grub.cfg");
    let folder = paths::cache("guest")?;
    let agent = folder.join("agent");
    replace(&agent, programs::AGENT)?;
    let disk = folder.join("linux.img");
    let inputs = [
        kernel.image.as_path(),
        &agent,
        &init,
        &grub,
        Path::new(disk::GRUB),
        Path::new(initramfs::BUSYBOX),
    ];
    if is_newer_than(&disk, &inputs)? {
        return Ok(disk);
    }
    let archive = folder.join("initramfs");
    initramfs::write(&archive, &kernel, &agent, &init)?;
    let compressed = folder.join("initramfs.zst");
    tool::run(
        std::process::Command::new("zstd")
            .args(["-q", "-f", "-10", "-o"])
            .arg(&compressed)
            .arg(&archive),
    )?;
    disk::write(
        &disk,
        &[
            EspFile::new("EFI/debian/grubx64.efi", disk::GRUB),
            EspFile::new("EFI/BOOT/BOOTX64.EFI", disk::GRUB),
            EspFile::new("EFI/debian/grub.cfg", &grub),
            EspFile::new("vmlinuz", &kernel.image),
            EspFile::new("initramfs", &compressed),
        ],
    )?;
    Ok(disk)
}

/// Writes `bytes` to `path` unless it holds them already, so that its time tells when they changed.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if std::fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(Failure::file(path))
}

/// Whether `output` exists and no input is younger than it.
fn is_newer_than(output: &Path, inputs: &[&Path]) -> Result<bool, Failure> {
    let Ok(made) = output.metadata().and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    for input in inputs {
        let changed = input
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map_err(Failure::file(input))?;
        if changed > made {
            return Ok(false);
        }
    }
    Ok(true)
}
