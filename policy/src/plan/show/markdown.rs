//! For a pull request: what is wrong first, then one folded table a hardware model.

use super::{columns, count, heading};
use crate::diagnostic::{Diagnostic, Severity};
use crate::plan::{Fleet, Planner};
use crate::source::Source;
use std::fmt::Write;

/// A fleet's hardware models as Markdown tables, below what is wrong.
#[must_use]
pub fn markdown(planner: &Planner<'_>, fleet: &Fleet, found: &[(&Source, &[Diagnostic])]) -> String {
    let groups = fleet.groups();
    let mut text = format!(
        "### Plan of `{}`: {} of {}\n",
        planner.policy().name,
        count(fleet.machines(), "machine"),
        count(groups.len(), "model")
    );
    text.push_str(&findings(found));
    for hardware in &groups {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n<details><summary>{}</summary>\n\n| slot | class | id | fate | by | at |\n|---|---|---|---|---|---|\n",
            escaped(&heading(hardware))
        );
        for row in columns(planner, hardware) {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if !hardware.disks.is_empty() {
            text.push('\n');
        }
        for (layout, machines) in &hardware.disks {
            let _ = writeln!(
                text,
                "- disk {} ({})",
                escaped(layout),
                count(*machines, "machine")
            );
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// A list of diagnostics, or that there are none.
fn findings(found: &[(&Source, &[Diagnostic])]) -> String {
    let mut text = String::from("\n");
    for (source, found) in found {
        for one in *found {
            let mark = match one.severity {
                Severity::Error => "❌",
                Severity::Warning => "⚠️",
            };
            let place = format!("`{}`", source.place(one.primary.span.start));
            let said = format!("{}: {}", escaped(&one.message), escaped(&one.primary.text));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "- {mark} **{}** {place} {said}", one.code);
        }
    }
    match text.len() {
        1 => "\nNothing to report.\n".to_owned(),
        _ => text,
    }
}

/// Names of machines and partitions are other people's text: nothing of it is markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '#' | '@' | '!' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
