//! What the command writes, held against judges that nobody here wrote.
//!
//! `tests/judges/setup.sh` and `tests/system/setup.sh` install them: `make judges`.

#![cfg(test)]

mod pipelines;
mod reports;
mod schema;
mod shells;
mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sekisho(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(root()).args(arguments).output().unwrap()
}

/// A judge of `target/judges`.
fn judge(name: &str) -> Command {
    let path = root().join("target/judges/bin").join(name);
    assert!(path.exists(), "{name} is not there: run `make judges`");
    let mut command = Command::new(path);
    command.current_dir(root());
    command
}

/// A judge that Debian has.
fn debian(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// What the judge says, who must be content.
fn content(judge: &mut Command) -> String {
    let name = judge.get_program().display().to_string();
    let output = judge
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}: run `make judges`"));
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    said
}

/// A folder of a test's own, empty.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The policies of a folder and of its folders.
fn policies(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The policies of `examples/`.
fn examples() -> Vec<PathBuf> {
    let expectations = |path: &PathBuf| path.to_string_lossy().ends_with(".expect.toml");
    policies("examples")
        .into_iter()
        .filter(|path| !expectations(path))
        .collect()
}
