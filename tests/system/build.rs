//! Builds the programs of `tests/guests`: `$OUT_DIR/NAME.elf` of each UEFI application, and the Linux agent, which
//! needs the standard library and so other flags, as `$OUT_DIR/agent`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const WORKSPACE: &str = "../guests";
const APPLICATIONS: [&str; 3] = ["hostile", "exact", "bench"];
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    let built = sekisho_nested::build(WORKSPACE.as_ref(), &APPLICATIONS)
        .map_err(|error| error.to_string())
        .and_then(|_| build_agent());
    match built {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            println!("cargo::error={sentence}");
            ExitCode::FAILURE
        }
    }
}

/// The agent is linked statically, so that it runs in any root.
fn build_agent() -> Result<(), String> {
    for source in ["agent/src", "agent/Cargo.toml"] {
        println!("cargo::rerun-if-changed={WORKSPACE}/{source}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let cargo = env::var_os("CARGO").ok_or("CARGO is not set")?;
    let target = out.join("agent-target");
    let status = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "agent",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(WORKSPACE)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static")
        .env_remove("RUSTFLAGS")
        .status()
        .map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("the agent's cargo build failed: {status}"));
    }
    let built = target.join(Path::new(TARGET)).join("release/agent");
    fs::copy(&built, out.join("agent")).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(())
}
