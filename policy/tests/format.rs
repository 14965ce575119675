//! What formatting a policy never changes, for the policies of the examples and the broken ones, and for both with blanks,
//! line breaks and remarks put in anywhere.

#![cfg(test)]

use proptest::prelude::*;
use sekisho_policy::{Source, check, compile, format};
use std::fs;
use std::path::Path;

/// The policies of a folder beside this package's tests.
fn texts(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}

fn source(text: &str) -> Source {
    Source::new("policy.toml".to_owned(), text.into())
}

/// Everything but blanks, line breaks and the commas between them; so keys, values and remarks, in their order.
fn substance(text: &str) -> String {
    let is_blank = |character: char| character.is_whitespace() || character == ',' || character == '\u{feff}';
    text.chars().filter(|character| !is_blank(*character)).collect()
}

/// The same in no order: a remark between a key of an inline table and its `=`, where the parser takes one, goes above both.
fn letters(text: &str) -> String {
    let mut letters: Vec<_> = substance(text).chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

/// Holds what is promised of formatting against a text, of which `kept` does not change; whether it is TOML at all.
fn judge(text: &str, kept: fn(&str) -> String) -> bool {
    let Ok(formatted) = format(&source(text)) else {
        assert!(
            toml::Table::try_from_text(text).is_none(),
            "TOML was refused:\n{text}"
        );
        return false;
    };
    assert_eq!(format(&source(&formatted)).unwrap(), formatted, "of:\n{text}");
    assert_eq!(kept(&formatted), kept(text), "of:\n{text}");
    let (before, after) = (
        toml::Table::try_from_text(text),
        toml::Table::try_from_text(&formatted),
    );
    assert!(
        before.is_some() && before == after,
        "from:\n{text}\nto:\n{formatted}"
    );
    true
}

trait TryFromText: Sized {
    fn try_from_text(text: &str) -> Option<Self>;
}

impl TryFromText for toml::Table {
    fn try_from_text(text: &str) -> Option<Self> {
        text.trim_start_matches('\u{feff}').parse().ok()
    }
}

#[test]
fn a_formatted_policy_says_the_same() {
    let mut judged = 0;
    for folder in ["../examples", "tests/golden", "tests/repaired", "tests/fleet"] {
        judged += texts(folder).iter().filter(|text| judge(text, substance)).count();
    }
    assert!(judged > 100, "{judged}");
}

#[test]
fn a_formatted_policy_compiles_to_the_same_keys() {
    for text in texts("../examples") {
        let Some(policy) = check(&source(&text)).policy else {
            continue;
        };
        let formatted = check(&source(&format(&source(&text)).unwrap())).policy.unwrap();
        assert_eq!(compile(&policy).text(), compile(&formatted).text());
        assert_eq!(policy.storage, formatted.storage);
        assert_eq!(policy.network, formatted.network);
    }
}

/// What is put into a policy: most of it leaves it TOML at most places.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    " # a remark\n",
    "\n# a line of its own \n\n",
    "#\n",
    ",",
    ", ",
    " = ",
    "\n[x]\n",
    "[[y.z]]",
    "\nx = [1, # one\n 2]\n",
    "\nw={a=1,b.c=[ ]}\n",
    "\nv = \"\"\"\n  # no remark\n\n\"\"\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blanks_and_remarks_anywhere_change_nothing_of_that(
        policy in 0_usize..64,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len()), 1..12),
    ) {
        let policies = texts("../examples");
        let mut text = policies[policy % policies.len()].clone();
        for (place, piece) in edits {
            let mut place = place.index(text.len() + 1);
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            text.insert_str(place, PIECES[piece]);
        }
        judge(&text, letters);
    }

    /// Line breaks and blanks where TOML has them, so that every one of these is judged.
    #[test]
    fn blanks_where_toml_has_them_change_nothing(
        policy in 0_usize..64,
        choices in prop::collection::vec((0_usize..6, 0_usize..4), 200),
    ) {
        let policies = texts("../examples");
        let mut text = String::new();
        for (line, (above, behind)) in policies[policy % policies.len()].lines().zip(choices.iter().cycle()) {
            text.push_str(["", "", "", "\n", "# above\n", "\r\n\n  # above\t\n"][*above]);
            text.push_str(&line.replacen(" = ", ["=", " = ", "\t=", "=   "][*behind], 1));
            text.push_str(["", " ", "\t", "   "][*behind]);
            text.push('\n');
        }
        prop_assert!(judge(&text, substance));
    }
}
