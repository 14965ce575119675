//! Who may say `unsafe`: the machine, the bare-metal binaries, the test guests, and the files of crypto's kernels. All
//! others forbid it.

use crate::manifest::{Package, packages};
use crate::{tokens, tree};
use toml::Table;

/// Folders of crates that are the machine, or run on it without a system.
const MAY: [&str; 3] = ["hypervisor/machine/", "hypervisor/bare/", "tests/guests/"];
/// Files of a crate that denies it otherwise: the kernels of ciphers, who says that they may run, and what measures how
/// fast one can be.
const KERNELS: [&str; 7] = [
    "crypto/src/aead/avx2.rs",
    "crypto/src/aead/pair.rs",
    "crypto/src/aead/ssse3.rs",
    "crypto/src/aead/vectors.rs",
    "crypto/src/xts/aesni/kernel.rs",
    "crypto/src/xts/aesni/keys.rs",
    "tests/system/src/bench/limit.rs",
];
/// Manifests that say what an `unsafe` block there must have.
const ACCOUNTABLE: [(&str, &[&str]); 5] = [
    ("crypto/Cargo.toml", &["lints", "clippy"]),
    ("tests/system/Cargo.toml", &["lints", "clippy"]),
    ("hypervisor/machine/Cargo.toml", &["lints", "clippy"]),
    ("hypervisor/bare/Cargo.toml", &["workspace", "lints", "clippy"]),
    ("tests/guests/Cargo.toml", &["workspace", "lints", "clippy"]),
];

fn may(path: &str) -> bool {
    MAY.iter().any(|folder| path.starts_with(folder))
}

#[test]
fn only_the_machine_and_kernels_say_unsafe() {
    let files = tree::files();
    let users: Vec<_> = files
        .iter()
        .filter(|file| {
            file.is_rust()
                && tokens::words(&file.path, &file.text)
                    .iter()
                    .any(|word| word == "unsafe")
        })
        .map(|file| file.path.as_str())
        .collect();
    assert!(users.contains(&"hypervisor/machine/src/memory.rs"), "{users:?}");
    let others: Vec<_> = users
        .into_iter()
        .filter(|path| !may(path) && !KERNELS.contains(path))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// The value at a path of keys.
fn value<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t toml::Value> {
    let (first, rest) = keys.split_first()?;
    let found = table.get(*first)?;
    if rest.is_empty() {
        Some(found)
    } else {
        value(found.as_table()?, rest)
    }
}

fn manifest(path: &str) -> Table {
    tree::read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest_of(package: &Package) -> Table {
    manifest(format!("{}/Cargo.toml", package.folder()).trim_start_matches('/'))
}

#[test]
fn every_other_crate_forbids_it() {
    let root = manifest("Cargo.toml");
    let level = value(&root, &["workspace", "lints", "rust", "unsafe_code"]);
    assert_eq!(level.and_then(toml::Value::as_str), Some("forbid"));
    for package in packages() {
        let folder = package.folder() + "/";
        // The fuzz engine's own macro declares an unsafe function; the sources are looked at above.
        if may(&folder) || folder == "tests/fuzz/" {
            continue;
        }
        if KERNELS.iter().any(|file| file.starts_with(&folder)) {
            let level = manifest_of(&package);
            let level = value(&level, &["lints", "rust", "unsafe_code"]);
            assert_eq!(level.and_then(toml::Value::as_str), Some("deny"), "{folder}");
            continue;
        }
        let inherits =
            value(&manifest_of(&package), &["lints", "workspace"]) == Some(&toml::Value::Boolean(true));
        assert!(
            inherits,
            "{} does not inherit the workspace's lints",
            package.name
        );
    }
}

#[test]
fn each_unsafe_block_must_say_why_it_holds() {
    for (path, keys) in ACCOUNTABLE {
        let keys = [keys, &["undocumented_unsafe_blocks"]].concat();
        assert_eq!(
            value(&manifest(path), &keys).and_then(toml::Value::as_str),
            Some("deny"),
            "{path}"
        );
    }
}
