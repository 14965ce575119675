//! A valid policy changed by one character anywhere: never a panic, never a key that is taken in silence.
//!
//! A key is unknown when the published JSON Schema has no property of that name at its place, and no family of names there.
//! A document that is TOML and has one must be refused.

#![cfg(test)]

use sekisho_policy::{Source, check, json_schema};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use toml::Value;

/// As many mutations there must be at least.
const LEAST: usize = 10_000;
/// What is written: letters, digits, and what means something to TOML.
const WRITTEN: &[char] = &[
    'a', 'X', '0', '-', '_', '.', '"', '\'', '#', '=', '[', ']', '{', '}', ',', '\n', ' ', '\\', 'ü', '\0',
];

/// A schema with the definitions that it may lead to.
struct Schema {
    root: Json,
}

impl Schema {
    fn published() -> Self {
        Self {
            root: serde_json::from_str(&json_schema()).unwrap(),
        }
    }

    /// The schemas that a node stands for: itself, what it refers to, and each of its alternatives.
    fn meant<'s>(&'s self, node: &'s Json) -> Vec<&'s Json> {
        let mut meant = vec![node];
        if let Some(place) = node["$ref"].as_str() {
            let target = self.root.pointer(place.trim_start_matches('#')).unwrap();
            meant.extend(self.meant(target));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for alternative in node[key].as_array().into_iter().flatten() {
                meant.extend(self.meant(alternative));
            }
        }
        meant
    }

    /// The first key of a value that the schema does not have.
    fn unknown(&self, nodes: &[&Json], value: &Value) -> Option<String> {
        match value {
            Value::Array(items) => {
                let nodes = self.below(nodes, |node| node.get("items"));
                items.iter().find_map(|item| self.unknown(&nodes, item))
            }
            Value::Table(table) => table.iter().find_map(|(name, value)| {
                let known = self.below(nodes, |node| {
                    let property = node["properties"].get(name);
                    property.or_else(|| node.get("additionalProperties").filter(|more| more.is_object()))
                });
                if known.is_empty() {
                    return Some(name.clone());
                }
                self.unknown(&known, value)
            }),
            _ => None,
        }
    }

    fn below<'s>(&'s self, nodes: &[&'s Json], step: impl Fn(&'s Json) -> Option<&'s Json>) -> Vec<&'s Json> {
        nodes
            .iter()
            .filter_map(|node| step(node))
            .flat_map(|node| self.meant(node))
            .collect()
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// At each place of a text: the character gone, another in its stead, and another before it.
fn mutations(text: &str, dice: &mut Dice) -> Vec<String> {
    let mut mutated = Vec::new();
    for (place, character) in text.char_indices() {
        let (before, behind) = (&text[..place], &text[place + character.len_utf8()..]);
        let mut written = || WRITTEN[dice.below(WRITTEN.len())];
        mutated.push(format!("{before}{behind}"));
        mutated.push(format!("{before}{}{behind}", written()));
        mutated.push(format!("{before}{}{character}{behind}", written()));
    }
    mutated
}

#[test]
fn no_mutation_by_one_character_panics_or_is_a_key_taken_in_silence() {
    let schema = Schema::published();
    let root = schema.meant(&schema.root);
    let mut dice = Dice(0x005e_c150);
    let (mut checked, mut unknown) = (0, 0);
    for name in ["encrypted-disk", "field-laptop", "first-light", "shared-nic"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/{name}.toml"));
        for text in mutations(&fs::read_to_string(path).unwrap(), &mut dice) {
            let table: Option<toml::Table> = text.parse().ok();
            let report = check(&Source::new("p".to_owned(), text.clone().into()));
            checked += 1;
            let Some(table) = table else {
                assert!(report.policy.is_none(), "not TOML, and taken:\n{text}");
                continue;
            };
            if let Some(key) = schema.unknown(&root, &Value::Table(table)) {
                unknown += 1;
                assert!(report.policy.is_none(), "`{key}` is unknown, and taken:\n{text}");
            }
        }
    }
    assert!(checked >= LEAST, "only {checked}");
    assert!(
        unknown * 20 > checked,
        "only {unknown} of {checked} had an unknown key"
    );
}
