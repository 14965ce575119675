//! Colours and the progress bar, on a pseudo terminal (by `script` of util-linux) and on a pipe.

use crate::{debian, root, scratch};
use std::fmt::Write;
use std::fs;
use std::process::Command;

const ESCAPE: char = '\x1b';
const BROKEN: &str = "check policy/tests/golden/unknown-key.toml";

/// A run on a terminal.
fn on_terminal(arguments: &str) -> Command {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_sekisho"));
    let mut script = debian("script");
    script.args(["--quiet", "--command", &line, "/dev/null"]);
    plain(&mut script);
    script.env("TERM", "xterm");
    script
}

/// A run whose streams are pipes.
fn on_pipes(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(root()).args(arguments.split(' '));
    plain(&mut command);
    command
}

/// Without what the person who runs the tests wants of colours.
fn plain(command: &mut Command) {
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
}

fn shown(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn colours_are_for_terminals_alone() {
    let (terminal, pipe) = (shown(&mut on_terminal(BROKEN)), shown(&mut on_pipes(BROKEN)));
    assert!(terminal.contains(ESCAPE), "{terminal}");
    assert!(pipe.contains("E0104") && !pipe.contains(ESCAPE), "{pipe}");
}

#[test]
fn who_refuses_colours_gets_none_and_who_forces_them_gets_them() {
    let refused = shown(on_terminal(BROKEN).env("NO_COLOR", "1"));
    assert!(
        refused.contains("E0104") && !refused.contains(ESCAPE),
        "{refused}"
    );
    let forced = shown(on_pipes(BROKEN).env("CLICOLOR_FORCE", "1"));
    assert!(forced.contains(ESCAPE), "{forced}");
    let both = shown(on_pipes(BROKEN).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
    assert!(!both.contains(ESCAPE), "{both}");
}

#[test]
fn a_fleet_has_a_progress_bar_on_a_terminal_alone() {
    let machine = fs::read_to_string(root().join("examples/fleet.jsonl")).unwrap();
    let machine = machine.lines().next().unwrap();
    let mut fleet = String::new();
    for number in 0..4_000 {
        // Writing to a string cannot fail.
        let _ = writeln!(
            fleet,
            "{}",
            machine.replacen("t480-0001", &format!("machine-{number}"), 1)
        );
    }
    let file = scratch("fleet").join("fleet.jsonl");
    fs::write(&file, fleet).unwrap();
    let plan = format!("plan examples/field-laptop.toml --inventory {}", file.display());
    let (terminal, pipe) = (shown(&mut on_terminal(&plan)), shown(&mut on_pipes(&plan)));
    assert!(terminal.contains("% ") && terminal.contains('█'), "{terminal}");
    assert!(!pipe.contains('█') && !pipe.contains(ESCAPE), "{pipe}");
}
