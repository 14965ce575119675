//! The programs of `tests/guests`, a workspace of its own because it has other targets than this one.
//!
//! The UEFI applications are built by this crate's build script; the Linux agent, which needs the standard library
//! and other flags, when a guest image is made.

use super::disk::{self, EspFile};
use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Their target: the host's, so that no other standard library has to be installed.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The Linux agent, linked statically so that it runs in any root.
pub(super) fn agent() -> Result<PathBuf, Failure> {
    let workspace = paths::root().join("tests/guests");
    tool::run(
        Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--locked",
                "--package",
                "agent",
                "--target",
                TARGET,
            ])
            .current_dir(&workspace)
            .env("RUSTFLAGS", "-Ctarget-feature=+crt-static")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    Ok(workspace.join("target").join(TARGET).join("release/agent"))
}

/// The UEFI programs that take the place of an operating system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Tries to reach the hypervisor and the concealed device.
    Hostile,
    /// Interrupts, NMIs and single steps, exactly.
    Exact,
    /// Instructions an operation costs.
    Bench,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Hostile => "hostile",
            Self::Exact => "exact",
            Self::Bench => "bench",
        }
    }

    const fn elf(self) -> &'static [u8] {
        match self {
            Self::Hostile => include_bytes!(concat!(env!("OUT_DIR"), "/hostile.elf")),
            Self::Exact => include_bytes!(concat!(env!("OUT_DIR"), "/exact.elf")),
            Self::Bench => include_bytes!(concat!(env!("OUT_DIR"), "/bench.elf")),
        }
    }

    /// A guest disk that boots this program.
    ///
    /// # Errors
    /// [`Failure`] where the disk cannot be made.
    pub fn disk(self) -> Result<PathBuf, Failure> {
        let folder = paths::cache("guest")?;
        let application = folder.join(format!("{}.efi", self.name()));
        let pe = sekisho_image::pe::from_elf(self.elf()).map_err(|error| Failure::Tool {
            command: format!("ELF to PE of {}", self.name()),
            output: error.to_string(),
        })?;
        std::fs::write(&application, pe).map_err(Failure::file(&application))?;
        efi_disk(self.name(), &application)
    }
}

/// A guest disk that boots the UEFI application `source`, with and without the appliance before it.
///
/// # Errors
/// [`Failure`] where the disk cannot be made.
pub fn efi_disk(name: &str, source: &Path) -> Result<PathBuf, Failure> {
    let output = paths::cache("guest")?.join(format!("{name}.img"));
    disk::write(
        &output,
        &[
            EspFile::new("EFI/debian/grubx64.efi", source),
            EspFile::new("EFI/BOOT/BOOTX64.EFI", source),
        ],
    )?;
    Ok(output)
}
