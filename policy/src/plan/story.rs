//! The story of one device: every entry of the list in order, and which item of it did not match.

use super::judge::Planner;
use crate::inventory::{Model, Sighting};
use sekisho_abi::pci::Address;
use sekisho_abi::selection::{Matcher, Trial};
use std::fmt::Write;

/// What every entry says of the device in `slot`; `None` where the machine has none there. `file` is the policy's name.
#[must_use]
pub fn story<T>(planner: &Planner<'_>, machine: &Sighting<T>, slot: Address) -> Option<String> {
    let Model { devices, .. } = &*machine.model;
    let device = devices.iter().find(|device| device.address == slot)?;
    let mut before: Vec<_> = devices.iter().filter(|it| it.address < slot).collect();
    before.sort_by_key(|device| device.address);
    let mut matcher = Matcher::new(planner.selection());
    for earlier in before {
        // `number` counts those that were found before.
        matcher.decide(earlier);
    }
    let name = machine.name.as_deref().unwrap_or("unnamed");
    let mut text = format!(
        "{slot} on {name}: class {:06x}, id {:04x}:{:04x}, subsystem {:04x}:{:04x}, revision {:02x}\n",
        device.class_code,
        device.vendor,
        device.device,
        device.subsystem_vendor,
        device.subsystem,
        device.revision
    );
    let mut decided = false;
    matcher.try_each(device, |index, entry, trial| {
        let Some(traced) = planner.entries().get(index) else {
            return;
        };
        let file = planner.policy().file_at(traced.span);
        let said = match trial {
            Trial::Matches if decided => "matches, but is too late".to_owned(),
            Trial::Matches => {
                decided = true;
                "matches and decides".to_owned()
            }
            Trial::Fails(item) => match entry.items().get(item) {
                Some(item) => format!("no: {item} does not match"),
                None => "no: its driver does not fit".to_owned(),
            },
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {file}:{} {}: {said}", traced.line, traced.rule);
    });
    let judgement = planner.judge(devices);
    let verdicts = devices.iter().zip(&judgement.verdicts);
    for (_, verdict) in verdicts.filter(|(device, _)| device.address == slot) {
        let (by, place) = planner.origin(verdict.decider);
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let _ = writeln!(text, "  so: {}, by {by}{place}", verdict.fate);
    }
    Some(text)
}
