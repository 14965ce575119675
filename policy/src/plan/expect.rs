//! What a fleet is expected to be like under a policy: the policy's unit tests, `plan --expect FILE`.
//!
//! The file is TOML: a table for each machine, or pattern of machines' names; in it, for each slot, or selection of
//! devices, the fate that it must have, or a list of those that it may have.
//!
//! ```toml
//! ["t480-*"]
//! "00:17.0"   = "encrypt"
//! "class=02*" = ["vpn", "conceal"]
//! ```
//!
//! A slot must be there on every such machine; what another selection matches must be there on one of them.

use super::cover::Seen;
use super::fate::Fate;
use super::fleet::Tally;
use super::judge::Judgement;
use crate::diagnostic::Diagnostic;
use crate::findings::{Findings, choices, nearest};
use crate::inventory::{Model, Sighting};
use crate::read::{Value, span_of};
use crate::rules::fleet::{bad_expectation, expectation_unmet, expectation_unused};
use crate::source::{Source, Span};
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{Driver, Entry, Matcher, Patterns, Selection, parse_items};
use std::collections::HashMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is expected, and what was found so far.
#[derive(Debug)]
pub struct Expectations {
    machines: Vec<ExpectedMachine>,
    /// What becomes of a model, by the place of the expectation and [`Model::id`]: the same for all its machines.
    known: HashMap<(usize, usize, usize), Vec<Reality>>,
}

/// One table.
#[derive(Debug)]
struct ExpectedMachine {
    names: Patterns,
    span: Span,
    /// Whether a machine has such a name.
    met: bool,
    devices: Vec<ExpectedDevice>,
}

/// One key.
#[derive(Debug)]
struct ExpectedDevice {
    which: Selection,
    presence: Presence,
    span: Span,
    fates: Vec<Fate>,
    fates_span: Span,
    /// Whether a device is meant by it.
    met: bool,
    /// What is otherwise: the first, and on how many machines.
    unmet: Option<(Reality, Tally)>,
}

/// Where a device must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    /// On every machine: it is a slot.
    Everywhere,
    /// On one of them.
    Somewhere,
}

/// What is so instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reality {
    /// It is as expected.
    Met,
    /// The machine has no such device.
    Absent,
    /// It has another fate.
    Otherwise(Identity, Fate),
}

impl Expectations {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything wrong with it, in file order.
    pub fn read(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::default();
        let mut machines = Vec::new();
        match DeTable::parse(source.text()) {
            Err(error) => {
                let span = error.span().unwrap_or_default().into();
                findings.push(bad_expectation::finding(span, error.message()));
            }
            Ok(table) => {
                for (name, value) in sorted(table.get_ref()) {
                    machines.extend(machine(name, value, &mut findings));
                }
            }
        }
        match findings.into_sorted() {
            wrong if !wrong.is_empty() => Err(wrong),
            _ => Ok(Self {
                machines,
                known: HashMap::new(),
            }),
        }
    }

    /// Holds one machine against what is expected of it.
    pub fn see(&mut self, machine: &Sighting<Judgement>) {
        let name = machine.name.as_deref().unwrap_or_default();
        for (table, expected) in self.machines.iter_mut().enumerate() {
            if !expected.names.matches(name) {
                continue;
            }
            expected.met = true;
            for (key, device) in expected.devices.iter_mut().enumerate() {
                let found = self.known.entry((table, key, machine.model.id));
                let found = found.or_insert_with(|| device.found(&machine.model));
                for reality in found.iter() {
                    device.note(*reality, name);
                }
            }
        }
    }

    /// Everything that is not as expected, in file order, when every machine was seen.
    #[must_use]
    pub fn unmet(&self) -> Vec<Diagnostic> {
        let mut findings = Findings::default();
        for machine in &self.machines {
            if !machine.met {
                findings.push(expectation_unused::finding(
                    machine.span,
                    "no machine of the fleet has such a name",
                ));
                continue;
            }
            for device in &machine.devices {
                if let Some((reality, tally)) = &device.unmet {
                    findings.push(device.told(*reality, tally));
                } else if !device.met {
                    findings.push(expectation_unused::finding(
                        device.span,
                        "no such machine has such a device",
                    ));
                }
            }
        }
        findings.into_sorted()
    }
}

impl ExpectedDevice {
    /// What is so on a model: once for all its machines.
    fn found(&self, model: &Model<Judgement>) -> Vec<Reality> {
        let mut devices: Vec<_> = model.devices.iter().zip(&model.judgement.verdicts).collect();
        devices.sort_by_key(|(device, _)| device.address);
        let mut matcher = Matcher::new(&self.which);
        let meant = devices
            .iter()
            .filter(|(device, _)| matcher.decide(device).is_some());
        let found: Vec<Reality> = meant
            .map(|(device, verdict)| match self.fates.contains(&verdict.fate) {
                true => Reality::Met,
                false => Reality::Otherwise(**device, verdict.fate),
            })
            .collect();
        if found.is_empty() {
            return vec![Reality::Absent];
        }
        found
    }

    fn note(&mut self, reality: Reality, name: &str) {
        match (reality, self.presence) {
            (Reality::Met, _) => self.met = true,
            (Reality::Absent, Presence::Somewhere) => {}
            (Reality::Absent | Reality::Otherwise(..), _) => {
                let (_, tally) = self.unmet.get_or_insert_with(|| (reality, Tally::default()));
                tally.add(name);
            }
        }
    }

    fn told(&self, reality: Reality, tally: &Tally) -> Diagnostic {
        let expected = choices(self.fates.iter().map(|fate| fate.word()));
        let (found, device) = match reality {
            Reality::Otherwise(device, fate) => (format!("it is `{fate}`"), Some(device)),
            Reality::Met | Reality::Absent => ("it is not there".to_owned(), None),
        };
        let seen = Seen::new(tally.clone(), device);
        expectation_unmet::finding(self.fates_span, &expected, &found, &seen)
    }
}

/// The keys of a table in file order.
fn sorted<'a, 'de>(
    table: &'a DeTable<'de>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'de, str>>, &'a Value<'de>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn machine(
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Value<'_>,
    findings: &mut Findings,
) -> Option<ExpectedMachine> {
    let span = span_of(name);
    let DeValue::Table(table) = value.get_ref() else {
        findings.push(bad_expectation::finding(
            span,
            "a machine's expectations are a table: `[\"t480-*\"]`",
        ));
        return None;
    };
    let names = Patterns::parse(name.get_ref());
    if names.is_err() {
        findings.push(bad_expectation::finding(
            span,
            "this is no name or pattern of machines",
        ));
    }
    let devices = sorted(table)
        .into_iter()
        .filter_map(|(key, value)| device(key, value, findings));
    let devices = devices.collect();
    Some(ExpectedMachine {
        names: names.ok()?,
        span,
        met: false,
        devices,
    })
}

fn device(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Value<'_>,
    findings: &mut Findings,
) -> Option<ExpectedDevice> {
    let slot = key.get_ref().parse::<Address>().ok();
    let (items, presence) = match slot {
        Some(slot) => (format!("slot={slot}"), Presence::Everywhere),
        None => (key.get_ref().to_string(), Presence::Somewhere),
    };
    let items = parse_items(&items).ok().filter(|items| !items.is_empty());
    let entry = items.and_then(|items| Entry::new(items, Some(Driver::Conceal), Vec::new()).ok());
    if entry.is_none() {
        let wanted = "a device is a slot such as `00:1f.2`, or selection items such as `class=02*`";
        findings.push(bad_expectation::finding(span_of(key), wanted));
    }
    let fates = fates(value, findings);
    Some(ExpectedDevice {
        which: Selection {
            entries: vec![entry?],
        },
        presence,
        span: span_of(key),
        fates: fates?,
        fates_span: span_of(value),
        met: false,
        unmet: None,
    })
}

/// A fate, or a list of fates.
fn fates(value: &Value<'_>, findings: &mut Findings) -> Option<Vec<Fate>> {
    let one = |value: &Value<'_>, findings: &mut Findings| {
        let word = value.get_ref().as_str().unwrap_or_default();
        let fate = Fate::named(word);
        if fate.is_none() {
            let known = || Fate::WORDS.iter().map(|(word, _)| *word);
            let wanted = match nearest(word, known()) {
                Some(near) => format!("this is no fate; did you mean `{near}`?"),
                None => format!("a fate is {}", choices(known())),
            };
            findings.push(bad_expectation::finding(span_of(value), &wanted));
        }
        fate
    };
    match value.get_ref() {
        DeValue::Array(list) => {
            let fates: Vec<_> = list.iter().map(|value| one(value, findings)).collect();
            fates.into_iter().collect()
        }
        _ => one(value, findings).map(|fate| vec![fate]),
    }
}
