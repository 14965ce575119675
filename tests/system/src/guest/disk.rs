//! A GPT disk with one EFI system partition, as firmware and boot loaders expect it.

use crate::failure::Failure;
use crate::tool;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's boot loader, which looks for `\EFI\debian\grub.cfg` on the partition it came from.
pub(super) const GRUB: &str = "/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi";

/// Where the partition starts, in bytes and in 512-byte sectors.
const PARTITION_OFFSET: &str = "1M";
const PARTITION_FIRST: u64 = 2048;
const MEBIBYTE: u64 = 1 << 20;
/// FAT32 needs at least 65,525 clusters; smaller programs get the same disk, as it is sparse.
const SMALLEST: u64 = 64 * MEBIBYTE;
/// Fixed identifiers, so that the same files give the same bytes.
const DISK_UUID: &str = "5e415e15-0000-4000-8000-000000000001";
const PARTITION_UUID: &str = "5e415e15-0000-4000-8000-000000000002";

/// One file of the partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EspFile {
    /// Its path on the partition, with forward slashes.
    pub path: String,
    /// The host's file it is a copy of.
    pub source: PathBuf,
}

impl EspFile {
    /// The file at `path`, a copy of `source`.
    pub fn new(path: &str, source: impl AsRef<Path>) -> Self {
        Self {
            path: path.to_owned(),
            source: source.as_ref().to_owned(),
        }
    }
}

/// Writes a disk image that holds `files` and nothing else.
///
/// # Errors
/// [`Failure`] where a file cannot be read or a tool fails.
pub fn write(output: &Path, files: &[EspFile]) -> Result<(), Failure> {
    let mut content = 0;
    for file in files {
        content += file.source.metadata().map_err(Failure::file(&file.source))?.len();
    }
    let size = (content + content / 4 + 8 * MEBIBYTE)
        .max(SMALLEST)
        .next_multiple_of(MEBIBYTE);
    // A disk that failed half-way must not look finished.
    let unfinished = output.with_extension("unfinished");
    let disk = std::fs::File::create(&unfinished).map_err(Failure::file(&unfinished))?;
    disk.set_len(size).map_err(Failure::file(&unfinished))?;
    drop(disk);
    partition(&unfinished)?;
    format(&unfinished, size, files)?;
    std::fs::rename(&unfinished, output).map_err(Failure::file(output))
}

fn partition(disk: &Path) -> Result<(), Failure> {
    tool::run(
        Command::new("sgdisk")
            .arg(format!("--disk-guid={DISK_UUID}"))
            .arg(format!("--new=1:{PARTITION_FIRST}:0"))
            .args(["--typecode=1:ef00", "--change-name=1:guest"])
            .arg(format!("--partition-guid=1:{PARTITION_UUID}"))
            .arg(disk),
    )?;
    Ok(())
}

fn format(disk: &Path, size: u64, files: &[EspFile]) -> Result<(), Failure> {
    // The second copy of the table takes the last 33 sectors; a mebibyte keeps the partition's end aligned.
    let sectors = (size - 2 * MEBIBYTE) / 512;
    let at = format!("{}@@{PARTITION_OFFSET}", disk.display());
    mtools(
        "mformat",
        &at,
        &["-F", "-N", "5e415e15", "-T", &sectors.to_string(), "::"],
    )?;
    let mut made: Vec<String> = Vec::new();
    for file in files {
        let folders: Vec<String> = Path::new(&file.path)
            .ancestors()
            .skip(1)
            .map(|folder| folder.display().to_string())
            .filter(|folder| !folder.is_empty())
            .collect();
        for folder in folders.into_iter().rev() {
            if !made.contains(&folder) {
                mtools("mmd", &at, &[&format!("::{folder}")])?;
                made.push(folder);
            }
        }
        let source = file.source.display().to_string();
        mtools("mcopy", &at, &[&source, &format!("::{}", file.path)])?;
    }
    Ok(())
}

fn mtools(program: &str, at: &str, arguments: &[&str]) -> Result<(), Failure> {
    tool::run(
        Command::new(program)
            .args(["-i", at])
            .args(arguments)
            .env("SOURCE_DATE_EPOCH", "315532800")
            .env("MTOOLS_SKIP_CHECK", "1"),
    )?;
    Ok(())
}
