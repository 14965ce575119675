//! `fmt` as people, editors and hooks call it.

use super::{GOOD, broken, root, sekisho, text, with_input};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const SLOPPY: &str = "policy=1\nname   = 'a' # mine\n[defaults]\nstorage=\"pass\"\n";
const FORMATTED: &str =
    "policy = 1\nname = 'a'                        # mine\n\n[defaults]\nstorage = \"pass\"\n";

/// A folder of this test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fmt-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_policy_is_put_in_order_and_keeps_its_permissions() {
    let folder = folder("order");
    let policy = folder.join("a.toml");
    fs::write(&policy, SLOPPY).unwrap();
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.join("link.toml");
    std::os::unix::fs::symlink("a.toml", &link).unwrap();
    let output = sekisho(&["fmt", link.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert_eq!(fs::read_to_string(&policy).unwrap(), FORMATTED);
    assert_eq!(fs::metadata(&policy).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "something was left behind"
    );
}

#[test]
fn check_names_the_file_and_its_first_line_and_changes_nothing() {
    let policy = folder("check").join("a.toml");
    fs::write(&policy, SLOPPY).unwrap();
    let name = policy.to_str().unwrap();
    let output = sekisho(&["fmt", "--check", GOOD, name]);
    assert_eq!(output.status.code(), Some(1));
    let said = format!("{name}:1: not in order: \"policy=1\", should be \"policy = 1\"\n");
    assert!(
        text(&output.stderr).starts_with(&said),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(fs::read_to_string(&policy).unwrap(), SLOPPY);
}

#[test]
fn a_dash_formats_standard_input() {
    let output = with_input(&["fmt", "-"], SLOPPY.as_bytes());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), FORMATTED));
}

#[test]
fn what_does_not_parse_is_told_as_by_check_and_left_alone() {
    let policy = folder("broken").join("a.toml");
    fs::copy(root().join(broken("toml-syntax")), &policy).unwrap();
    let before = fs::read(&policy).unwrap();
    let output = sekisho(&["fmt", policy.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("error[E0101]"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(fs::read(&policy).unwrap(), before);
}

#[test]
fn the_policies_of_the_examples_are_in_order() {
    let policies = ["encrypted-disk", "field-laptop", "first-light", "shared-nic"];
    let policies = policies.map(|name| format!("examples/{name}.toml"));
    let mut arguments = vec!["fmt", "--check"];
    arguments.extend(policies.iter().map(String::as_str));
    let output = sekisho(&arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}
