//! Builds the programs of `tests/guests`, a workspace of its own because it has other targets than this one.

use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::path::PathBuf;
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
