//! The `sekisho` command as a user calls it, and a key store made by it.

use crate::failure::Failure;
use crate::paths;
use crate::tool;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The passphrase of every store that is made here.
pub const PASSPHRASE: &str = "correct horse battery staple";
/// Memory-hard enough to be real, small enough for an emulated CPU: KiB, passes.
const COSTS: [&str; 4] = ["--argon2-memory", "8192", "--argon2-time", "4"];

/// Runs the command with these arguments and returns what it printed.
///
/// # Errors
/// [`Failure::Tool`] with both its outputs where it ends with another status than 0.
pub fn sekisho<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(
    arguments: I,
) -> Result<String, Failure> {
    tool::run(Command::new(binary()?).args(arguments))
}

/// The command, built once, in the profile that the host tests have built it in already.
fn binary() -> Result<PathBuf, Failure> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built.clone());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "test",
        "--bin",
        "sekisho",
    ]);
    tool::run(build.current_dir(paths::root()))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| paths::root().join("target"), PathBuf::from);
    Ok(BUILT.get_or_init(|| target.join("debug/sekisho")).clone())
}

/// A policy with its key store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// The store's folder.
    pub folder: PathBuf,
    policy: PathBuf,
    passphrase: PathBuf,
    recovery: PathBuf,
}

impl Store {
    /// Makes the store `name` of the policy `text`, in place of an earlier one.
    ///
    /// # Errors
    /// [`Failure`] of the command.
    pub fn make(name: &str, text: &str) -> Result<Self, Failure> {
        let place = paths::cache("stores")?.join(name);
        if place.exists() {
            std::fs::remove_dir_all(&place).map_err(Failure::file(&place))?;
        }
        std::fs::create_dir_all(&place).map_err(Failure::file(&place))?;
        let store = Self {
            folder: place.join("keys"),
            policy: place.join("policy.toml"),
            passphrase: place.join("passphrase"),
            recovery: place.join("recovery"),
        };
        write(&store.policy, text)?;
        write(&store.passphrase, &format!("{PASSPHRASE}\n"))?;
        let mut arguments = vec!["keys".as_ref(), "init".as_ref(), store.folder.as_os_str()];
        arguments.extend(["--policy".as_ref(), store.policy.as_os_str()]);
        arguments.extend(["--passphrase-file".as_ref(), store.passphrase.as_os_str()]);
        arguments.extend(["--recovery-file".as_ref(), store.recovery.as_os_str()]);
        arguments.extend(COSTS.map(std::ffi::OsStr::new));
        sekisho(arguments)?;
        Ok(store)
    }

    /// Encrypts what the policy names on `disk`.
    ///
    /// # Errors
    /// [`Failure`] of the command.
    pub fn encrypt(&self, disk: &Path) -> Result<String, Failure> {
        sekisho([
            "disk".as_ref(),
            "encrypt".as_ref(),
            disk.as_os_str(),
            "--policy".as_ref(),
            self.policy.as_os_str(),
            "--keys".as_ref(),
            self.folder.as_os_str(),
            "--passphrase-file".as_ref(),
            self.passphrase.as_os_str(),
        ])
    }

    /// Builds the bootable image called `name`.
    ///
    /// # Errors
    /// [`Failure`] of the command.
    pub fn image(&self, name: &str) -> Result<PathBuf, Failure> {
        let output = paths::cache("images")?.join(format!("{name}.img"));
        sekisho([
            "image".as_ref(),
            "build".as_ref(),
            self.policy.as_os_str(),
            "--keys".as_ref(),
            self.folder.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ])?;
        Ok(output)
    }

    /// The detached LUKS2 header of a volume.
    #[must_use]
    pub fn header(&self, volume: &str) -> PathBuf {
        self.folder.join("volumes").join(format!("{volume}.luks2"))
    }

    /// The recovery key.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub fn recovery(&self) -> Result<String, Failure> {
        std::fs::read_to_string(&self.recovery).map_err(Failure::file(&self.recovery))
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::file(path))
}
