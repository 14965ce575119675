//! Policies that extend others: whose word holds, in which order rules stand, and where each is said.

#![cfg(test)]

use sekisho_abi::compiled::CompiledPolicy;
use sekisho_policy::diff::key_changes;
use sekisho_policy::{Policy, Report, Source, check, compile, lower, render_sarif};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::Path;

const BASE: &str = "policy = 1
name = \"base\"
[defaults]
storage = \"conceal\"
network = \"conceal\"
other = \"pass\"
[[device]]
name = \"first\"
match = { id = \"8086:0001\" }
driver = \"none\"
[[device]]
name = \"second\"
match = { id = \"8086:0002\" }
driver = \"none\"
[log]
serial = \"com2\"
[guest]
status = true
";

/// The policy `upper` in `site/upper.toml`, beside these files.
fn source(upper: &str, files: &[(&str, &str)]) -> Source {
    let files: HashMap<_, _> = files.iter().copied().collect();
    let read = |path: &Path| match files.get(path.to_str().unwrap()) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(io::Error::from(ErrorKind::NotFound)),
    };
    Source::new("site/upper.toml".to_owned(), upper.into()).with_bases(read)
}

fn over_base(upper: &str) -> Source {
    let upper = format!("policy = 1\nextends = \"../base.toml\"\n{upper}");
    source(&upper, &[("site/../base.toml", BASE)])
}

fn policy(source: &Source) -> Policy {
    let Report { policy, diagnostics } = check(source);
    assert_eq!(diagnostics, []);
    policy.unwrap()
}

fn rule(name: &str, id: &str) -> String {
    format!("[[device]]\nname = \"{name}\"\nmatch = {{ id = \"{id}\" }}\ndriver = \"conceal\"\n")
}

#[test]
fn what_the_upper_file_does_not_say_is_the_bases() {
    let policy = policy(&over_base("[defaults]\nother = \"conceal\"\nusb = \"conceal\"\n"));
    let same = crate::policy(&Source::new("base.toml".into(), {
        BASE.replace("other = \"pass\"", "other = \"conceal\"\nusb = \"conceal\"")
            .into()
    }));
    assert_eq!(policy.name, "base");
    let lowered = lower(&policy);
    let expected = lower(&same);
    assert_eq!(lowered.selection, expected.selection);
    assert_eq!(
        (lowered.serial, lowered.guest_status),
        (expected.serial, expected.guest_status)
    );
}

#[test]
fn a_rule_of_the_same_name_takes_its_place_and_a_new_one_comes_first() {
    let upper = rule("second", "8086:000b") + &rule("new", "8086:0003");
    let source = over_base(&upper);
    let policy = policy(&source);
    let names: Vec<_> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["new", "first", "second"]);
    assert!(policy.rules[2].entry.to_string().contains("000b"));
}

#[test]
fn each_entry_names_the_file_that_says_it() {
    let source = over_base(&rule("new", "8086:0003"));
    let policy = policy(&source);
    let trace = compile(&policy).trace(&policy);
    let places: Vec<_> = trace
        .lines()
        .map(|line| line.split_once("# ").unwrap().1)
        .collect();
    assert_eq!(
        places,
        [
            "site/upper.toml:3 new",
            "site/../base.toml:7 first",
            "site/../base.toml:11 second",
            "site/../base.toml:4 defaults",
            "site/../base.toml:5 defaults",
        ]
    );
}

#[test]
fn an_image_names_files_from_the_policys_folder_wherever_that_is() {
    let upper = format!(
        "policy = 1\nextends = \"./../base.toml\"\n{}",
        rule("new", "8086:0003")
    );
    let places = |folder: &str| -> Vec<String> {
        let source = Source::new(format!("{folder}upper.toml"), upper.clone().into());
        let policy = policy(&source.with_bases(|_| Ok(BASE.into())));
        let compiled = lower(&policy).to_bytes();
        let read = CompiledPolicy::from_bytes(&compiled).unwrap();
        read.origins.places().map(|place| place.to_string()).collect()
    };
    assert_eq!(
        places("site/"),
        [
            "upper.toml:3 new",
            "../base.toml:7 first",
            "../base.toml:11 second",
            "../base.toml:4 defaults",
            "../base.toml:5 defaults",
        ]
    );
    assert_eq!(places("/policies/"), places("site/"));
    assert_eq!(places(""), places("site/"));
}

#[test]
fn an_image_takes_the_last_part_of_an_absolute_name_and_the_end_of_a_long_one() {
    let names = |base: &str| {
        let upper = format!("policy = 1\nextends = \"{base}\"\n");
        let source = Source::new("-".into(), upper.into()).with_bases(|_| Ok(BASE.into()));
        let compiled = lower(&policy(&source));
        assert!(CompiledPolicy::from_bytes(&compiled.to_bytes()).is_ok());
        compiled.origins.files
    };
    assert_eq!(names("/elsewhere/base.toml"), ["-", "base.toml"]);
    assert_eq!(names("a\\u0007.toml"), ["-", "a?.toml"]);
    let long = names(&format!("{}.toml", "\u{fc}".repeat(300)));
    assert_eq!(long[1].len(), 255);
    assert!(long[1].ends_with("\u{fc}.toml"));
}

#[test]
fn what_is_dropped_is_not_taken_from_the_base() {
    let policy = policy(&over_base(
        "drop = [\"device.first\", \"guest.status\", \"log\"]\n",
    ));
    let names: Vec<_> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["second"]);
    assert!(!policy.guest_status);
    assert_eq!(policy.serial.word(), "com1");
}

#[test]
fn a_chain_is_composed_from_its_end() {
    let middle = "policy = 1\nextends = \"base.toml\"\nname = \"middle\"\ndrop = [\"log\"]\n";
    let upper = "policy = 1\nextends = \"middle.toml\"\n[log]\nserial = \"off\"\n";
    let files = [("site/middle.toml", middle), ("site/base.toml", BASE)];
    let policy = policy(&source(upper, &files));
    assert_eq!((policy.name.as_str(), policy.serial.word()), ("middle", "off"));
}

#[test]
fn the_hash_covers_every_file() {
    let upper = "policy = 1\nextends = \"base.toml\"\n";
    let hash = |base: &str| policy(&source(upper, &[("site/base.toml", base)])).source_hash;
    assert_eq!(hash(BASE), hash(BASE));
    assert_ne!(hash(BASE), hash(&format!("{BASE}# a remark\n")));
    assert_ne!(
        hash(BASE),
        policy(&Source::new("base.toml".into(), BASE.into())).source_hash
    );
}

#[test]
fn every_file_says_its_schema() {
    let upper = "policy = 1\nextends = \"base.toml\"\n";
    for (version, code) in [("", "E0105"), ("policy = 2", "E0110")] {
        let base = BASE.replace("policy = 1", version);
        let found = check(&source(upper, &[("site/base.toml", &base)])).diagnostics;
        assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [code]);
    }
    let found = check(&source("extends = \"base.toml\"\n", &[("site/base.toml", BASE)])).diagnostics;
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), ["E0105"]);
}

#[test]
fn a_chain_that_is_missing_endless_or_too_long_is_refused() {
    let next = |number: usize| format!("policy = 1\nextends = \"{}.toml\"\n", number + 1);
    let texts: Vec<(String, String)> = (0..20).map(|at| (format!("site/{at}.toml"), next(at))).collect();
    let long: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let upper = |base: &str| format!("policy = 1\nextends = \"{base}\"\n");
    let circle = ("site/a.toml", "policy = 1\nextends = \"../site/./upper.toml\"\n");
    for (source, said) in [
        (source(&upper("0.toml"), &long), "more than 8 files"),
        (source(&upper("none.toml"), &[]), "not found"),
        (source(&upper("a.toml"), &[circle]), "back into the chain"),
        (Source::new("-".into(), upper("a.toml").into()), "not looked for"),
    ] {
        let report = check(&source);
        assert!(report.policy.is_none());
        let found = report.diagnostics.iter().find(|it| it.code == "E0121").unwrap();
        assert!(found.primary.text.contains(said), "{}", found.primary.text);
    }
}

#[test]
fn a_base_that_is_no_text_is_named() {
    let read = |_: &Path| Ok(b"policy = 1\n# \xff\n".to_vec());
    let upper = "policy = 1\nextends = \"base.toml\"\n";
    let source = Source::new("upper.toml".into(), upper.into()).with_bases(read);
    let found = &check(&source).diagnostics[0];
    assert_eq!(found.code, "E0103");
    assert_eq!(source.place(found.primary.span.start), "base.toml:2");
}

#[test]
fn a_finding_in_the_base_is_of_the_bases_artifact() {
    let base = BASE.replace("com2", "com7");
    let source = source(
        "policy = 1\nextends = \"base.toml\"\n",
        &[("site/base.toml", &base)],
    );
    let report = check(&source);
    let log: serde_json::Value = serde_json::from_str(&render_sarif(&[(source, report)])).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "site/base.toml");
    assert_eq!(place["region"]["startLine"], 16);
}

#[test]
fn a_difference_is_of_what_was_composed() {
    let alone = Source::new("base.toml".into(), BASE.into());
    let changes = key_changes(&alone, &over_base("[log]\nserial = \"off\"\n"));
    let keys: Vec<_> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["extends", "log.serial"]);
}

#[test]
fn a_byte_order_mark_does_not_hide_a_base() {
    let base = format!("\u{feff}{BASE}");
    policy(&source(
        "policy = 1\nextends = \"base.toml\"\n",
        &[("site/base.toml", &base)],
    ));
}

#[test]
fn a_slip_of_syntax_in_the_base_hides_nothing_of_the_upper_file() {
    let base = BASE.replace("\"com2\"", "com2");
    let upper = "policy = 1\nextends = \"base.toml\"\n[guest]\nstatus = \"yes\"\n";
    let source = source(upper, &[("site/base.toml", &base)]);
    let found = check(&source).diagnostics;
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.code, source.place(it.primary.span.start)))
        .collect();
    let at = |place: &str| place.to_owned();
    assert_eq!(
        told,
        [
            ("E0106", at("site/upper.toml:4")),
            ("E0101", at("site/base.toml:16"))
        ]
    );
}
