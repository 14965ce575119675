//! What `check --fix` does to a broken policy, and what it never does.

#![cfg(test)]

use sekisho_policy::diff::{Version, weakenings};
use sekisho_policy::{Diagnostic, Policy, Report, Source, check, repair};
use std::fs;
use std::path::{Path, PathBuf};

/// The policies of a folder of this package, and of its folders.
fn policies(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn judged(path: &Path, text: Vec<u8>) -> (Source, Report) {
    let beside = |base: &Path| fs::read(path.with_file_name("").join(base));
    let source = Source::new("policy.toml".to_owned(), text).with_bases(beside);
    let report = check(&source);
    (source, report)
}

fn is_left(done: &Diagnostic, report: &Report) -> bool {
    let is_it = |found: &Diagnostic| found.code == done.code && found.message == done.message;
    report.diagnostics.iter().any(is_it)
}

#[test]
fn each_repair_leaves_a_policy_without_that_diagnostic() {
    let mut codes: Vec<&str> = Vec::new();
    for path in policies("tests/golden") {
        let (source, report) = judged(&path, fs::read(&path).unwrap());
        let Some(repaired) = repair(&source, &report) else {
            continue;
        };
        let (_, after) = judged(&path, repaired.text.clone().into());
        for done in &repaired.done {
            let text = &repaired.text;
            assert!(
                !is_left(done, &after),
                "{}: {}\n{text}",
                path.display(),
                done.message
            );
            codes.push(done.code);
        }
        assert!(after.diagnostics.len() < report.diagnostics.len() + repaired.done.len());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, ["E0104", "E0107", "E0202", "E0204", "E0301", "E0403"]);
}

/// The words of a policy that stand where keys and values do, with their places.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = None;
    for (place, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match start {
            None if character.is_ascii_lowercase() => start = Some(place),
            Some(from) if !character.is_ascii_alphanumeric() && character != '-' => {
                words.push((from, &text[from..place]));
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[test]
fn a_slip_in_any_word_of_an_example_is_repaired_to_what_it_was_or_to_nothing_weaker() {
    let (mut restored, mut left) = (0, 0);
    for path in policies("../examples") {
        let text = fs::read_to_string(&path).unwrap();
        let (
            original,
            Report {
                policy: Some(was), ..
            },
        ) = judged(&path, text.clone().into())
        else {
            continue;
        };
        for (place, word) in words(&text).into_iter().filter(|(_, word)| word.len() > 2) {
            // Two letters in the other's place, as fingers do it.
            let mut slip: Vec<u8> = word.into();
            slip.swap(1, 2);
            let mut broken = text.clone().into_bytes();
            broken[place..place + word.len()].copy_from_slice(&slip);
            let (source, report) = judged(&path, broken);
            let Some(repaired) = repair(&source, &report) else {
                left += 1;
                continue;
            };
            let (source, report) = judged(&path, repaired.text.into());
            if let Some(is) = &report.policy {
                restored += 1;
                assert_nothing_weaker((&original, &was), (&source, is), word);
            }
        }
    }
    assert!(restored > 100 && left > 100, "{restored} restored, {left} left");
}

fn assert_nothing_weaker(old: (&Source, &Policy), new: (&Source, &Policy), word: &str) {
    let [old, new] = [old, new].map(|(source, policy)| Version { source, policy });
    assert_eq!(weakenings(old, new), [], "a slip in {word}");
}

#[test]
fn a_repair_that_would_open_something_is_left_to_a_person() {
    let path = Path::new("policy.toml");
    for (defaults, more) in [
        ("\"pas\"", ""),
        ("\"conceal\"", "[guest]\nstauts = true\n"),
        ("\"conceal\"", "[shel]\n"),
        (
            "\"conceal\"",
            "[[device]]\nname = \"x\"\nmatch = { device = \"ahci\" }\ndriver = \"non\"\n",
        ),
    ] {
        let text = format!(
            "policy = 1\nname = \"a\"\n[defaults]\nstorage = \"pass\"\nnetwork = {defaults}\nother = \"pass\"\n{more}"
        );
        let (source, report) = judged(path, text.into());
        assert!(report.policy.is_none());
        assert!(repair(&source, &report).is_none(), "{defaults} {more}");
    }
}
