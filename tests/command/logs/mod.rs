//! `sekisho logs`: what it makes of logs that were kept, and of datagrams.

use super::{root, sekisho, text};
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Stdio};

const FOLDER: &str = "tests/command/logs";

/// Compares with the file of this name; `UPDATE_GOLDEN=1` writes it.
fn assert_golden(name: &str, seen: &str) {
    let path = root().join(FOLDER).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, seen).unwrap();
    }
    assert_eq!(seen, std::fs::read_to_string(&path).unwrap(), "{name}");
}

fn decoded(file: &str, format: &str) -> String {
    let output = sekisho(&["logs", "decode", &format!("{FOLDER}/{file}"), "--format", format]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).to_owned()
}

#[test]
fn a_serial_log_is_told_from_the_firmwares_and_each_code_explained_once() {
    assert_golden("serial.human", &decoded("serial.log", "human"));
    assert_golden("serial.json", &decoded("serial.log", "json"));
}

#[test]
fn a_collectors_file_shows_losses_restarts_and_what_came_late() {
    assert_golden("collected.human", &decoded("collected.log", "human"));
    assert_golden("collected.json", &decoded("collected.log", "json"));
}

#[test]
fn a_file_without_a_line_of_ours_is_an_error_with_a_remedy() {
    let output = sekisho(&["logs", "decode", "LICENSE-MIT"]);
    assert_eq!(output.status.code(), Some(1));
    assert_golden("none.stderr", text(&output.stderr));
    let absent = sekisho(&["logs", "decode", "absent.log"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(text(&absent.stderr).starts_with("sekisho: cannot read absent.log: "));
}

#[test]
fn a_log_is_read_from_standard_input_too() {
    let input = std::fs::read(root().join(FOLDER).join("serial.log")).unwrap();
    let output = super::with_input(&["logs", "decode", "-"], &input);
    assert_golden("serial.human", text(&output.stdout));
}

#[test]
fn what_is_sent_is_shown_at_once_and_what_is_foreign_left_out() {
    let mut listener = Listener::start("human");
    for datagram in [
        "<134>1 - laptop sekisho - H0105 [meta sequenceId=\"1\"][sekisho@32473 boot=\"a\" policy=\"b\" line=\"0\"] 2 CPUs",
        "<134>1 - laptop sshd - - - somebody else's",
        "\u{fffd}",
        "<134>1 - laptop sekisho - H0105 [meta sequenceId=\"3\"][sekisho@32473 boot=\"a\" policy=\"b\" line=\"2\"] 3 CPUs",
    ] {
        listener.send(datagram);
    }
    assert_eq!(listener.line(), "laptop info H0105 2 CPUs");
    assert_eq!(listener.line(), "    = memory used of what was reserved, CPUs");
    assert_eq!(listener.line(), "-- laptop: message 2 is missing");
    assert_eq!(listener.line(), "laptop info H0105 3 CPUs");
}

#[test]
fn who_does_not_say_a_name_is_shown_by_address() {
    let mut listener = Listener::start("json");
    listener.send("<134>sekisho: 4 H0105 2 CPUs");
    let value: serde_json::Value = serde_json::from_str(&listener.line()).unwrap();
    assert_eq!(
        (&value["machine"], &value["line"]),
        (&"127.0.0.1".into(), &4.into())
    );
}

#[test]
fn an_address_that_is_not_ours_is_exit_code_2() {
    let output = sekisho(&["logs", "listen", "--udp", "192.0.2.1:514"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("sekisho: cannot receive at 192.0.2.1:514: "));
}

/// A listener that ends with this value.
struct Listener {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    socket: UdpSocket,
}

impl Listener {
    fn start(format: &str) -> Self {
        let mut command = super::command(&["logs", "listen", "--udp", "127.0.0.1:0", "--format", format]);
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        errors.read_line(&mut first).unwrap();
        let address = first.trim_end().strip_prefix("listening at ").unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            process,
            lines,
            socket,
        }
    }

    fn send(&self, datagram: &str) {
        self.socket.send(datagram.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
