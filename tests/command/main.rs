//! The command as people and scripts call it: exit codes, and what goes to which stream.

#![cfg(test)]

mod disk;
mod fix;
mod fleet;
mod fmt;
mod image;
mod keys;
mod logs;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sekisho(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(root()).args(arguments);
    command
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn broken(name: &str) -> String {
    let path: PathBuf = ["policy", "tests", "golden", name].iter().collect();
    path.with_extension("toml").display().to_string()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const GOOD: &str = "examples/field-laptop.toml";

#[test]
fn a_policy_that_is_right_is_passed_in_silence() {
    let output = sekisho(&["check", GOOD, "examples/first-light.toml"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("", ""));
}

#[test]
fn one_wrong_policy_among_several_is_exit_code_1_and_all_are_checked() {
    let output = sekisho(&["check", &broken("unknown-key"), GOOD, &broken("lba-order")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("--> policy/tests/golden/unknown-key.toml:6:1"),
        "{stderr}"
    );
    assert!(stderr.contains("error[E0306]"), "{stderr}");
    assert!(!stderr.contains('\x1b'), "colour without a terminal: {stderr}");
}

#[test]
fn warnings_alone_are_exit_code_0() {
    let output = sekisho(&["check", &broken("no-recovery")]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("warning[W0503]"));
}

#[test]
fn a_file_that_cannot_be_read_is_exit_code_2() {
    let output = sekisho(&["check", "no/such/policy.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("sekisho: cannot read no/such/policy.toml: "));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    assert_eq!(sekisho(&["chekc", GOOD]).status.code(), Some(2));
    assert_eq!(sekisho(&["check"]).status.code(), Some(2));
    assert_eq!(sekisho(&["explain", "E9999"]).status.code(), Some(2));
}

#[test]
fn a_dash_reads_standard_input() {
    let output = with_input(&["check", "-"], b"policy = 1\nname = \"x\"\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("needs `defaults`"));
}

#[test]
fn a_policy_on_standard_input_extends_a_file_of_the_working_folder() {
    let policy = b"policy = 1\nextends = \"examples/first-light.toml\"\ndrop = [\"device.second-nic\"]\n";
    let output = with_input(&["compile", "-"], policy);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(!text(&output.stdout).contains("8086:100e"));
    let kept = with_input(
        &["compile", "--trace", "-"],
        b"policy = 1\nextends = \"examples/first-light.toml\"\n",
    );
    let stdout = text(&kept.stdout);
    assert!(
        stdout.contains("# examples/first-light.toml:10 second-nic"),
        "{stdout}"
    );
}

#[test]
fn json_goes_to_stdout_and_has_every_file() {
    let output = sekisho(&["check", "--format", "json", GOOD, &broken("many-errors")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["files"][0]["ok"], true);
    assert_eq!(value["files"][1]["ok"], false);
    assert_eq!(value["files"][1]["diagnostics"][0]["code"], "E0109");
    assert_eq!(value["files"][1]["diagnostics"][0]["line"], 3);
}

#[test]
fn the_formats_for_servers_go_to_stdout_with_the_same_exit_code() {
    for (format, first) in [("sarif", "{"), ("junit", "<?xml")] {
        let output = sekisho(&["check", "--format", format, GOOD, &broken("many-errors")]);
        assert_eq!(output.status.code(), Some(1));
        let stdout = text(&output.stdout);
        assert!(stdout.starts_with(first) && stdout.contains("E0109"), "{stdout}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn compile_prints_keys_and_traces_them_to_lines() {
    let output = sekisho(&["compile", "--trace", GOOD]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    assert!(
        stdout.starts_with("vmm.driver.pci=device=ahci, driver=ahci, and, "),
        "{stdout}"
    );
    assert!(stdout.contains("# examples/field-laptop.toml:"), "{stdout}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn compile_prints_nothing_of_a_wrong_policy() {
    let output = sekisho(&["compile", &broken("lba-order")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("error[E0306]"));
}

#[test]
fn explain_documents_a_code_and_lists_all() {
    let one = sekisho(&["explain", "e0402"]);
    assert_eq!(one.status.code(), Some(0));
    assert!(text(&one.stdout).starts_with("E0402: "));
    let all = sekisho(&["explain"]);
    assert!(text(&all.stdout).lines().count() > 50);
}

#[test]
fn schema_prints_a_json_schema() {
    let output = sekisho(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["type"], "object");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command(&["schema"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}
