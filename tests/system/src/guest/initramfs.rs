//! The guest's root: busybox, lspci, setpci, kexec with their libraries, the modules, the agent and `init`; and what is
//! laid over it for disks.
//!
//! Archived with fixed times and owners, so that the same packages give the same bytes.

use super::kernel::Kernel;
use crate::failure::Failure;
use crate::tool;
use cpio::newc;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The guest's shell and most of its programs.
pub(super) const BUSYBOX: &str = "/bin/busybox";
/// What lspci calls devices.
const NAMES: &str = "/usr/share/misc/pci.ids";

/// Programs of the host that the guest gets as they are, with the libraries they name; and modules, with what they need.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    programs: &'static [&'static str],
    modules: &'static [&'static str],
}

/// What every guest has.
const ROOT: Contents = Contents {
    programs: &["/usr/bin/lspci", "/usr/bin/setpci", "/usr/sbin/kexec"],
    modules: &[
        "msr", "cpuid", "ahci", "ata_piix", "sd_mod", "e100", "e1000", "e1000e",
    ],
};

/// File systems, and those who judge disks.
pub(super) const DISK_TOOLS: Contents = Contents {
    programs: &[
        "/usr/sbin/mke2fs",
        "/usr/sbin/e2fsck",
        "/usr/sbin/cryptsetup",
        "/usr/sbin/hdparm",
        "/usr/sbin/smartctl",
    ],
    modules: &["ext4", "crc32c_generic", "dm-crypt", "xts", "aesni-intel", "ecb"],
};

/// The other end of a tunnel, and who asks for an address of IPv6.
pub(super) const NETWORK_TOOLS: Contents = Contents {
    programs: &["/usr/bin/wg", "/usr/sbin/dhclient"],
    modules: &["wireguard"],
};

/// The disk exerciser, whose libraries are many.
pub(super) const FIO: Contents = Contents {
    programs: &["/usr/bin/fio"],
    modules: &[],
};

/// The network's exerciser.
pub(super) const IPERF3: Contents = Contents {
    programs: &["/usr/bin/iperf3"],
    modules: &[],
};

const MODE_FOLDER: u32 = 0o040_755;
const MODE_PROGRAM: u32 = 0o100_755;

/// Writes the root's archive to `output`.
pub(super) fn write_root(output: &Path, kernel: &Kernel, agent: &Path, init: &Path) -> Result<(), Failure> {
    let mut files = BTreeMap::from([
        ("bin/busybox".to_owned(), PathBuf::from(BUSYBOX)),
        ("bin/agent".to_owned(), agent.to_owned()),
        ("init".to_owned(), init.to_owned()),
        ("vmlinuz".to_owned(), kernel.image.clone()),
        (NAMES.trim_start_matches('/').to_owned(), PathBuf::from(NAMES)),
    ]);
    add(&mut files, kernel, ROOT)?;
    pack(output, &files, &["dev", "proc", "sys", "tmp"])
}

/// Writes an archive to `output` that is laid over the root.
pub(super) fn write_overlay(output: &Path, kernel: &Kernel, contents: Contents) -> Result<(), Failure> {
    let mut files = BTreeMap::new();
    add(&mut files, kernel, contents)?;
    pack(output, &files, &[])
}

fn add(files: &mut BTreeMap<String, PathBuf>, kernel: &Kernel, contents: Contents) -> Result<(), Failure> {
    for program in contents.programs {
        add_program(files, program)?;
    }
    add_modules(files, kernel, contents.modules)
}

/// Archives `files` with the folders above them, and `empty` ones.
fn pack(output: &Path, files: &BTreeMap<String, PathBuf>, empty: &[&str]) -> Result<(), Failure> {
    let mut folders: BTreeSet<String> = empty.iter().map(|name| (*name).to_owned()).collect();
    for name in files.keys() {
        folders.extend(
            Path::new(name)
                .ancestors()
                .skip(1)
                .map(|folder| folder.display().to_string()),
        );
    }
    folders.remove("");
    archive(output, &folders, files)
}

/// The program and each library the loader would take for it.
fn add_program(files: &mut BTreeMap<String, PathBuf>, program: &str) -> Result<(), Failure> {
    let libraries = tool::run(Command::new("ldd").arg(program))?;
    let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    for path in paths.chain([program]) {
        files.insert(path.trim_start_matches('/').to_owned(), PathBuf::from(path));
    }
    Ok(())
}

/// The wanted modules, what they depend on, and the index that modprobe reads.
fn add_modules(
    files: &mut BTreeMap<String, PathBuf>,
    kernel: &Kernel,
    wanted: &[&str],
) -> Result<(), Failure> {
    let below = format!("lib/modules/{}", kernel.release);
    let index = kernel.root.join(&below).join("modules.dep");
    let text = std::fs::read_to_string(&index).map_err(Failure::file(&index))?;
    for line in text.lines() {
        let Some((module, needs)) = line.split_once(':') else {
            continue;
        };
        let stem = Path::new(module)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        if !wanted.contains(&stem.as_ref()) {
            continue;
        }
        for path in needs.split_whitespace().chain([module]) {
            files.insert(format!("{below}/{path}"), kernel.root.join(&below).join(path));
        }
    }
    files.insert(format!("{below}/modules.dep"), index);
    Ok(())
}

fn archive(
    output: &Path,
    folders: &BTreeSet<String>,
    files: &BTreeMap<String, PathBuf>,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let mut inode = 0;
    // Sorted names put every folder before what it holds.
    for name in folders {
        inode += 1;
        append(&mut bytes, name, inode, MODE_FOLDER, &[]).map_err(Failure::file(output))?;
    }
    for (name, source) in files {
        inode += 1;
        let content = std::fs::read(source).map_err(Failure::file(source))?;
        append(&mut bytes, name, inode, MODE_PROGRAM, &content).map_err(Failure::file(output))?;
    }
    let bytes = newc::trailer(bytes).map_err(Failure::file(output))?;
    std::fs::write(output, bytes).map_err(Failure::file(output))
}

fn append(archive: &mut Vec<u8>, name: &str, inode: u32, mode: u32, content: &[u8]) -> std::io::Result<()> {
    let size = u32::try_from(content.len()).map_err(std::io::Error::other)?;
    let mut entry = newc::Builder::new(name)
        .ino(inode)
        .mode(mode)
        .nlink(1)
        .write(archive, size);
    entry.write_all(content)?;
    entry.finish()?;
    Ok(())
}
