//! A difference as text: for people, for programs, for a pull request.

use super::{DeviceChange, Difference, ModelChange};
use crate::plan::{Decider, Planner, count, escaped, names};
use crate::render::json_diagnostic;
use serde_json::{Value, json};
use std::fmt::Write;

/// What changes, in words. What weakens is told by its diagnostics.
#[must_use]
pub fn diff_for_people(difference: &Difference<'_>) -> String {
    let mut text = String::new();
    for change in &difference.keys {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{change}");
    }
    for model in &difference.models {
        let _ = writeln!(text, "\n{}", heading(model));
        for change in &model.devices {
            let _ = writeln!(text, "  {}", device(difference, change));
        }
    }
    text
}

/// One JSON document.
#[must_use]
pub fn diff_json(difference: &Difference<'_>) -> String {
    let keys = difference.keys.iter();
    let keys = keys.map(|it| json!({ "key": it.key, "old": it.old, "new": it.new }));
    let models = difference.models.iter().map(|model| {
        let devices = model.devices.iter().map(|change| {
            json!({
                "slot": change.device.address.to_string(),
                "class_code": format!("{:06x}", change.device.class_code),
                "id": format!("{:04x}:{:04x}", change.device.vendor, change.device.device),
                "old": change.old.fate.to_string(),
                "new": change.new.fate.to_string(),
            })
        });
        let devices: Value = devices.collect();
        json!({
            "machines": model.tally.machines, "examples": model.tally.names, "model": model.make, "devices": devices
        })
    });
    let weakenings = difference.weakenings.iter();
    let weakenings = weakenings.map(|it| json_diagnostic(difference.source(it.side), &it.diagnostic));
    let value = json!({
        "old": difference.old.source.name(),
        "new": difference.new.source.name(),
        "changes": keys.collect::<Value>(),
        "models": models.collect::<Value>(),
        "weakenings": weakenings.collect::<Value>(),
    });
    format!("{value:#}\n")
}

/// What weakens first, then what changes.
#[must_use]
pub fn diff_markdown(difference: &Difference<'_>) -> String {
    let (old, new) = (difference.old.source.name(), difference.new.source.name());
    let mut text = format!("### Difference of `{old}` and `{new}`\n\n");
    if difference.weakenings.is_empty() {
        text.push_str("Protection does not weaken.\n");
    }
    for weakening in &difference.weakenings {
        let (found, source) = (&weakening.diagnostic, difference.source(weakening.side));
        let place = source.place(found.primary.span.start);
        let said = format!("{}: {}", escaped(&found.message), escaped(&found.primary.text));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- ❌ **{}** `{place}` {said}", found.code);
    }
    if !difference.keys.is_empty() {
        text.push_str("\n**Changes**\n\n");
    }
    for change in &difference.keys {
        let _ = writeln!(text, "- {}", escaped(&change.to_string()));
    }
    for model in &difference.models {
        let _ = write!(text, "\n**{}**\n\n", escaped(&heading(model)));
        for change in &model.devices {
            let _ = writeln!(text, "- {}", escaped(&device(difference, change)));
        }
    }
    text
}

fn heading(model: &ModelChange) -> String {
    let make = model
        .make
        .as_ref()
        .map_or_else(String::new, |make| format!(" ({make})"));
    format!(
        "{}{make}: {}",
        count(model.tally.machines, "machine"),
        names(&model.tally)
    )
}

/// `00:1f.6 (8086:15d7): vpn (wired, old.toml:17) becomes pass ([defaults] network, new.toml:6)`.
fn device(difference: &Difference<'_>, change: &DeviceChange) -> String {
    let (old, new) = (
        Planner::new(difference.old.policy),
        Planner::new(difference.new.policy),
    );
    let by = |planner: &Planner<'_>, decider: Decider| match planner.origin(decider) {
        (by, Some(place)) => format!("({by}, {place})"),
        (by, None) => format!("({by})"),
    };
    format!(
        "{} ({:04x}:{:04x}): {} {} becomes {} {}",
        change.device.address,
        change.device.vendor,
        change.device.device,
        change.old.fate,
        by(&old, change.old.decider),
        change.new.fate,
        by(&new, change.new.decider),
    )
}
