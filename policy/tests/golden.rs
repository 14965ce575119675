//! Broken policies and what is said about each, character by character.
//!
//! `golden/NAME.toml` is checked and its diagnostics compared with `NAME.stderr`, and with `NAME.json` where
//! that exists; `repaired/NAME.toml` is what becomes of it in the hands of someone who has only that message.
//! `fleet/NAME.toml` is planned for the inventory `NAME.json` beside it, and the plan compared with
//! `NAME.txt`; `expect/NAME.toml` is held against the fleet and the policy of `examples/`;
//! `change/NAME.toml` becomes what `change/NAME.old.toml` was. `UPDATE_GOLDEN=1` rewrites all; a change of theirs needs a reason in the commit.

#![cfg(test)]

use sekisho_policy::diff::{Difference, Version, diff_for_people};
use sekisho_policy::inventory::{File, Sighting};
use sekisho_policy::plan::{Expectations, Fleet, Judgement, Planner, Strictness, cover, for_people};
use sekisho_policy::{Colour, Source, check, codes, reference, render_human, render_json, unsupported};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// As many broken policies with their repair there must be at least.
const LEAST: usize = 200;

/// Characters of a WireGuard public key, without the `=` at its end.
const PUBLIC_KEY: usize = 43;

/// The policies of a folder of cases and of its folders.
fn cases(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![tests().join(folder)];
    let mut cases = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") {
                cases.push(path);
            }
        }
    }
    cases.sort();
    cases
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn source(case: &Path) -> Source {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let beside = |base: &Path| fs::read(case.with_file_name("").join(base));
    Source::new(name, fs::read(case).unwrap()).with_bases(beside)
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
    let mut differences = Vec::new();
    for case in cases("golden") {
        let said = said(&source(&case));
        assert!(!said.is_empty(), "{} is not broken", case.display());
        differences.extend(compare(&case.with_extension("stderr"), &said).err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The broken policies that have a repaired one: all but those of which many slips must be told at once.
fn repairs() -> Vec<(Source, Source)> {
    let golden = tests().join("golden");
    let found: Vec<_> = cases("repaired")
        .iter()
        .map(|repaired| {
            let name = repaired.strip_prefix(tests().join("repaired")).unwrap();
            (source(&golden.join(name)), source(repaired))
        })
        .collect();
    assert!(found.len() >= LEAST, "only {} repairs", found.len());
    found
}

/// The keys, names and values of a text; the parts of a table's name are names.
fn words(text: &str) -> HashSet<&str> {
    let separates = |character: char| !character.is_alphanumeric() && !"_-./:+".contains(character);
    let parts = |word: &'_ str| word.starts_with(char::is_alphabetic);
    text.split(separates)
        .flat_map(|word| word.split(move |character| character == '.' && parts(word)))
        .map(|word| word.trim_matches(['.', ':']))
        .collect()
}

#[test]
fn every_broken_policy_is_repaired_by_what_is_said_of_it() {
    for (broken, repaired) in repairs() {
        let name = repaired.name();
        let report = check(&repaired);
        let left = render_human(&repaired, &report.diagnostics, Colour::Plain);
        assert!(left.is_empty(), "{name} after its repair:\n{left}");
        // What no build can enforce is no slip of the policy, unless the case is about that.
        if check(&broken).diagnostics.is_empty() {
            assert_eq!(unsupported(&report.policy.unwrap()), [], "{name}");
        }
    }
}

#[test]
fn no_repair_needs_a_word_that_neither_the_policy_nor_its_message_has() {
    let mut unsaid = Vec::new();
    for (broken, repaired) in repairs() {
        let known = said(&broken) + broken.text();
        let known = words(&known);
        let mut guessed: Vec<_> = words(repaired.text()).difference(&known).copied().collect();
        // What is pasted from where the message says.
        guessed.retain(|word| word.len() < PUBLIC_KEY);
        guessed.sort_unstable();
        if !guessed.is_empty() {
            unsaid.push(format!("{}: {guessed:?}", repaired.name()));
        }
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

#[test]
fn every_code_has_a_case() {
    let mut told = String::new();
    for folder in ["golden", "fleet", "expect", "change"] {
        for case in cases(folder) {
            for end in ["stderr", "txt"] {
                told.push_str(&fs::read_to_string(case.with_extension(end)).unwrap_or_default());
            }
        }
    }
    for code in codes().lines().map(|line| line.split(' ').next().unwrap()) {
        let severity = if code.starts_with('W') { "warning" } else { "error" };
        assert!(told.contains(&format!("{severity}[{code}]")), "{code}");
    }
}

#[test]
fn the_reference_page_is_what_is_explained() {
    let page = tests().join("../../docs/reference.md");
    compare(&page, &reference()).unwrap_or_else(|_| panic!("docs/reference.md is stale: UPDATE_GOLDEN=1"));
}

#[test]
fn programs_read_the_same_as_people() {
    let mut compared = 0;
    for case in cases("golden") {
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
    for case in cases("golden") {
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

/// The fleet of an inventory under a policy; `each` sees every machine.
fn survey(planner: &Planner<'_>, inventory: &Path, mut each: impl FnMut(&Sighting<Judgement>)) -> Fleet {
    let file = File {
        name: "fleet.json".to_owned(),
        input: Box::new(fs::File::open(inventory).unwrap()),
    };
    let fleet = Fleet::survey(planner, [Ok(file)].into_iter(), |machine, _| {
        each(machine);
        ControlFlow::Continue(())
    });
    fleet.unwrap()
}

#[test]
fn every_uncovered_fleet_is_told_what_is_wrong_with_it() {
    let mut differences = Vec::new();
    for case in cases("fleet") {
        let source = source(&case);
        let policy = check(&source).policy.unwrap();
        let planner = Planner::new(&policy);
        let fleet = survey(&planner, &case.with_extension("json"), |_| ());
        let found = cover(&planner, &fleet, Strictness::Warn);
        assert!(!found.is_empty(), "{} is covered", case.display());
        let plan = for_people(&planner, &fleet);
        let said = plan + "\n" + &render_human(&source, &found, Colour::Plain);
        differences.extend(compare(&case.with_extension("txt"), &said).err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_expectation_that_does_not_hold_is_told() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let policy = check(&source(&examples.join("field-laptop.toml")))
        .policy
        .unwrap();
    let planner = Planner::new(&policy);
    let mut differences = Vec::new();
    for case in cases("expect") {
        let source = source(&case);
        let found = Expectations::read(&source).map_or_else(
            |wrong| wrong,
            |mut expected| {
                survey(&planner, &examples.join("fleet.jsonl"), |machine| {
                    expected.see(machine);
                });
                expected.unmet()
            },
        );
        assert!(!found.is_empty(), "{} holds", case.display());
        let said = render_human(&source, &found, Colour::Plain);
        differences.extend(compare(&case.with_extension("stderr"), &said).err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_change_that_weakens_is_named() {
    let is_new = |case: &PathBuf| !case.to_string_lossy().ends_with(".old.toml");
    let mut differences = Vec::new();
    for case in cases("change").into_iter().filter(is_new) {
        let sources = [source(&case.with_extension("old.toml")), source(&case)];
        let [old, new] = [0, 1].map(|side| (&sources[side], check(&sources[side]).policy.unwrap()));
        let [old, new] = [&old, &new].map(|(source, policy)| Version { source, policy });
        let difference = Difference::new(old, new, None);
        assert!(
            !difference.weakenings.is_empty(),
            "{} weakens nothing",
            case.display()
        );
        let back = Difference::new(new, old, None);
        assert_eq!(
            back.weakenings,
            [],
            "{}: the way back strengthens",
            case.display()
        );
        let told = difference.weakenings.iter().map(|it| {
            let found = [it.diagnostic.clone()];
            render_human(difference.source(it.side), &found, Colour::Plain)
        });
        let said = diff_for_people(&difference) + "\n" + &told.collect::<String>();
        differences.extend(compare(&case.with_extension("txt"), &said).err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
