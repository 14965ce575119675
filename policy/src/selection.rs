//! The selection list of a policy: its rules, closed by its defaults.
//!
//! A default stands at the end, so it decides only what no rule took. Passing needs no entry: a device that
//! no entry takes stays the guest's. Bridges (06xx) and system devices (08xx) are in no default's classes:
//! without them nothing behind them works.

use crate::classes::ClassSet;
use crate::policy::{Decision, Policy};
use crate::schema::Fate;
use crate::source::Span;
use sekisho_abi::selection::{Driver, Entry, Item, Patterns, Property};

/// What a rule's name is for an entry that a default made.
const DEFAULTS: &str = "defaults";

const STORAGE: &str = "01*";
const NETWORK: &str = "02*";
const USB: &str = "0c03";
/// Every base class but storage (01), network (02), bridges (06) and system devices (08).
const OTHER: &str =
    "00*|03*|04*|05*|07*|09*|0a*|0b*|0c*|0d*|0e*|0f*|1*|2*|3*|4*|5*|6*|7*|8*|9*|a*|b*|c*|d*|e*|f*";

/// One entry and where it came from.
#[derive(Clone, Debug)]
pub struct TracedEntry {
    /// The entry.
    pub entry: Entry,
    /// The rule's name, or `defaults`.
    pub rule: String,
    /// Where the policy says it.
    pub span: Span,
    /// 1-based line of it.
    pub line: u32,
}

impl Policy {
    /// The whole list, each entry with its origin.
    #[must_use]
    pub fn selection(&self) -> Vec<TracedEntry> {
        let rules = self.rules.iter().map(|rule| TracedEntry {
            entry: rule.entry.clone(),
            rule: rule.name.clone(),
            span: rule.span,
            line: rule.line,
        });
        let mut list: Vec<TracedEntry> = rules.collect();
        for (classes, decision, driver) in self.default_entries() {
            let Some(entry) = class_entry(classes, driver) else {
                continue;
            };
            if !is_implied(&entry, &list) {
                list.push(TracedEntry {
                    entry,
                    rule: DEFAULTS.to_owned(),
                    span: decision.span,
                    line: decision.line,
                });
            }
        }
        list
    }

    /// The classes of each default that needs an entry, and what takes them.
    fn default_entries(&self) -> Vec<(&'static str, Decision, Option<Driver>)> {
        let fates = &self.defaults;
        let conceal = |classes, decision: Decision| {
            (decision.fate == Fate::Conceal).then_some((classes, decision, Some(Driver::Conceal)))
        };
        // USB controllers are also "other": say so before, whichever way they differ.
        let usb = fates
            .usb
            .filter(|usb| usb.fate != fates.other.fate)
            .map(|usb| match usb.fate {
                Fate::Pass => (USB, usb, None),
                Fate::Conceal => (USB, usb, Some(Driver::Conceal)),
            });
        [
            conceal(STORAGE, fates.storage),
            conceal(NETWORK, fates.network),
            usb,
            conceal(OTHER, fates.other),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn class_entry(classes: &str, driver: Option<Driver>) -> Option<Entry> {
    // The texts are this file's own; the tests print each of them.
    let patterns = Patterns::parse(classes).ok()?;
    Entry::new(
        vec![Item::Property(Property::Class, patterns)],
        driver,
        Vec::new(),
    )
    .ok()
}

/// Whether an entry before decides every device that this one could.
fn is_implied(entry: &Entry, before: &[TracedEntry]) -> bool {
    let classes = ClassSet::of_entry(entry);
    before.iter().any(|earlier| {
        let by_class_alone = earlier
            .entry
            .items()
            .iter()
            .all(|item| matches!(item, Item::Property(Property::Class, _)));
        by_class_alone
            && !earlier.entry.items().is_empty()
            && classes.is_within(&ClassSet::of_entry(&earlier.entry))
    })
}
