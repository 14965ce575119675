//! The documents against the tree: links, test names, make targets, events, rules, and what README.md shows.

use crate::{tokens, tree};
use sekisho_mediator::log::Event;
use sekisho_mediator::pci::Attempt;
use sekisho_policy::{Colour, Source, check, codes, compile, explain, render_human, unsupported};
use std::collections::BTreeSet;
use std::path::Path;

/// Every Markdown file.
fn documents() -> Vec<tree::File> {
    tree::files()
        .into_iter()
        .filter(|file| file.path.ends_with(".md"))
        .collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for document in documents() {
        let folder = tree::root().join(&document.path).parent().unwrap().to_owned();
        for rest in document.text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            let file = link.split('#').next().unwrap();
            if !link.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{}: {link}", document.path);
            }
        }
    }
}

/// What `a_{b,c}_d` stands for.
fn spelt_out(name: &str) -> Vec<String> {
    let Some((before, rest)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    let Some((choices, behind)) = rest.split_once('}') else {
        return vec![name.to_owned()];
    };
    choices
        .split(',')
        .flat_map(|choice| spelt_out(&format!("{before}{choice}{behind}")))
        .collect()
}

/// The names of tests in backticks: words of three parts at least, joined by underscores.
fn claims(text: &str) -> Vec<String> {
    let ticked = text.split('`').skip(1).step_by(2);
    let is_claim = |name: &&str| {
        let plain = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_{},".contains(c));
        plain && name.matches('_').count() >= 2
    };
    ticked.filter(is_claim).flat_map(spelt_out).collect()
}

/// The names of all functions of the tree.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in tree::files().iter().filter(|file| file.is_rust()) {
        let words = tokens::words(&file.path, &file.text);
        let pairs = words.windows(2).filter(|pair| pair[0] == "fn");
        names.extend(pairs.map(|pair| pair[1].clone()));
    }
    names
}

#[test]
fn every_test_that_a_document_names_exists() {
    let functions = functions();
    let mut found = 0;
    for document in documents() {
        let claims = claims(&document.text);
        found += claims.len();
        let missing: Vec<_> = claims
            .into_iter()
            .filter(|name| !functions.contains(name))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", document.path);
    }
    assert!(found > 40, "only {found} names were found");
}

#[test]
fn names_with_choices_are_spelt_out() {
    assert_eq!(
        claims("`a_{b,c}_d` `x_y` `p/a_b_c` `one_two_three`"),
        ["a_b_d", "a_c_d", "one_two_three"]
    );
}

#[test]
fn every_make_target_is_described_and_every_one_described_exists() {
    let makefile = tree::read("Makefile");
    let phony = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY:"))
        .unwrap();
    let targets: BTreeSet<&str> = phony.split_whitespace().collect();
    let readme = tree::read("README.md");
    let calls = readme
        .split('`')
        .filter_map(|ticked| ticked.strip_prefix("make "));
    let described: BTreeSet<&str> = calls.filter_map(|call| call.split_whitespace().next()).collect();
    let unknown: Vec<_> = described.difference(&targets).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for target in ["demo", "test", "soak", "bench", "fuzz", "lint"] {
        assert!(described.contains(target), "{target} is not in the README");
    }
}

#[test]
fn every_event_is_described_as_the_command_explains_it() {
    let events = tree::read("docs/events.md");
    let plain = without_links(&events);
    for event in Event::ALL {
        let (level, tells, remedy) = (event.level(), event.tells(), event.remedy());
        let row = format!("| `{event}` | {level} | {tells} | {remedy}");
        let row = format!("{} |\n", row.trim_end());
        assert!(plain.contains(&row), "no row {row}");
    }
    let rows = events.lines().filter(|line| line.starts_with("| `H")).count();
    assert_eq!(rows, Event::ALL.len());
}

/// Without links, whose names stay.
fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("](") {
        let (before, name) = before.rsplit_once('[').unwrap();
        plain.extend([before, name]);
        rest = behind.split_once(')').unwrap().1;
    }
    plain + rest
}

#[test]
fn every_counter_is_described() {
    let events = tree::read("docs/events.md");
    let machine = tree::read("hypervisor/machine/src/counters.rs");
    let (_, names) = machine.split_once("NAMES: [&str;").unwrap();
    let (names, _) = names.split_once("];").unwrap();
    let exits: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(exits.contains(&"cpuid") && exits.len() > 10, "{exits:?}");
    for name in exits.into_iter().chain(Attempt::ALL.map(Attempt::name)) {
        assert!(events.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_code_of_the_policy_check_is_explained() {
    let codes = codes();
    assert!(codes.lines().count() > 50);
    for code in codes.lines().map(|line| line.split_whitespace().next().unwrap()) {
        let text = explain(code).unwrap();
        for part in ["\nExample\n", "\nWhat is said about it\n", "\nRepaired\n"] {
            assert!(text.contains(part), "{code} has no part {part:?}");
        }
    }
}

#[test]
fn every_rule_file_opens_with_its_code_and_has_its_golden_case() {
    const FOLDER: &str = "policy/src/rules/";
    let files = tree::files();
    let rules = files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER) && !file.path.ends_with("/mod.rs"));
    let mut found = 0;
    for rule in rules {
        let between = |before: &str, behind: &str| -> Option<&str> {
            rule.text
                .split_once(before)?
                .1
                .split_once(behind)
                .map(|(text, _)| text)
        };
        let code = between("code: \"", "\"").unwrap();
        assert!(rule.text.starts_with(&format!("//! {code}: ")), "{}", rule.path);
        let goldens = [
            ("example", "golden", "stderr"),
            ("scene", "fleet", "txt"),
            ("expectation", "expect", "stderr"),
            ("change", "change", "txt"),
        ];
        let named = goldens.iter().find_map(|(kind, folder, end)| {
            let name = between(&format!("example: {kind}!(\""), "\"")?;
            Some(format!("policy/tests/{folder}/{name}.{end}"))
        });
        let golden = named.unwrap();
        let said = tree::read(&golden);
        assert!(
            said.contains(&format!("[{code}]")),
            "{} is not in {golden}",
            rule.path
        );
        found += 1;
    }
    assert_eq!(found, codes().lines().count());
}

/// The TOML blocks of a document.
fn policies(document: &str) -> impl Iterator<Item = &str> {
    let behind = document.split("```toml\n").skip(1);
    behind
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
}

#[test]
fn every_policy_that_the_guide_shows_can_be_built() {
    let guide = tree::read("docs/policy.md");
    assert!(policies(&guide).count() >= 2);
    for text in policies(&guide) {
        let beside = |base: &Path| Ok(tree::read(&format!("examples/{}", base.display())).into_bytes());
        let source = Source::new("policy.toml".to_owned(), text.as_bytes().to_vec()).with_bases(beside);
        let report = check(&source);
        let said = render_human(&source, &report.diagnostics, Colour::Plain);
        assert!(said.is_empty(), "{said}");
        assert_eq!(unsupported(&report.policy.unwrap()), []);
    }
}

#[test]
fn the_readme_shows_what_check_and_compile_say() {
    let readme = tree::read("README.md");
    let wrong = policies(&readme).next().unwrap();
    let source = |text: &str| Source::new("my-laptop.toml".to_owned(), text.as_bytes().to_vec());
    let said = render_human(&source(wrong), &check(&source(wrong)).diagnostics, Colour::Plain);
    assert!(
        readme.contains(&format!("$ sekisho check my-laptop.toml\n{said}```")),
        "{said}"
    );

    let right = source(&wrong.replace("netwrok", "network"));
    let policy = check(&right).policy.unwrap();
    let compiled = compile(&policy);
    let said = format!("{}\n{}", compiled.text(), compiled.trace(&policy));
    assert!(
        readme.contains(&format!("$ sekisho compile --trace my-laptop.toml\n{said}```")),
        "{said}"
    );
}
