//! Which crate may depend on which: the arrows of ARCHITECTURE.md, each way exactly.

use crate::manifest::{Package, packages};
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};

/// Every crate of the product, and the crates of ours it depends on.
const ARROWS: [(&str, &[&str]); 13] = [
    (
        "sekisho",
        &[
            "sekisho-abi",
            "sekisho-image",
            "sekisho-keys",
            "sekisho-offline",
            "sekisho-policy",
        ],
    ),
    ("sekisho-policy", &["sekisho-abi", "sekisho-crypto"]),
    ("sekisho-abi", &[]),
    ("sekisho-crypto", &[]),
    ("sekisho-keys", &["sekisho-abi", "sekisho-crypto"]),
    (
        "sekisho-image",
        &["sekisho-abi", "sekisho-crypto", "sekisho-keys"],
    ),
    (
        "sekisho-offline",
        &["sekisho-abi", "sekisho-crypto", "sekisho-keys"],
    ),
    ("sekisho-nested", &[]),
    ("sekisho-vpn", &["sekisho-crypto"]),
    (
        "sekisho-mediator",
        &["sekisho-abi", "sekisho-crypto", "sekisho-vpn"],
    ),
    (
        "sekisho-machine",
        &["sekisho-abi", "sekisho-keys", "sekisho-mediator"],
    ),
    (
        "sekisho-loader",
        &[
            "sekisho-abi",
            "sekisho-crypto",
            "sekisho-keys",
            "sekisho-mediator",
            "sekisho-runtime",
        ],
    ),
    (
        "sekisho-hypervisor",
        &["sekisho-abi", "sekisho-machine", "sekisho-runtime"],
    ),
];
/// Crates of the product without any, beside those above.
const ALONE: [&str; 1] = ["sekisho-runtime"];
/// Who builds bare-metal binaries, and with what.
const BUILDS: [(&str, &[&str]); 1] = [("sekisho-image", &["sekisho-nested"])];
/// What runs below the operating system.
const TARGET: [&str; 2] = ["sekisho-loader", "sekisho-hypervisor"];
/// What must never be part of it.
const HOST_ONLY: [&str; 5] = [
    "sekisho",
    "sekisho-policy",
    "sekisho-image",
    "sekisho-nested",
    "sekisho-offline",
];
/// Ciphers, hashes, key derivation and their kin, by the beginnings of their names.
const CIPHERS: [&str; 22] = [
    "aead",
    "aes",
    "argon2",
    "blake",
    "chacha20",
    "curve25519",
    "digest",
    "ed25519",
    "ghash",
    "hkdf",
    "hmac",
    "md-5",
    "openssl",
    "pbkdf2",
    "poly1305",
    "ring",
    "rsa",
    "scrypt",
    "sha1",
    "sha2",
    "x25519",
    "xts",
];

fn allowed<'a>(list: &[(&'a str, &[&'a str])], name: &str) -> Vec<&'a str> {
    let found = list.iter().find(|(from, _)| *from == name);
    found.map(|(_, to)| to.to_vec()).unwrap_or_default()
}

fn product() -> Vec<Package> {
    packages()
        .into_iter()
        .filter(|package| !package.is_test())
        .collect()
}

#[test]
fn each_crate_depends_on_what_the_architecture_says() {
    for package in product() {
        let name = package.name.as_str();
        let listed = ARROWS.iter().any(|(from, _)| *from == name) || ALONE.contains(&name);
        assert!(listed, "{name} is in no arrow");
        assert_eq!(package.ours(None), allowed(&ARROWS, name), "{name}");
        assert_eq!(
            package.ours(Some("build")),
            allowed(&BUILDS, name),
            "{name}, to build"
        );
    }
}

#[test]
fn each_arrow_is_of_a_crate_that_exists() {
    let product: BTreeSet<String> = product().into_iter().map(|package| package.name).collect();
    let arrows = ARROWS.iter().map(|(from, _)| *from).chain(ALONE);
    let listed: BTreeSet<String> = arrows.map(str::to_owned).collect();
    assert_eq!(product, listed);
}

#[test]
fn nothing_depends_on_tests() {
    let packages = packages();
    let tests: BTreeSet<&str> = packages
        .iter()
        .filter(|package| package.is_test())
        .map(|package| package.name.as_str())
        .collect();
    assert!(
        tests.contains("sekisho-models") && tests.contains("hostile"),
        "{tests:?}"
    );
    for package in packages.iter().filter(|package| !package.is_test()) {
        for kind in [None, Some("build"), Some("dev")] {
            let found: Vec<_> = package
                .ours(kind)
                .into_iter()
                .filter(|name| tests.contains(name))
                .collect();
            assert!(found.is_empty(), "{}: {found:?}", package.name);
        }
    }
}

/// The crates of ours that are linked into `roots`.
fn linked(packages: &[Package], roots: &[&str]) -> BTreeSet<String> {
    let by_name: BTreeMap<&str, &Package> = packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut waiting: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    let mut linked = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        let below = by_name[name.as_str()].ours(None);
        waiting.extend(
            below
                .into_iter()
                .filter(|it| !linked.contains(*it))
                .map(str::to_owned),
        );
        linked.insert(name);
    }
    linked
}

#[test]
fn policy_and_image_never_enter_the_target_build() {
    let linked = linked(&packages(), &TARGET);
    assert!(
        linked.contains("sekisho-abi") && linked.contains("sekisho-machine"),
        "{linked:?}"
    );
    for name in HOST_ONLY {
        assert!(!linked.contains(name), "{name}");
    }
}

#[test]
fn what_runs_below_the_operating_system_needs_no_standard_library() {
    let packages = packages();
    let linked = linked(&packages, &TARGET);
    for package in packages.iter().filter(|package| linked.contains(&package.name)) {
        let folder = package.folder();
        let root = if TARGET.contains(&package.name.as_str()) {
            "main.rs"
        } else {
            "lib.rs"
        };
        let text = tree::read(&format!("{folder}/src/{root}"));
        assert!(
            text.contains("\n#![no_std]\n") || text.contains("\n#![cfg_attr(not(test), no_std)]\n"),
            "{folder}"
        );
    }
}

#[test]
fn only_crypto_names_cipher_and_hash_libraries() {
    let mut users = BTreeSet::new();
    // Tests measure beside others' ciphers.
    for package in product() {
        for dependency in &package.dependencies {
            if CIPHERS.iter().any(|cipher| dependency.name.starts_with(cipher)) {
                users.insert(package.name.clone());
            }
        }
    }
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["sekisho-crypto"]);
}
