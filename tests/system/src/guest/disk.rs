//! Guest disks: a GPT with one EFI system partition, as firmware and boot loaders expect it.

use crate::failure::Failure;
use sekisho_image::disk::{self, File};
use std::path::{Path, PathBuf};

/// Debian's boot loader, which looks for `\EFI\debian\grub.cfg` on the partition it came from.
pub(super) const GRUB: &str = "/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi";

const LABEL: &str = "guest";

/// One file of the partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct EspFile {
    /// Its path on the partition, with forward slashes.
    path: &'static str,
    /// The host's file it is a copy of.
    source: PathBuf,
}

impl EspFile {
    /// The file at `path`, a copy of `source`.
    pub(super) fn new(path: &'static str, source: impl AsRef<Path>) -> Self {
        Self {
            path,
            source: source.as_ref().to_owned(),
        }
    }
}

/// Writes a disk image that holds `files` and nothing else.
pub(super) fn write(output: &Path, files: &[EspFile]) -> Result<(), Failure> {
    let contents = files
        .iter()
        .map(|file| std::fs::read(&file.source).map_err(Failure::file(&file.source)))
        .collect::<Result<Vec<_>, _>>()?;
    let files: Vec<File<'_>> = files
        .iter()
        .zip(&contents)
        .map(|(file, bytes)| File {
            path: file.path,
            bytes,
        })
        .collect();
    let image = disk::build(LABEL, &files).map_err(|error| Failure::Tool {
        command: format!("disk::build for {}", output.display()),
        output: error.to_string(),
    })?;
    // A disk that failed half-way must not look finished.
    let unfinished = output.with_extension("unfinished");
    std::fs::write(&unfinished, image).map_err(Failure::file(&unfinished))?;
    std::fs::rename(&unfinished, output).map_err(Failure::file(output))
}
