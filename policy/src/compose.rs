//! `extends`: the tables of a policy's files as one, the upper file's word before its base's.
//!
//! Tables are laid over each other key by key, everything else is the upper file's as a whole. Of `[[device]]`
//! rules one of the same name takes the place of the base's; the others stand before the base's, because the
//! first rule that matches decides and the file that extends is the more specific.

use crate::findings::Findings;
use crate::read::{FromToml, Shape, Value};
use crate::rules::{missing_base, missing_key, nothing_dropped};
use crate::schema::{BasePath, Document, Dropped, SchemaVersion};
use crate::source::{File, Located, Source, Span};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

/// The text of each file at its place in the text of all, so that spans need no translation: before it is blank.
pub(crate) fn texts(source: &Source) -> Vec<String> {
    let text = |file: &File| {
        let own = source.slice(file.span);
        // TOML takes a byte order mark at the very beginning only.
        let own = own.strip_prefix('\u{feff}').unwrap_or(own);
        " ".repeat(file.span.end - own.len()) + own
    };
    source.files().iter().map(text).collect()
}

/// The tables of each file as far as its syntax allows, and what is wrong with that.
pub(crate) fn parse(texts: &[String]) -> Vec<(Spanned<DeTable<'_>>, Vec<Error>)> {
    texts
        .iter()
        .map(|text| DeTable::parse_recoverable(text))
        .collect()
}

/// The tables of all files as one; `tables` are in the files' order.
pub(crate) fn compose<'a>(source: &Source, tables: Vec<DeTable<'a>>, findings: &mut Findings) -> DeTable<'a> {
    let mut base = DeTable::new();
    for (file, mut table) in source.files().iter().zip(tables).rev() {
        for dropped in listed::<Dropped>(&table, "drop", findings) {
            if !drop_from(&mut base, &dropped.value.0) {
                findings.push(nothing_dropped::finding(&dropped));
            }
        }
        let is_last = source.files().last().is_some_and(|last| last.span == file.span);
        let extended = table
            .get("extends")
            .and_then(|value| Located::<BasePath>::from_toml(value, findings));
        if let Some(extended) = extended.filter(|_| is_last) {
            findings.push(missing_base::finding(source, &extended));
        }
        if file.span.start > 0 {
            keep_to_itself(&mut table, file, findings);
        }
        lay_rules_over(&mut table, &mut base);
        lay_over(&mut table, base);
        base = table;
    }
    base
}

/// The items of a list; what is malformed is reported.
fn listed<T>(table: &DeTable<'_>, key: &str, findings: &mut Findings) -> Vec<Located<T>>
where
    Located<T>: FromToml,
{
    let value = table.get(key);
    value
        .and_then(|value| Vec::from_toml(value, findings))
        .unwrap_or_default()
}

/// Takes out of a base what is about the file and not about the policy. Each file says its own schema.
fn keep_to_itself(table: &mut DeTable<'_>, file: &File, findings: &mut Findings) {
    table.remove("extends");
    table.remove("drop");
    match table.remove("policy") {
        // Read for what is found.
        Some(version) => drop(Located::<SchemaVersion>::from_toml(&version, findings)),
        None => {
            let start = file.span.start;
            let head = Span { start, end: start };
            let version = Document::KEYS.iter().find(|key| key.name == "policy");
            if let Some(key) = version {
                findings.push(missing_key::finding::<Document>(head, key));
            }
        }
    }
}

/// Removes a table, key or rule by its path; whether it was there.
fn drop_from(table: &mut DeTable<'_>, path: &str) -> bool {
    let Some((first, rest)) = path.split_once('.') else {
        return table.remove(path).is_some();
    };
    match table.get_mut(first).map(Spanned::get_mut) {
        Some(DeValue::Table(inner)) => drop_from(inner, rest),
        Some(DeValue::Array(rules)) => {
            let before = rules.len();
            let kept = std::mem::replace(rules, DeArray::new()).into_iter();
            kept.filter(|rule| name(rule) != Some(rest))
                .for_each(|rule| rules.push(rule));
            rules.len() < before
        }
        _ => false,
    }
}

/// Moves the base's rules into the upper file's list.
fn lay_rules_over<'a>(upper: &mut DeTable<'a>, base: &mut DeTable<'a>) {
    let (Some(DeValue::Array(rules)), Some(DeValue::Array(below))) = (
        upper.get_mut("device").map(Spanned::get_mut),
        base.get_mut("device").map(Spanned::get_mut),
    ) else {
        return;
    };
    let mut own: Vec<Value<'a>> = std::mem::replace(rules, DeArray::new()).into_iter().collect();
    let laid = std::mem::replace(below, DeArray::new()).into_iter().map(|rule| {
        let same = own
            .iter()
            .position(|it| name(it).is_some() && name(it) == name(&rule));
        same.map_or(rule, |place| own.remove(place))
    });
    let laid: Vec<Value<'a>> = laid.collect();
    own.into_iter().chain(laid).for_each(|rule| rules.push(rule));
}

/// The name of a rule.
fn name<'a>(rule: &'a Value<'_>) -> Option<&'a str> {
    rule.get_ref().as_table()?.get("name")?.get_ref().as_str()
}

/// Gives the upper table what only the base's has.
fn lay_over<'a>(upper: &mut DeTable<'a>, base: DeTable<'a>) {
    for (key, value) in base {
        let here = upper.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
        match (here, value.get_ref()) {
            (None, _) => {
                upper.insert(key, value);
            }
            (Some(DeValue::Table(here)), DeValue::Table(_)) => {
                if let DeValue::Table(below) = value.into_inner() {
                    lay_over(here, below);
                }
            }
            (Some(_), _) => {}
        }
    }
}
