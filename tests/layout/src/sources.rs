//! What every file must have, and what must be left in none.

use crate::{tokens, tree};

const LONGEST: usize = 500;
/// Macros of unfinished work.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// What a test may say that another target runs.
const ELSEWHERE: &str = "#[ignore = \"long: make test-long\"]";
/// Folders at the root of somebody's machine.
const MACHINES: [&str; 7] = ["home", "root", "Users", "tmp", "mnt", "srv", "media"];
/// Files that name such a folder inside the test guest, which has a root of its own.
const GUESTS: [(&str, &str); 1] = [("tests/system/tests/claims/inside.rs", "tmp")];
/// Hosts that may be named: specifications, tools, and where crates come from.
const HOSTS: [&str; 9] = [
    "github.com",
    "json-schema.org",
    "json.schemastore.org",
    "keepachangelog.com",
    "no-color.org",
    "rustup.rs",
    "semver.org",
    "www.apache.org",
    "www.w3.org",
];
/// Networks of examples (RFC 5737): nobody's hosts.
const EXAMPLES: [&str; 2] = ["192.0.2.", "203.0.113."];
/// Where every crate of a lock file comes from.
const CRATES: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_rust_file_opens_with_what_it_is_for() {
    let files = tree::files();
    let silent: Vec<_> = files
        .iter()
        .filter(|file| file.is_rust() && !file.text.starts_with("//! "))
        .map(|file| &file.path)
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn no_rust_file_is_longer_than_500_lines() {
    let files = tree::files();
    let lengths = files
        .iter()
        .filter(|file| file.is_rust())
        .map(|file| (&file.path, file.text.lines().count()));
    let long: Vec<_> = lengths.filter(|(_, lines)| *lines > LONGEST).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// The first sign of unfinished work among the words of a Rust file.
fn unfinished(words: &[String]) -> Option<String> {
    words.windows(2).find_map(|pair| match pair {
        [name, sign] if sign == "!" && UNFINISHED.contains(&name.as_str()) => Some(format!("{name}!")),
        [sign, name] if sign == "#" && name == "ignore" => Some("#[ignore]".to_owned()),
        _ => None,
    })
}

/// Marks that a comment leaves for later, spelt so that they are not found here.
fn marks() -> [String; 4] {
    [["FIX", "ME"], ["XX", "X"], ["TO", "DO"], ["HA", "CK"]].map(|halves| halves.concat())
}

fn has_word(text: &str, word: &str) -> bool {
    let of_a_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        ![before, behind].into_iter().flatten().any(of_a_word)
    })
}

#[test]
fn nothing_is_left_for_later() {
    for file in tree::files() {
        if file.is_rust() {
            let text = file.text.replace(ELSEWHERE, "");
            assert_eq!(
                unfinished(&tokens::words(&file.path, &text)),
                None,
                "{}",
                file.path
            );
        }
        let mark = marks().into_iter().find(|mark| has_word(&file.text, mark));
        assert_eq!(mark, None, "{}", file.path);
    }
}

#[test]
fn unfinished_work_is_recognised() {
    let found = |text: &str| unfinished(&tokens::words("x.rs", text));
    assert_eq!(found("fn f() { todo!() }"), Some("todo!".to_owned()));
    assert_eq!(found("#[test] #[ignore] fn f() {}"), Some("#[ignore]".to_owned()));
    assert_eq!(
        found("#[ignore = \"slow\"] fn f() {}"),
        Some("#[ignore]".to_owned())
    );
    assert_eq!(found("fn ignore(todo: u8) { // dbg!\n }"), None);
    assert!(has_word("// FIX-ME", "FIX") && !has_word("PREFIX", "FIX") && !has_word("FIXED", "FIX"));
}

/// The first path into one of these folders.
fn machine_path<'t>(text: &'t str, folders: &[&str]) -> Option<&'t str> {
    for folder in folders {
        let needle = format!("/{folder}/");
        for (at, _) in text.match_indices(&needle) {
            let relative = |character: char| character.is_ascii_alphanumeric() || "._-}*".contains(character);
            if !text[..at].chars().next_back().is_some_and(relative) {
                return text[at..].split_whitespace().next();
            }
        }
    }
    None
}

#[test]
fn no_path_of_somebodys_machine_is_named() {
    for file in tree::files() {
        let guests = |folder: &&str| GUESTS.contains(&(file.path.as_str(), *folder));
        let folders: Vec<&str> = MACHINES.into_iter().filter(|folder| !guests(folder)).collect();
        assert_eq!(machine_path(&file.text, &folders), None, "{}", file.path);
    }
}

#[test]
fn a_path_of_a_machine_is_recognised() {
    let path = ["", "home", "me", "x"].join("/");
    assert_eq!(
        machine_path(&format!("see {path} there"), &MACHINES),
        Some(path.as_str())
    );
    assert_eq!(machine_path(&format!("tests{path}"), &MACHINES), None);
}

/// The hosts of the addresses in a text.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let ends = |character: char| !(character.is_ascii_alphanumeric() || ".-".contains(character));
    text.split("://")
        .skip(1)
        .filter_map(move |rest| rest.split(ends).next())
}

#[test]
fn only_known_hosts_are_named() {
    for file in tree::files() {
        let strange: Vec<_> = hosts(&file.text)
            .filter(|host| host.contains('.') && !HOSTS.contains(host))
            .filter(|host| !EXAMPLES.iter().any(|network| host.starts_with(network)))
            .collect();
        assert!(strange.is_empty(), "{}: {strange:?}", file.path);
    }
}

#[test]
fn every_crate_comes_from_crates_io() {
    let locks: Vec<_> = tree::files()
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.lock"))
        .collect();
    assert_eq!(locks.len(), crate::manifest::WORKSPACES.len());
    for lock in locks {
        for line in lock.text.lines() {
            if let Some(source) = line.strip_prefix("source = ") {
                assert_eq!(source.trim_matches('"'), CRATES, "{}", lock.path);
            }
        }
    }
}
