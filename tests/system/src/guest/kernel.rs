//! Debian's own kernel package, fetched and unpacked below `target/` rather than installed on the host.

use crate::failure::Failure;
use crate::{package, paths, tool};
use std::path::PathBuf;
use std::process::Command;

/// The package that names the release's current kernel package.
const META_PACKAGE: &str = "linux-image-amd64";

/// An unpacked kernel package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kernel {
    /// As `uname -r` tells it.
    pub(super) release: String,
    /// The bootable image.
    pub(super) image: PathBuf,
    /// The root below which `lib/modules/RELEASE` lies.
    pub(super) root: PathBuf,
}

/// The kernel fetched earlier, or the release's current one.
pub(super) fn fetch() -> Result<Kernel, Failure> {
    let root = paths::cache("kernel")?;
    if let Some(kernel) = unpacked(root.clone())? {
        return Ok(kernel);
    }
    let depends = tool::run(Command::new("apt-cache").args(["depends", META_PACKAGE]))?;
    let package = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"))
        .ok_or_else(|| Failure::Tool {
            command: format!("apt-cache depends {META_PACKAGE}"),
            output: depends.clone(),
        })?;
    package::unpack(package, &root)?;
    unpacked(root.clone())?.ok_or_else(|| Failure::Tool {
        command: format!("dpkg-deb -x {package}"),
        output: format!("no kernel in {}", root.display()),
    })
}

fn unpacked(root: PathBuf) -> Result<Option<Kernel>, Failure> {
    let modules = root.join("lib/modules");
    let Ok(mut entries) = std::fs::read_dir(&modules) else {
        return Ok(None);
    };
    let Some(entry) = entries.next() else {
        return Ok(None);
    };
    let name = entry.map_err(Failure::file(&modules))?.file_name();
    let release = name.to_string_lossy().into_owned();
    let image = root.join(format!("boot/vmlinuz-{release}"));
    // The list of dependencies is made by the package's installation, which did not happen.
    if !modules.join(&release).join("modules.dep").exists() {
        tool::run(Command::new("depmod").arg("-b").arg(&root).arg(&release))?;
    }
    Ok(image.exists().then_some(Kernel { release, image, root }))
}
