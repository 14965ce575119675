//! The emulator: Debian's own, and a newer one for the CPU model that needs it, unpacked below `target/` and not installed.

use crate::failure::Failure;
use crate::machine::Cpu;
use crate::{package, paths, tool};
use std::path::PathBuf;
use std::process::Command;

/// The emulator's name.
pub(crate) const NAME: &str = "qemu-system-x86_64";
/// What the newer one is made of.
const PACKAGES: [&str; 3] = ["qemu-system-x86", "qemu-system-data", "seabios"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A program, and the arguments that come before all others.
pub(crate) struct Emulator {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Emulator {
    /// The one for machines of this CPU.
    ///
    /// # Errors
    /// [`Failure`] where the newer one cannot be fetched.
    pub(crate) fn of(cpu: Cpu) -> Result<Self, Failure> {
        if cpu != Cpu::EpycWithX2Apic {
            return Ok(Self {
                program: NAME.into(),
                arguments: Vec::new(),
            });
        }
        let root = paths::cache("emulator")?;
        let program = root.join("usr/bin").join(NAME);
        if !program.exists() {
            let backports = backports()?;
            for package in PACKAGES {
                package::unpack_from(&backports, package, &root)?;
            }
        }
        let own = root.join("usr/share");
        let folders = [own.join("qemu"), own.join("seabios"), "/usr/share/qemu".into()];
        let arguments = folders
            .iter()
            .flat_map(|folder| ["-L".to_owned(), folder.display().to_string()])
            .collect();
        Ok(Self { program, arguments })
    }
}

/// The options by which apt knows the backports of this release alone, with lists of their own.
fn backports() -> Result<Vec<String>, Failure> {
    let folder = paths::cache("backports")?;
    let known = tool::run(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME)",
        "Created-By: Packages",
    ]))?;
    let main = known.lines().find_map(|line| line.split_once(' '));
    let (address, release) = main.ok_or_else(|| Failure::Tool {
        command: "apt-get indextargets".to_owned(),
        output: known.clone(),
    })?;
    let list = folder.join("sources.list");
    let text = format!("deb [signed-by={KEYRING}] {address} {release}-backports main\n");
    std::fs::write(&list, text).map_err(Failure::file(&list))?;
    let lists = paths::cache("backports/lists")?;
    let options = [
        format!("Dir::Etc::SourceList={}", list.display()),
        "Dir::Etc::SourceParts=-".to_owned(),
        format!("Dir::State::Lists={}", lists.display()),
    ];
    let options: Vec<String> = options
        .into_iter()
        .flat_map(|option| ["-o".to_owned(), option])
        .collect();
    tool::run(Command::new("apt-get").args(&options).args(["update", "-q"]))?;
    Ok(options)
}
