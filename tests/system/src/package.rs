//! Debian packages that are unpacked below `target/` and not installed: a kernel, and daemons that would start as services.

use crate::failure::Failure;
use crate::{paths, tool};
use std::path::Path;
use std::process::Command;

/// Fetches the release's current `package`, and puts its files below `root`.
///
/// # Errors
/// [`Failure`] where it cannot be fetched or unpacked.
pub(crate) fn unpack(package: &str, root: &Path) -> Result<(), Failure> {
    unpack_from(&[], package, root)
}

/// The same, with options of apt's that say where packages come from.
pub(crate) fn unpack_from(options: &[String], package: &str, root: &Path) -> Result<(), Failure> {
    let downloads = paths::cache("download")?;
    tool::run(
        Command::new("apt-get")
            .args(options)
            .args(["download", "-q", package])
            .current_dir(&downloads),
    )?;
    for entry in std::fs::read_dir(&downloads).map_err(Failure::file(&downloads))? {
        let archive = entry.map_err(Failure::file(&downloads))?.path();
        tool::run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(root))?;
        std::fs::remove_file(&archive).map_err(Failure::file(&archive))?;
    }
    Ok(())
}
