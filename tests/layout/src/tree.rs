//! Every text file of the repository, with its path from the root.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Folders whose contents are made, not written.
const MADE: [&str; 4] = [".git", "target", "corpus", "artifacts"];
/// Inputs of fuzz targets: data, not text.
const SEEDS: &str = "tests/fuzz/seeds/";

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// In order of path. Files that are no text are left out, and links are not followed.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            let name = entry.file_name();
            if kind.is_dir() && !MADE.iter().any(|made| name == *made) {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                let path = entry.path().strip_prefix(&root).unwrap().display().to_string();
                files.push(File { path, text });
            }
        }
    }
    files.retain(|file| !file.path.starts_with(SEEDS));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_tree_is_seen_and_what_is_made_is_not() {
    let files = files();
    let has = |path: &str| files.iter().any(|file| file.path == path);
    assert!(has("Cargo.toml") && has(".ci/run") && has("hypervisor/machine/src/lib.rs"));
    assert!(files.len() > 300, "only {} files", files.len());
    let made = files
        .iter()
        .find(|file| file.path.split('/').any(|part| MADE.contains(&part)));
    assert!(made.is_none(), "{}", made.unwrap().path);
}
