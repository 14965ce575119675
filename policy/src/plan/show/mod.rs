//! A plan as text: for people, for programs, for a pull request.

mod human;
mod json;
mod markdown;

pub use human::for_people;
pub use json::JsonPlan;
pub(crate) use markdown::escaped;
pub use markdown::markdown;

use super::fleet::{Hardware, Tally};
use super::judge::Planner;

/// `2 machines (T480): a, b`.
fn heading(hardware: &Hardware) -> String {
    let make = hardware
        .make
        .as_ref()
        .map_or_else(String::new, |make| format!(" ({make})"));
    format!(
        "{}{make}: {}",
        count(hardware.tally.machines, "machine"),
        names(&hardware.tally)
    )
}

/// The names of some.
pub(crate) fn names(tally: &Tally) -> String {
    let more = if tally.machines > tally.names.len() {
        ", …"
    } else {
        ""
    };
    tally.names.join(", ") + more
}

/// `1 machine`, `2 machines`.
pub(crate) fn count(number: usize, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}

/// A device of a model, in columns: slot, class code, id, fate, what decided, where that is said.
fn columns(planner: &Planner<'_>, hardware: &Hardware) -> Vec<[String; 6]> {
    let model = &hardware.model;
    let devices = model.devices.iter().zip(&model.judgement.verdicts);
    let row = devices.map(|(device, verdict)| {
        let (by, place) = planner.origin(verdict.decider);
        [
            device.address.to_string(),
            format!("{:06x}", device.class_code),
            format!("{:04x}:{:04x}", device.vendor, device.device),
            verdict.fate.to_string(),
            by.to_owned(),
            place.map_or_else(String::new, |place| place.to_string()),
        ]
    });
    row.collect()
}
