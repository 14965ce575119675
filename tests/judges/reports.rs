//! `check --format sarif|junit`, by the schemas of OASIS and Jenkins.

use crate::{content, debian, judge, policies, root, scratch, sekisho};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A file of a crate that carries a published schema.
fn published(package: &str, file: &str) -> PathBuf {
    let manifest = root().join("tests/judges/published/Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--quiet",
        "--manifest-path",
    ]);
    let output = cargo.arg(manifest).output().unwrap();
    let known: Value = serde_json::from_slice(&output.stdout).expect("run `make judges`");
    let packages = known["packages"].as_array().unwrap();
    let found = packages.iter().find(|it| it["name"] == package).unwrap();
    let manifest = PathBuf::from(found["manifest_path"].as_str().unwrap());
    manifest.with_file_name(file)
}

/// The schema's own regular expressions are not all of the dialect that JSON Schema asks for.
fn sarif_judge() -> Command {
    let mut judge = judge("check-jsonschema");
    judge.args(["--regex-variant", "nonunicode", "--schemafile"]);
    judge.arg(published("serde-sarif", "src/schema.json"));
    judge
}

/// What is said about every broken policy, in one report.
fn report(format: &str) -> Vec<u8> {
    let broken: Vec<String> = policies("policy/tests/golden")
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    let mut arguments = vec!["check", "--format", format, "examples/field-laptop.toml"];
    arguments.extend(broken.iter().map(String::as_str));
    sekisho(&arguments).stdout
}

#[test]
fn sarif_of_every_broken_policy_is_valid_by_the_schema_of_oasis() {
    let report = report("sarif");
    let file = scratch("sarif").join("check.sarif");
    fs::write(&file, &report).unwrap();
    content(sarif_judge().arg(&file));
}

#[test]
fn a_sarif_result_has_a_described_rule_and_a_region() {
    let log: Value = serde_json::from_slice(&report("sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 290, "{}", results.len());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        for form in ["text", "markdown"] {
            let help = rule["help"][form].as_str().unwrap();
            assert!(help.contains(result["ruleId"].as_str().unwrap()), "{help}");
        }
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let number = |name: &str| region[name].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("startColumn") >= 1, "{result}");
        let (start, end) = (
            (number("startLine"), number("startColumn")),
            (number("endLine"), number("endColumn")),
        );
        assert!(start <= end, "{result}");
    }
}

#[test]
fn junit_of_every_broken_policy_is_valid_by_the_schema_of_jenkins() {
    let file = scratch("junit").join("check.xml");
    fs::write(&file, report("junit")).unwrap();
    let schema = published("junit-report", "tests/JUnit.xsd");
    content(
        debian("xmllint")
            .args(["--noout", "--schema"])
            .arg(schema)
            .arg(&file),
    );
}

#[test]
fn a_report_that_is_none_is_refused() {
    let folder = scratch("none");
    let sarif = folder.join("none.sarif");
    fs::write(&sarif, r#"{"version": "2.1.0", "runs": [{"results": []}]}"#).unwrap();
    let refused = sarif_judge().arg(&sarif).output().unwrap();
    assert!(!refused.status.success());
    let junit = folder.join("none.xml");
    fs::write(&junit, "<testsuites><case/></testsuites>").unwrap();
    let schema = published("junit-report", "tests/JUnit.xsd");
    let refused = debian("xmllint")
        .args(["--noout", "--schema"])
        .arg(schema)
        .arg(&junit)
        .output()
        .unwrap();
    assert!(!refused.status.success());
}
