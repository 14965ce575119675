//! What two files say differently, key by key. Rules are known by their names, peers by their public keys.

use crate::compose;
use crate::findings::Findings;
use crate::read::Value;
use crate::source::Source;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// A key of which the files say different things.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyChange {
    /// Its path: `volume.system.key-size`, `device.wired.net`.
    pub key: String,
    /// What the old file says, as TOML.
    pub old: Option<String>,
    /// What the new file says, as TOML.
    pub new: Option<String>,
}

impl std::fmt::Display for KeyChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = &self.key;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{key}: {old} becomes {new}"),
            (Some(old), None) => write!(f, "{key}: {old} is gone"),
            (None, Some(new)) => write!(f, "{key}: {new} is new"),
            (None, None) => f.write_str(key),
        }
    }
}

/// Everything that the files say differently, in the order of keys.
#[must_use]
pub fn key_changes(old: &Source, new: &Source) -> Vec<KeyChange> {
    let (old, new) = (flat(old), flat(new));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let differing = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    differing
        .map(|key| KeyChange {
            key: key.clone(),
            old: old.get(key).cloned(),
            new: new.get(key).cloned(),
        })
        .collect()
}

/// Every value by its path; of rules their order too.
fn flat(source: &Source) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let texts = compose::texts(source);
    let tables = compose::parse(&texts).into_iter();
    let tables = tables.map(|(table, _)| table.into_inner()).collect();
    // Both policies were checked, so nothing is found.
    let composed = compose::compose(source, tables, &mut Findings::default());
    flatten_table("", &composed, &mut all);
    all
}

fn flatten_table(path: &str, table: &DeTable<'_>, all: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = match path {
            "" => key.get_ref().to_string(),
            path => format!("{path}.{}", key.get_ref()),
        };
        flatten(&path, value, all);
    }
}

fn flatten(path: &str, value: &Value<'_>, all: &mut BTreeMap<String, String>) {
    match value.get_ref() {
        DeValue::Table(table) => flatten_table(path, table, all),
        DeValue::Array(list) if !list.is_empty() && list.iter().all(|it| it.get_ref().is_table()) => {
            let mut order = Vec::new();
            for (place, value) in list.iter().enumerate() {
                let name = title(value).unwrap_or_else(|| place.to_string());
                flatten(&format!("{path}.{name}"), value, all);
                order.push(name);
            }
            all.insert(format!("{path} (order)"), order.join(", "));
        }
        _ => {
            all.insert(path.to_owned(), text(value));
        }
    }
}

/// What a table of a list is known by.
fn title(value: &Value<'_>) -> Option<String> {
    let table = value.get_ref().as_table()?;
    let named = ["name", "public-key"].into_iter().find_map(|key| table.get(key));
    Some(named?.get_ref().as_str()?.to_owned())
}

fn text(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(list) => {
            let items: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (&toml::Spanned<_>, &Value<'_>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                format!("{key} = {}", text(value))
            };
            let pairs: Vec<String> = table.iter().map(pair).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}
