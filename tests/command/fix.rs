//! `check --fix` and the forms for servers, as people and pipelines call them.

use super::{GOOD, broken, root, sekisho, text};
use std::fs;
use std::path::PathBuf;

/// A broken policy where it may be changed.
fn copy(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fix");
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join(name).with_extension("toml");
    fs::copy(root().join(broken(name)), &copy).unwrap();
    copy
}

#[test]
fn a_misspelt_key_is_repaired_and_told() {
    let policy = copy("unknown-key");
    let name = policy.to_str().unwrap();
    let output = sekisho(&["check", "--fix", name]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = format!("{name}:6: repaired: there is no key `netwrok` in `[defaults]`; it is network now\n");
    assert_eq!(text(&output.stderr), said);
    let again = sekisho(&["check", "--fix", name]);
    assert_eq!((again.status.code(), text(&again.stderr)), (Some(0), ""));
}

#[test]
fn what_has_no_obvious_repair_remains_and_is_told() {
    let policy = copy("many-errors");
    let output = sekisho(&["check", "--fix", policy.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("repaired: there is no driver `acpi`; it is \"ahci\" now"),
        "{stderr}"
    );
    assert!(
        stderr.contains("error[E0306]") && !stderr.contains("error[E0202]"),
        "{stderr}"
    );
}

#[test]
fn standard_input_cannot_be_repaired() {
    let output = sekisho(&["check", "--fix", "-"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn gitlab_gets_an_issue_for_each_error_with_what_its_report_must_have() {
    let output = sekisho(&["check", "--format", "gitlab", GOOD, &broken("many-errors")]);
    assert_eq!(output.status.code(), Some(1));
    let issues: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(issues.len() > 10);
    for issue in issues {
        for key in ["description", "check_name", "fingerprint"] {
            assert!(!issue[key].as_str().unwrap().is_empty(), "{issue}");
        }
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(
            severities.contains(&issue["severity"].as_str().unwrap()),
            "{issue}"
        );
        assert_eq!(issue["location"]["path"], broken("many-errors"));
        assert!(
            issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1,
            "{issue}"
        );
    }
}
