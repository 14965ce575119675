//! GitLab's code quality report, for diagnostics beside the lines of a merge request.
//!
//! Source: GitLab, "Code Quality", "Code Quality report format": an array of issues, whose paths are of the repository.

use crate::Report;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use serde_json::{Value, json};
use std::fmt::Write;

/// An issue for each diagnostic of all files.
#[must_use]
pub fn render_gitlab(reports: &[(Source, Report)]) -> String {
    let mut issues: Vec<Value> = Vec::new();
    for (source, report) in reports {
        for (index, found) in report.diagnostics.iter().enumerate() {
            let is_alike =
                |other: &&Diagnostic| fingerprint_of(source, other) == fingerprint_of(source, found);
            let before = report.diagnostics.iter().take(index).filter(is_alike).count();
            issues.push(issue(source, found, before));
        }
    }
    format!("{:#}\n", Value::Array(issues))
}

/// One issue; `before` is how many like it are above, since a fingerprint stands for one.
fn issue(source: &Source, diagnostic: &Diagnostic, before: usize) -> Value {
    let start = diagnostic.primary.span.start;
    let unique = format!("{}\n{before}", fingerprint_of(source, diagnostic));
    let mut fingerprint = String::new();
    for byte in sekisho_crypto::sha256(unique.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(fingerprint, "{byte:02x}");
    }
    json!({
        "description": format!("{}; {}", diagnostic.message, diagnostic.help.join("; ")),
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": match diagnostic.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
        },
        "location": {
            "path": source.name_at(start).trim_start_matches("./"),
            "lines": { "begin": source.position(start).line },
        },
    })
}

/// What makes two issues the same though lines moved: no line is in it.
fn fingerprint_of(source: &Source, diagnostic: &Diagnostic) -> String {
    let file = source.name_at(diagnostic.primary.span.start);
    format!("{file}\n{}\n{}", diagnostic.code, diagnostic.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    fn issues(text: &str) -> Vec<Value> {
        let source = Source::new("./a.toml".into(), text.into());
        let report = check(&source);
        serde_json::from_str(&render_gitlab(&[(source, report)])).unwrap()
    }

    #[test]
    fn an_issue_keeps_its_fingerprint_when_lines_move() {
        let (before, after) = (issues("policy = 2\n"), issues("# more\n\npolicy = 2\n"));
        let fingerprints = |issues: &[Value]| -> Vec<String> {
            issues
                .iter()
                .map(|issue| issue["fingerprint"].to_string())
                .collect()
        };
        assert!(!before.is_empty());
        assert_eq!(fingerprints(&before), fingerprints(&after));
        assert_eq!(before[0]["location"]["path"], "a.toml");
        assert_ne!(before, after);
    }

    #[test]
    fn no_two_issues_have_one_fingerprint() {
        let device = "[[device]]\nname = \"a\"\nmatch = { device = \"ahci\" }\ndriver = \"achi\"\n";
        let issues = issues(&device.repeat(3));
        let mut fingerprints: Vec<_> = issues
            .iter()
            .map(|issue| issue["fingerprint"].to_string())
            .collect();
        fingerprints.sort();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), issues.len());
        assert!(issues.len() > 3);
    }

    #[test]
    fn a_right_policy_is_an_empty_list() {
        let right = "policy = 1\nname = \"a\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"pass\"\nother = \"pass\"\n";
        assert_eq!(issues(right), Vec::<Value>::new());
    }
}
