//! The outer build's environment: what is read from it, and what the nested build must not see of it.

use crate::Error;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables of the outer build, beside `CARGO_*`, that would change the nested one or make it rebuild.
const REMOVED: &[&str] = &[
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "TARGET",
    "HOST",
    "PROFILE",
    "OUT_DIR",
    "OPT_LEVEL",
    "DEBUG",
    "NUM_JOBS",
];

/// Variables that say where crates come from, not what is built of them.
const KEPT: &[&str] = &["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR"];

/// A path that cargo gives to every build script.
pub(crate) fn required_path(name: &'static str) -> Result<PathBuf, Error> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or(Error::NotABuildScript(name))
}

/// The compiler of the outer build.
pub(crate) fn rustc() -> PathBuf {
    env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// Where nested builds keep their work: one place in the outer target directory, so that the outer build's
/// profiles (which differ in `OUT_DIR`, not in the bytes built here) don't each compile everything anew.
pub(crate) fn target_directory(out: &Path) -> PathBuf {
    let outer = out
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists());
    outer.unwrap_or(out).join("nested")
}

/// Removes the outer build from the environment of `command`.
pub(crate) fn isolate(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if REMOVED.contains(&text) || is_the_outer_build(text) {
            command.env_remove(name);
        }
    }
}

/// Whether this variable is cargo's, and not one of [`KEPT`].
fn is_the_outer_build(name: &str) -> bool {
    let of_cargo = name == "CARGO" || name.starts_with("CARGO_") || name.starts_with("DEP_");
    of_cargo && !KEPT.iter().any(|kept| name.starts_with(kept))
}

#[cfg(test)]
mod tests {
    use super::is_the_outer_build;

    #[test]
    fn only_where_crates_come_from_is_kept_of_cargo() {
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "CARGO_REGISTRIES_X_INDEX",
            "PATH",
        ] {
            assert!(!is_the_outer_build(name), "{name}");
        }
        for name in [
            "CARGO",
            "CARGO_MAKEFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "DEP_Z_ROOT",
        ] {
            assert!(is_the_outer_build(name), "{name}");
        }
    }
}
