//! Broken policies and what is said about each, character by character.
//!
//! `golden/NAME.toml` is checked and its diagnostics compared with `NAME.stderr`, and with `NAME.json` where
//! that exists. `UPDATE_GOLDEN=1` rewrites both; a change of theirs needs a reason in the commit.

#![cfg(test)]

use sekisho_policy::{Colour, Source, check, render_human, render_json, unsupported};
use std::fs;
use std::path::{Path, PathBuf};

/// As many broken policies there must be at least.
const LEAST: usize = 50;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    cases.sort();
    cases
}

fn source(case: &Path) -> Source {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    Source::new(name, fs::read(case).unwrap())
}

/// What is said about a policy; about one that is right, what `image build` would say.
fn said(source: &Source) -> String {
    let mut report = check(source);
    report
        .diagnostics
        .extend(report.policy.iter().flat_map(unsupported));
    render_human(source, &report.diagnostics, Colour::Plain)
}

fn compare(golden: &Path, said: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden, said).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    if expected == said {
        Ok(())
    } else {
        Err(format!("{}\nnow:\n{said}", golden.display()))
    }
}

#[test]
fn every_broken_policy_is_told_what_is_wrong_with_it() {
    let cases = cases();
    assert!(cases.len() >= LEAST, "only {} cases", cases.len());
    let mut differences = Vec::new();
    for case in cases {
        let said = said(&source(&case));
        assert!(!said.is_empty(), "{} is not broken", case.display());
        differences.extend(compare(&case.with_extension("stderr"), &said).err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn programs_read_the_same_as_people() {
    let mut compared = 0;
    for case in cases() {
        let golden = case.with_extension("json");
        if golden.exists() {
            let source = source(&case);
            let report = check(&source);
            compare(&golden, &render_json(&[(source, report)])).unwrap();
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn every_diagnostic_says_what_to_write_and_is_in_file_order() {
    for case in cases() {
        let report = check(&source(&case));
        let starts: Vec<_> = report
            .diagnostics
            .iter()
            .map(|found| found.primary.span.start)
            .collect();
        assert!(starts.is_sorted(), "{}", case.display());
        for found in &report.diagnostics {
            assert!(!found.help.is_empty(), "{}: {}", case.display(), found.message);
            assert!(
                !found.primary.text.is_empty(),
                "{}: {}",
                case.display(),
                found.message
            );
        }
    }
}
