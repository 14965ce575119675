//! What rules look at: the document as read, and the selection entry that each rule of the policy becomes.

use crate::findings::Findings;
use crate::rules::{bad_selection, item_twice, selection_with_driver};
use crate::schema::{Device, Document, Match, MatchTable, NetModule};
use crate::source::{Located, Source, Span};
use crate::toml_string::place_within;
use sekisho_abi::selection::{
    Driver, DriverOption, Entry, Item, MAX_ENTRIES, ParseErrorKind, Patterns, parse_items,
};

/// Rules of a policy at most: they and the entries of the defaults are one selection string.
pub(crate) const MOST_RULES: usize = MAX_ENTRIES - 24;

/// A document with its selection entries.
pub(crate) struct Context<'a> {
    /// What the file says.
    pub(crate) document: &'a Document,
    /// For each device rule in order its entry, unless its match or driver was refused.
    pub(crate) entries: Vec<Option<Entry>>,
}

impl<'a> Context<'a> {
    /// Turns every `match` into selection items, reporting what the selection language refuses.
    pub(crate) fn new(document: &'a Document, source: &Source, findings: &mut Findings) -> Self {
        let entries = document
            .devices()
            .iter()
            .map(|device| entry(device, source, findings))
            .collect();
        Self { document, entries }
    }

    /// The first rule that a selection string has no room for.
    pub(crate) fn first_beyond(&self) -> Option<&'a Device> {
        self.document.devices().get(MOST_RULES)
    }

    /// The device rules with their entries.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&'a Device, Option<&Entry>)> {
        self.document
            .devices()
            .iter()
            .zip(self.entries.iter().map(Option::as_ref))
    }
}

fn entry(device: &Device, source: &Source, findings: &mut Findings) -> Option<Entry> {
    let matching = device.matching.as_ref()?;
    let items = match &matching.value {
        Match::Text(text) => items_of_text(text, matching.span, source, findings),
        Match::Table(table) => items_of_table(table, matching.span, source, findings),
    }?;
    let driver = device.driver.as_ref()?.value.driver;
    // Options that the driver does not have are refused by rules of their own; the string leaves them out.
    let known = driver.map_or(&[][..], Driver::options);
    let options = options(device)
        .into_iter()
        .filter(|option| known.contains(&option.name.as_str()));
    Entry::new(items, driver, options.collect()).ok()
}

/// The driver options that a rule's keys stand for, in the order in which the string gets them.
fn options(device: &Device) -> Vec<DriverOption> {
    let option = |name: &str, value: &str| DriverOption {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let net = device
        .net
        .as_ref()
        .map(|net: &Located<NetModule>| option("net", net.value.word()));
    let log = device.logs().then(|| option("tty", "1"));
    net.into_iter().chain(log).collect()
}

fn items_of_text(text: &str, span: Span, source: &Source, findings: &mut Findings) -> Option<Vec<Item>> {
    match parse_items(text) {
        Ok(items) if items.is_empty() => findings.push(bad_selection::nothing(span)),
        Ok(items) => return Some(items),
        Err(error) => {
            let place = place_within(source, span, &error.span());
            findings.push(match error.kind() {
                ParseErrorKind::ItemsOnly => selection_with_driver::finding(place),
                _ => bad_selection::finding(place, &error),
            });
        }
    }
    None
}

fn items_of_table(
    table: &MatchTable,
    span: Span,
    source: &Source,
    findings: &mut Findings,
) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut refused = !table.unclear.is_empty();
    let mut patterns = |text: &str, span: Span| match Patterns::parse(text) {
        Ok(patterns) => Some(patterns),
        Err(error) => {
            findings.push(bad_selection::finding(
                place_within(source, span, &error.span()),
                &error,
            ));
            refused = true;
            None
        }
    };
    for (property, pattern) in table.properties() {
        items.extend(
            patterns(&pattern.value.0, pattern.span).map(|patterns| Item::Property(property, patterns)),
        );
    }
    let number = table
        .number
        .as_ref()
        .and_then(|number| patterns(&number.value.0, number.span));
    if let Some(device) = &table.device {
        match Driver::from_name(&device.value.0) {
            Some(driver) => items.push(Item::Device(driver)),
            None => {
                findings.push(bad_selection::unknown_device(device.span, &device.value.0));
                refused = true;
            }
        }
    }
    refused |= item_twice::check(table, findings);
    if items.is_empty() && !refused {
        findings.push(match &table.number {
            Some(number) => bad_selection::number_alone(number.span),
            None => bad_selection::nothing(span),
        });
        refused = true;
    }
    items.extend(number.map(Item::Number));
    (!refused).then_some(items)
}
