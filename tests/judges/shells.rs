//! Completions and manual pages, by the shell and the formatter that read them.

use crate::{content, debian, scratch, sekisho};
use std::fs;

fn completions(shell: &str) -> String {
    String::from_utf8(sekisho(&["completions", shell]).stdout).unwrap()
}

/// What bash offers for a command line that ends within its last word.
fn offered(line: &[&str]) -> Vec<String> {
    let script = scratch(&format!("bash-{}", line.join("-"))).join("sekisho.bash");
    fs::write(&script, completions("bash")).unwrap();
    content(debian("bash").arg("-n").arg(&script));
    let call = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                _sekisho sekisho \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                printf '%s\\n' \"${COMPREPLY[@]}\"";
    let said = content(debian("bash").args(["-c", call, "bash"]).arg(&script).args(line));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_subcommands_options_and_their_values() {
    assert_eq!(offered(&["sekisho", "ch"]), ["check"]);
    assert_eq!(offered(&["sekisho", "check", "--form"]), ["--format"]);
    assert_eq!(offered(&["sekisho", "check", "--format", "s"]), ["sarif"]);
}

#[test]
fn every_shell_that_is_named_gets_a_script_of_its_own() {
    for (shell, part) in [
        ("zsh", "#compdef sekisho"),
        ("fish", "complete -c sekisho"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = completions(shell);
        assert!(script.contains(part), "{shell}: {script}");
    }
}

#[test]
fn groff_and_mandoc_read_every_page() {
    let folder = scratch("man");
    let output = sekisho(&["man", folder.to_str().unwrap()]);
    assert!(output.status.success());
    let mut pages: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.sort();
    let names: Vec<_> = pages
        .iter()
        .map(|page| page.file_name().unwrap().to_string_lossy())
        .collect();
    for page in [
        "sekisho.1",
        "sekisho-check.1",
        "sekisho-plan.1",
        "sekisho-keys-init.1",
    ] {
        assert!(
            names.iter().any(|name| name == page),
            "{page} is not in {names:?}"
        );
    }
    // Mandoc's warnings are about what clap_mangen writes: an empty date, and a break where one is.
    content(debian("mandoc").args(["-T", "lint", "-W", "error"]).args(&pages));
    let said = content(debian("groff").args(["-man", "-ww", "-z", "-Tutf8"]).args(&pages));
    assert_eq!(said, "");
}

#[test]
fn the_page_of_the_command_names_every_subcommand() {
    let page = scratch("page").join("sekisho.1");
    fs::write(&page, sekisho(&["man"]).stdout).unwrap();
    let shown = content(debian("mandoc").args(["-T", "ascii"]).arg(&page));
    for subcommand in ["check", "plan", "diff", "keys", "man"] {
        assert!(shown.contains(&format!("sekisho-{subcommand}(1)")), "{shown}");
    }
}
