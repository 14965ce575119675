//! The guest's disk: a Debian kernel, a small root of busybox and the agent, and GRUB to start it.
//!
//! Made once and kept under `target/`; made anew when anything it is made of has changed.

mod disk;
mod initramfs;
mod kernel;
mod laptop;
mod programs;

use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::path::{Path, PathBuf};

use disk::EspFile;
use initramfs::Contents;
use kernel::Kernel;
pub use laptop::{Laptop, Tools};
pub use programs::{Program, memtest_disk};

/// The Linux guest's disk image.
///
/// # Errors
/// [`Failure`] where a package cannot be fetched or a tool is missing.
pub fn linux_disk() -> Result<PathBuf, Failure> {
    let kernel = kernel::fetch()?;
    let grub = source("grub.cfg");
    let folder = paths::cache("guest")?;
    let disk = folder.join("linux.img");
    let root = root_archive(&kernel)?;
    if is_newer_than(&disk, &[&root, &grub, Path::new(disk::GRUB)])? {
        return Ok(disk);
    }
    disk::write(
        &disk,
        &[
            EspFile::new("EFI/debian/grubx64.efi", disk::GRUB),
            EspFile::new("EFI/BOOT/BOOTX64.EFI", disk::GRUB),
            EspFile::new("EFI/debian/grub.cfg", &grub),
            EspFile::new("vmlinuz", &kernel.image),
            EspFile::new("initramfs", &root),
        ],
    )?;
    Ok(disk)
}

/// Writes an archive to `output` that a guest unpacks over its root to have iperf3.
///
/// # Errors
/// [`Failure`] where it cannot be made.
pub fn write_iperf3(output: &Path) -> Result<(), Failure> {
    initramfs::write_overlay(output, &kernel::fetch()?, initramfs::IPERF3)
}

/// The same disk, whose guest has WireGuard and a client of DHCPv6 too.
///
/// # Errors
/// As [`linux_disk`].
pub fn network_disk() -> Result<PathBuf, Failure> {
    let kernel = kernel::fetch()?;
    let root = root_archive(&kernel)?;
    let tools = overlay(&kernel, "network-tools", initramfs::NETWORK_TOOLS)?;
    let disk = paths::cache("guest")?.join("network.img");
    if is_newer_than(&disk, &[&root, &tools])? {
        return Ok(disk);
    }
    disk::write(&disk, &with_tools(&kernel, &root, &tools))?;
    Ok(disk)
}

/// What is on a disk whose guest has more than the root.
fn with_tools(kernel: &Kernel, root: &Path, tools: &Path) -> [EspFile; 6] {
    [
        EspFile::new("EFI/debian/grubx64.efi", disk::GRUB),
        EspFile::new("EFI/BOOT/BOOTX64.EFI", disk::GRUB),
        EspFile::new("EFI/debian/grub.cfg", source("laptop.cfg")),
        EspFile::new("vmlinuz", &kernel.image),
        EspFile::new("initramfs", root),
        EspFile::new("tools", tools),
    ]
}

/// A file of `guest/`.
fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guest").join(name)
}

/// The root, compressed.
fn root_archive(kernel: &Kernel) -> Result<PathBuf, Failure> {
    let folder = paths::cache("guest")?;
    let (agent, init) = (folder.join("agent"), source("init"));
    replace(&agent, programs::AGENT)?;
    let inputs = [&kernel.image, &agent, &init, Path::new(initramfs::BUSYBOX)];
    archive("initramfs", &inputs, |output| {
        initramfs::write_root(output, kernel, &agent, &init)
    })
}

/// What is laid over it, compressed.
fn overlay(kernel: &Kernel, name: &str, contents: Contents) -> Result<PathBuf, Failure> {
    archive(name, &[&kernel.image], |output| {
        initramfs::write_overlay(output, kernel, contents)
    })
}

/// The compressed archive called `name`, made anew if an input is younger.
fn archive(
    name: &str,
    inputs: &[&Path],
    write: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let plain = paths::cache("guest")?.join(name);
    let compressed = plain.with_extension("zst");
    // What goes into it is said there.
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guest/initramfs.rs");
    let inputs: Vec<&Path> = inputs.iter().copied().chain([list.as_path()]).collect();
    if !is_newer_than(&compressed, &inputs)? {
        write(&plain)?;
        tool::run(
            std::process::Command::new("zstd")
                .args(["-q", "-f", "-10", "-o"])
                .arg(&compressed)
                .arg(&plain),
        )?;
        std::fs::remove_file(&plain).map_err(Failure::file(&plain))?;
    }
    Ok(compressed)
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
