//! `sekisho schema`: a schema of draft 4 and of 2020-12, which takes what `check` takes and refuses what it can.

use crate::{content, examples, judge, policies, root, scratch, sekisho};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `512.0` is a whole number in JSON, and none in TOML.
const WHOLE_IN_JSON: &str = "types/sector-size.toml";

/// What a schema can tell: a key or its value alone is wrong.
const DETECTABLE: [&str; 9] = [
    "E0104", "E0105", "E0106", "E0107", "E0109", "E0110", "E0118", "E0202", "E0203",
];

const DRAFT_4: &str = "http://json-schema.org/draft-04/schema#";

/// The schema in a file; one that says it is of draft 4, if that is asked for.
fn schema(folder: &Path, draft: Option<&str>) -> PathBuf {
    let mut schema: Value = serde_json::from_slice(&sekisho(&["schema"]).stdout).unwrap();
    if let Some(draft) = draft {
        schema["$schema"] = draft.into();
    }
    let file = folder.join("sekisho.schema.json");
    fs::write(&file, schema.to_string()).unwrap();
    file
}

fn against(schema: &Path) -> Command {
    let mut judge = judge("check-jsonschema");
    judge.arg("--schemafile").arg(schema);
    judge
}

/// Every policy that is right.
fn right() -> Vec<PathBuf> {
    let mut right = examples();
    right.extend(policies("policy/tests/repaired"));
    right
}

#[test]
fn the_schema_is_one_of_2020_12_and_one_of_draft_4() {
    for draft in [None, Some(DRAFT_4)] {
        let schema = schema(
            &scratch(if draft.is_some() { "draft-4" } else { "draft-2020" }),
            draft,
        );
        content(judge("check-jsonschema").arg("--check-metaschema").arg(&schema));
    }
}

#[test]
fn every_right_policy_is_valid_in_both_drafts() {
    assert!(right().len() > 290);
    for draft in [None, Some(DRAFT_4)] {
        let schema = schema(
            &scratch(if draft.is_some() { "right-4" } else { "right-2020" }),
            draft,
        );
        content(against(&schema).args(right()));
    }
}

/// Every policy that is wrong, but one whose bytes are no text: the judge ends there.
fn wrong() -> Vec<PathBuf> {
    let mut wrong = policies("policy/tests/golden");
    wrong.retain(|path| !path.ends_with("not-utf8.toml"));
    wrong
}

/// What the schema finds in each file, and the files that are not TOML for the judge either.
fn found(files: &[PathBuf]) -> (HashMap<String, Vec<String>>, Vec<String>) {
    let schema = schema(&scratch("wrong"), None);
    let output = against(&schema)
        .args(["-o", "json"])
        .args(files)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |error: &Value| error["filename"].as_str().unwrap().to_owned();
    let mut found: HashMap<_, Vec<String>> = HashMap::new();
    for error in said["errors"].as_array().unwrap() {
        found
            .entry(name(error))
            .or_default()
            .push(error["message"].to_string());
    }
    let unread = said["parse_errors"].as_array().unwrap().iter().map(name);
    (found, unread.collect())
}

#[test]
fn what_a_schema_can_tell_of_a_broken_policy_it_tells() {
    let broken = wrong();
    let (found, unread) = found(&broken);
    let (mut told, mut missed) = (0, Vec::new());
    for policy in &broken {
        let name = policy.display().to_string();
        let said = fs::read_to_string(policy.with_extension("stderr")).unwrap();
        let detectable = DETECTABLE
            .iter()
            .any(|code| said.contains(&format!("error[{code}]")));
        match (detectable, found.contains_key(&name)) {
            _ if unread.contains(&name) || name.ends_with(WHOLE_IN_JSON) => {}
            (true, true) => told += 1,
            (true, false) => missed.push(name),
            (false, _) => {}
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(told > 100, "only {told}");
}

#[test]
fn what_is_not_toml_for_us_is_not_toml_for_others() {
    let broken = wrong();
    let (_, unread) = found(&broken);
    let ours = ["E0101", "E0102"].map(|code| format!("error[{code}]"));
    for policy in &broken {
        let said = fs::read_to_string(policy.with_extension("stderr")).unwrap();
        let is_ours = ours.iter().any(|code| said.contains(code));
        let is_theirs = unread.contains(&policy.display().to_string());
        assert_eq!(is_ours, is_theirs, "{}", policy.display());
    }
}

/// An editor's checker, with the schema as an editor has it.
fn taplo(schema: &Path) -> Command {
    let mut taplo = judge("taplo");
    taplo.args(["lint", "--no-auto-config", "--schema"]);
    taplo.arg(format!("file://{}", schema.display()));
    taplo
}

#[test]
fn taplo_underlines_nothing_in_a_right_policy() {
    let schema = schema(&scratch("taplo"), None);
    content(taplo(&schema).args(right()));
}

#[test]
fn taplo_underlines_a_misspelt_key() {
    let schema = schema(&scratch("taplo-wrong"), None);
    let broken = root().join("policy/tests/golden/unknown-key.toml");
    let output = taplo(&schema).arg(broken).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("netwrok"), "{said}");
}
