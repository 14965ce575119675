//! Which linker makes the static PIE, and what it is told.

use crate::{Error, TARGET};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every linker here is told: a position-independent program that needs nobody to load it, with only
/// relative relocations, none of them in code, and code in segments of its own.
///
/// `max-page-size` and `separate-code` let each segment become a PE section with one access.
pub(crate) const ARGUMENTS: &[&str] = &[
    "-pie",
    "--no-dynamic-linker",
    "-ztext",
    "-znorelro",
    "--build-id=none",
    "--hash-style=sysv",
    "-zmax-page-size=4096",
    "-znoexecstack",
    "-zseparate-code",
    "--gc-sections",
];

/// A linker, and the name rustc has for its kind. These kinds add no C runtime objects.
pub(crate) struct Linker {
    pub(crate) program: PathBuf,
    pub(crate) flavor: &'static str,
}

/// The toolchain's own rust-lld, else the system's `ld.lld`, else GNU `ld`.
pub(crate) fn find(rustc: &Path) -> Result<Linker, Error> {
    let bundled = sysroot(rustc)?
        .join("lib/rustlib")
        .join(TARGET)
        .join("bin/rust-lld");
    if bundled.exists() {
        return Ok(Linker {
            program: bundled,
            flavor: "ld.lld",
        });
    }
    let installed = [("ld.lld", "ld.lld"), ("ld", "ld")];
    let found = installed.into_iter().find(|(program, _)| answers(program));
    found
        .map(|(program, flavor)| Linker {
            program: program.into(),
            flavor,
        })
        .ok_or(Error::NoLinker)
}

/// Whether a program of this name can be run.
fn answers(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Where the compiler is installed.
fn sysroot(rustc: &Path) -> Result<PathBuf, Error> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let output = output.map_err(|error| Error::Io(rustc.into(), error))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
