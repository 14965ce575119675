//! `check --fix`: repairs that a program may make, because there is one that is obvious.
//!
//! A slip of the keyboard has one when a single known word is nearest to what was written. A repair that would open something
//! is left to a person, however obvious: [`OPENING`].

use crate::check::Report;
use crate::diagnostic::{Diagnostic, Edit};
use crate::findings::{Nearest, near};
use crate::source::{Source, Span};

/// Keys and words that let something through, write it or show it: nobody gets one that they did not write.
const OPENING: [&str; 24] = [
    "allow",
    "atapi",
    "attempts",
    "clear",
    "discard",
    "drop",
    "echo",
    "extends",
    "gpt",
    "guest",
    "ip",
    "ippass",
    "methods",
    "none",
    "off",
    "outside",
    "partitions",
    "pass",
    "read",
    "rescue",
    "shell",
    "status",
    "status-page",
    "write",
];

/// What is written instead of a key.
pub(crate) fn key<'a>(span: Span, written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Edit> {
    let replacement = only(written, known)?.to_owned();
    Some(Edit { span, replacement })
}

/// What is written instead of a word in quotes.
pub(crate) fn word<'a>(span: Span, written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Edit> {
    let replacement = format!("\"{}\"", only(written, known)?);
    Some(Edit { span, replacement })
}

/// The one word that was meant, unless it opens something.
fn only<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    match near(written, known) {
        Nearest::One(word) if !OPENING.contains(&word) => Some(word),
        _ => None,
    }
}

/// A policy's own file after its obvious repairs.
#[derive(Clone, Debug)]
pub struct Repaired {
    /// The file's text.
    pub text: String,
    /// What was repaired, each with its edit.
    pub done: Vec<Diagnostic>,
}

/// Makes every edit that the diagnostics carry for the policy's own file; `None` if there is none.
#[must_use]
pub fn repair(source: &Source, report: &Report) -> Option<Repaired> {
    let own = source.span_at(0);
    let mut text = String::new();
    let mut copied = own.start;
    let mut done = Vec::new();
    let edits = report
        .diagnostics
        .iter()
        .filter_map(|found| Some((found, found.edit.as_ref()?)));
    let mut edits: Vec<_> = edits.filter(|(_, edit)| edit.span.end <= own.end).collect();
    edits.sort_by_key(|(_, edit)| edit.span);
    for (found, edit) in edits {
        // One that overlaps another waits until the file is checked again.
        if edit.span.start < copied {
            continue;
        }
        let (start, end) = (copied, edit.span.start);
        text.push_str(source.slice(Span { start, end }));
        text.push_str(&edit.replacement);
        copied = edit.span.end;
        done.push(found.clone());
    }
    let (start, end) = (copied, own.end);
    text.push_str(source.slice(Span { start, end }));
    (!done.is_empty()).then_some(Repaired { text, done })
}
