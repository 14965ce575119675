//! Builds bare-metal binaries from a build script, on a toolchain that has only the host's standard library.
//!
//! A workspace of bare-metal binaries (`hypervisor/bare`, `tests/guests`) is compiled by a cargo of its own, for
//! `x86_64-unknown-linux-gnu` with `#![no_std]`, and linked as static PIE by the linker alone, without C runtime
//! objects. `sekisho_image::pe::from_elf` turns such an ELF into a UEFI application.
//!
//! ```no_run
//! // build.rs of the crate that wants the binaries; `[build-dependencies] sekisho-nested.workspace = true`
//! let built = sekisho_nested::build("../../tests/guests".as_ref(), &["hostile", "bench"]).unwrap();
//! // Each is now at $OUT_DIR/NAME.elf: include_bytes!(concat!(env!("OUT_DIR"), "/hostile.elf"))
//! assert_eq!(built.len(), 2);
//! ```
//!
//! A binary of such a workspace
//! - has `#![no_std] #![no_main]`, a `#[panic_handler]`, and `use sekisho_runtime as _;` for `memcpy` and the like;
//! - names its entry point in its own `build.rs`: `println!("cargo::rustc-link-arg-bins=--entry=efi_main");`
//! - sets `test = false, bench = false` in its `[[bin]]`, and `panic = "abort"` in the workspace's profiles;
//! - has its `Cargo.lock` committed: the build is `--locked`.
//!
//! What is trusted: the toolchain that runs the build script. Every setting of the outer build that could leak
//! into the bytes (flags, wrappers, profile overrides) is removed first, so they depend on the sources, the
//! toolchain, and the folder they are built in: no path is in the bytes, but cargo hashes the place of crates outside
//! the workspace into their names, and the order of functions follows from that.

mod environment;
mod linker;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{env, fs, io};

/// The only target whose standard library is installed with the toolchain; its `core` keeps AES-NI and SSE2.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Why the binaries could not be built.
#[derive(Debug)]
pub enum Error {
    /// Not run by cargo as a build script: this variable is missing.
    NotABuildScript(&'static str),
    /// No linker for static PIE: neither rust-lld nor `ld.lld` nor `ld`.
    NoLinker,
    /// A file or program could not be used.
    Io(PathBuf, io::Error),
    /// The nested cargo said why on stderr.
    Failed(ExitStatus),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABuildScript(name) => write!(f, "{name} is not set: this runs only in a build script"),
            Self::NoLinker => write!(
                f,
                "no linker found: neither rust-lld in the toolchain, nor ld.lld, nor ld"
            ),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Failed(status) => write!(f, "the nested cargo build failed: {status}"),
        }
    }
}

impl std::error::Error for Error {}

/// Builds the binary packages `binaries` of the workspace in `workspace` and copies each to `$OUT_DIR/NAME.elf`.
///
/// Tells cargo to run the build script again when any source file of theirs changes.
///
/// # Errors
/// [`Error`]; the compiler's own messages are on stderr by then.
pub fn build(workspace: &Path, binaries: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let out = environment::required_path("OUT_DIR")?;
    let workspace = fs::canonicalize(workspace).map_err(|error| Error::Io(workspace.into(), error))?;
    let target = environment::target_directory(&out);
    run_cargo(&workspace, &target, binaries)?;
    sources::watch(&workspace.join("Cargo.toml"));
    sources::watch(&workspace.join("Cargo.lock"));
    let release = target.join(TARGET).join("release");
    binaries
        .iter()
        .map(|name| collect(&release, &out, name))
        .collect()
}

/// Copies one binary out of the shared target directory and watches what it was made from.
fn collect(release: &Path, out: &Path, name: &str) -> Result<PathBuf, Error> {
    let dependencies = release.join(format!("{name}.d"));
    let listed = fs::read_to_string(&dependencies).map_err(|error| Error::Io(dependencies, error))?;
    sources::watch_all(&listed);
    let built = release.join(name);
    let elf = out.join(format!("{name}.elf"));
    fs::copy(&built, &elf).map_err(|error| Error::Io(built, error))?;
    Ok(elf)
}

/// One cargo for all `binaries`, with nothing of the outer build in its environment.
fn run_cargo(workspace: &Path, target: &Path, binaries: &[&str]) -> Result<(), Error> {
    let cargo = environment::required_path("CARGO")?;
    let mut command = Command::new(&cargo);
    environment::isolate(&mut command);
    command
        .current_dir(workspace)
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace)?.join("\x1f"));
    for name in binaries {
        command.args(["--package", name]);
    }
    let status = command.status().map_err(|error| Error::Io(cargo, error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Failed(status))
    }
}

/// The compiler's flags: code that may run at any address, below any operating system, wherever it was built.
fn flags(workspace: &Path) -> Result<Vec<String>, Error> {
    let linker = linker::find(&environment::rustc())?;
    let mut flags: Vec<String> = [
        "-Cno-redzone=yes", // an interrupt on the same stack would overwrite it
        "-Crelocation-model=pie",
        "-Ctarget-cpu=x86-64",
        "-Cforce-unwind-tables=no", // nothing unwinds: panics abort
        "-Cforce-frame-pointers=yes",
        // The upper halves of vector registers are the guest's, and lent to one kernel (`machine/src/vectors.rs`): no crate
        // may find AVX and use it.
        "--cfg=sekisho_bare",
        "--cfg=aes_backend=\"soft\"",
        "--cfg=chacha20_backend=\"sse2\"",
        "--cfg=curve25519_dalek_backend=\"serial\"",
        "--cfg=poly1305_backend=\"soft\"",
    ]
    .map(String::from)
    .into();
    flags.push(format!("-Clinker={}", linker.program.display()));
    flags.push(format!("-Clinker-flavor={}", linker.flavor));
    flags.extend(
        linker::ARGUMENTS
            .iter()
            .map(|argument| format!("-Clink-arg={argument}")),
    );
    flags.extend(remapped(workspace));
    Ok(flags)
}

/// Panic messages name source files; these prefixes would tell where the image was built.
fn remapped(workspace: &Path) -> Vec<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    // The last prefix that matches wins, so the most general comes first.
    let repository = workspace.ancestors().find(|folder| folder.join(".git").exists());
    let places = [
        (repository, "sekisho"),
        (Some(workspace), "bare"),
        (home.as_deref(), "cargo"),
    ];
    let known = places
        .into_iter()
        .filter_map(|(folder, name)| Some((folder?, name)));
    known
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect()
}
