//! The packages of the five workspaces and what each declares to depend on, as `cargo metadata` tells it.

use crate::tree;
use serde::Deserialize;
use std::process::Command;

/// The folder of each workspace.
pub(crate) const WORKSPACES: [&str; 6] = [
    "",
    "hypervisor/bare",
    "tests/guests",
    "tests/fuzz",
    "tests/wireguard",
    "tests/judges/published",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// One package of a workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of its dependency tables.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or none for a normal one.
    pub(crate) kind: Option<String>,
    /// The folder of a crate of ours.
    pub(crate) path: Option<String>,
}

impl Package {
    /// Its folder from the root; empty for the root package.
    pub(crate) fn folder(&self) -> String {
        let root = tree::root().display().to_string();
        let folder = self.manifest_path.strip_suffix("Cargo.toml").unwrap();
        let folder = folder.strip_prefix(&root).unwrap();
        folder.trim_matches('/').to_owned()
    }

    pub(crate) fn is_test(&self) -> bool {
        self.folder().starts_with("tests/")
    }

    /// Names of the crates of ours that it depends on in this way.
    pub(crate) fn ours(&self, kind: Option<&str>) -> Vec<&str> {
        let ours = |dependency: &&Dependency| dependency.path.is_some() && dependency.kind.as_deref() == kind;
        let mut names: Vec<_> = self
            .dependencies
            .iter()
            .filter(ours)
            .map(|it| it.name.as_str())
            .collect();
        names.sort_unstable();
        names
    }
}

/// Every package of every workspace.
pub(crate) fn packages() -> Vec<Package> {
    WORKSPACES.into_iter().flat_map(of_workspace).collect()
}

fn of_workspace(folder: &str) -> Vec<Package> {
    // What is declared is in the manifests: nothing is resolved or fetched.
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(tree::root().join(folder).join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!metadata.packages.is_empty(), "{folder}");
    metadata.packages
}

#[test]
fn every_manifest_of_the_tree_belongs_to_a_workspace() {
    let packages = packages();
    for file in tree::files() {
        let Some(folder) = file.path.strip_suffix("Cargo.toml") else {
            continue;
        };
        let folder = folder.trim_end_matches('/');
        let known = packages.iter().any(|package| package.folder() == folder);
        assert!(known || WORKSPACES.contains(&folder), "{}", file.path);
    }
}
