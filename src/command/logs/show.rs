//! How messages and what was noticed between them are shown.

use super::Format;
use super::message::Message;
use super::watch::{Notice, Watch};
use crate::command::print;
use sekisho_abi::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;

/// Shows messages as they come.
pub(super) struct Show {
    format: Format,
    watch: Watch,
    /// Codes whose meaning was told already.
    explained: BTreeSet<u16>,
}

impl Show {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            watch: Watch::default(),
            explained: BTreeSet::new(),
        }
    }

    /// Shows one. `sender` names the machine where the message does not.
    pub(super) fn message(&mut self, message: &Message, sender: &str) -> io::Result<()> {
        let machine = message.host.as_deref().unwrap_or(sender);
        let notices = self.watch.next(machine, message);
        let text = match self.format {
            Format::Human => self.human(message, machine, &notices),
            Format::Json => notices
                .iter()
                .map(|notice| notice_json(machine, notice))
                .chain([message_json(message, machine)])
                .map(|value| format!("{value}\n"))
                .collect(),
        };
        print(&text)
    }

    fn human(&mut self, message: &Message, machine: &str, notices: &[Notice]) -> String {
        let Message { time, code, text, .. } = message;
        let mut shown: String = notices
            .iter()
            .map(|notice| notice_human(machine, notice))
            .collect();
        let level = message
            .event()
            .map_or("-".to_owned(), |event| event.level().to_string());
        for word in time
            .iter()
            .map(String::as_str)
            .chain([machine, &level, code, text])
        {
            shown += word;
            shown += " ";
        }
        shown.truncate(shown.trim_end().len());
        shown += "\n";
        match message.event() {
            Some(event) if self.explained.insert(event.code()) => shown += &explanation(event),
            _ => {}
        }
        shown
    }
}

fn explanation(event: Event) -> String {
    let tells = format!("    = {}\n", event.tells());
    match event.remedy() {
        "" => tells,
        remedy => format!("{tells}    = help: {remedy}\n"),
    }
}

fn notice_human(machine: &str, notice: &Notice) -> String {
    match notice {
        Notice::Missing { first, last } if first == last => {
            format!("-- {machine}: message {first} is missing\n")
        }
        Notice::Missing { first, last } => format!("-- {machine}: messages {first} to {last} are missing\n"),
        Notice::Restarted => format!("-- {machine}: started anew\n"),
        Notice::Late => format!("-- {machine}: late, or once more:\n"),
    }
}

fn notice_json(machine: &str, notice: &Notice) -> Value {
    match notice {
        Notice::Missing { first, last } => {
            json!({"notice": "missing", "machine": machine, "first": first, "last": last})
        }
        Notice::Restarted => json!({"notice": "restarted", "machine": machine}),
        Notice::Late => json!({"notice": "late", "machine": machine}),
    }
}

fn message_json(message: &Message, machine: &str) -> Value {
    let Message {
        host: _,
        time,
        boot,
        sequence,
        line,
        code,
        text,
    } = message;
    let event = message.event();
    json!({
        "machine": machine,
        "time": time,
        "boot": boot,
        "sequence": sequence,
        "line": line,
        "event": code,
        "level": event.map(|event| event.level().to_string()),
        "text": text,
        "tells": event.map(Event::tells),
        "remedy": event.map(Event::remedy),
    })
}
