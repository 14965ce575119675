//! Tables: which keys there are, which must be there, and the JSON Schema of both, from one list.

use super::{FromToml, Value, span_of};
use crate::findings::{Findings, nearest};
use crate::repair;
use crate::rules::{bad_name, missing_key, unknown_key, wrong_type};
use crate::source::{Located, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value as Json, json};
use toml::de::{DeTable, DeValue};

/// One key of a table, for the reader and for the JSON Schema alike.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) description: &'static str,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Whether a key may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// What [`table!`] knows about a table.
pub(crate) trait Shape {
    /// As the file writes it: `[defaults]`, `[[device]]`.
    const TITLE: &'static str;
    /// Its keys.
    const KEYS: &'static [Key];

    /// The title for a sentence.
    fn quoted() -> String {
        if Self::TITLE.starts_with(char::is_alphabetic) && !Self::TITLE.contains('=') {
            Self::TITLE.to_owned()
        } else {
            format!("`{}`", Self::TITLE)
        }
    }
}

/// Reads one table key by key.
pub(crate) struct TableReader<'t, 'f> {
    table: &'t DeTable<'t>,
    title: &'static str,
    findings: &'f mut Findings,
    unclear: Vec<String>,
}

impl<'t, 'f> TableReader<'t, 'f> {
    /// The table in `value`, after reporting unknown and missing keys.
    pub(crate) fn open<S: Shape>(value: &'t Value<'t>, findings: &'f mut Findings) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            findings.push(wrong_type::finding(value, &format!("the table {}", S::quoted())));
            return None;
        };
        let unclear = check_keys::<S>(table, span_of(value), findings);
        Some(Self {
            table,
            title: S::TITLE,
            findings,
            unclear,
        })
    }

    /// The value of a key, if it is there and well-formed.
    pub(crate) fn value<T: FromToml>(&mut self, key: &'static str) -> Option<T> {
        let value = self.table.get(key)?;
        let before = self.findings.count();
        let read = T::from_toml(value, self.findings);
        if self.findings.count() > before {
            self.unclear.push(key.to_owned());
            let found = self.findings.since(before);
            wrong_type::show_key(key, self.title, span_of(value), found);
        }
        read
    }

    /// The keys of which something was reported.
    pub(crate) fn unclear(self) -> Vec<String> {
        self.unclear
    }
}

/// Reports unknown and missing keys; returns the unknown ones and those that they were meant to be.
fn check_keys<S: Shape>(table: &DeTable<'_>, span: Span, findings: &mut Findings) -> Vec<String> {
    let mut unclear = Vec::new();
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if S::KEYS.iter().any(|known| known.name == name) {
            continue;
        }
        let free = S::KEYS
            .iter()
            .map(|known| known.name)
            .filter(|known| !table.contains_key(*known));
        let edit = repair::key(span_of(key), name, free.clone());
        let suggestion = nearest(name, free);
        unclear.push(name.to_owned());
        unclear.extend(suggestion.map(str::to_owned));
        findings.push(unknown_key::finding::<S>(span_of(key), name, suggestion).repaired_by(edit));
    }
    for key in S::KEYS {
        let missing = key.need == Need::Required && !table.contains_key(key.name);
        if missing && !unclear.iter().any(|meant| meant == key.name) {
            findings.push(missing_key::finding::<S>(span, key));
        }
    }
    unclear
}

/// A table that a name leads to: `[volume.NAME]`.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// The name, which is also reported when it is malformed.
    pub name: Located<String>,
    /// The table.
    pub table: T,
}

/// Every table of a family such as `[volume.NAME]`, in file order.
#[derive(Clone, Debug)]
pub struct Family<T> {
    /// The members.
    pub members: Vec<Named<T>>,
}

impl<T: FromToml + Shape> FromToml for Family<T> {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            findings.push(wrong_type::finding(value, &format!("tables `{}`", T::TITLE)));
            return None;
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let members = entries.into_iter().filter_map(|(key, value)| {
            let name = Located {
                value: key.get_ref().clone().into_owned(),
                span: span_of(key),
            };
            bad_name::check_key(&name, findings);
            T::from_toml(value, findings).map(|table| Named { name, table })
        });
        let members = members.collect();
        Some(Self { members })
    }
}

impl<T: JsonSchema> JsonSchema for Family<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}Tables", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "object",
            "propertyNames": { "pattern": bad_name::PATTERN },
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// The JSON Schema of a table with these keys.
pub(crate) fn table_schema(description: &str, keys: &[Key], generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        let schema = (key.schema)(generator);
        properties.insert(key.name.to_owned(), described(schema, key.description));
        if key.need == Need::Required {
            required.push(key.name);
        }
    }
    let mut schema = schemars::json_schema!({
        "type": "object",
        "description": description.trim(),
        "properties": properties,
        "additionalProperties": false,
    });
    // Draft 4 has no empty list here.
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// The schema with the key's own description, which says more than its type's.
fn described(schema: Schema, description: &str) -> Json {
    let mut value = schema.to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("description".to_owned(), json!(description.trim()));
    }
    value
}

/// A table type: its struct, its reader and its JSON Schema from one list of keys.
macro_rules! table {
    (
        $(#[doc = $doc:literal])*
        $title:literal
        pub struct $Name:ident {
            $( $(#[doc = $field_doc:literal])* $need:ident $field:ident: $Type:ty = $key:literal ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            /// The table's header.
            pub span: $crate::source::Span,
            /// Keys that are unknown, meant by unknown ones, or whose value was reported.
            pub unclear: Vec<String>,
            $( $(#[doc = $field_doc])* pub $field: Option<$Type> ),*
        }

        impl $crate::read::Shape for $Name {
            const TITLE: &'static str = $title;
            const KEYS: &'static [$crate::read::Key] = &[$( $crate::read::Key {
                name: $key,
                need: $crate::read::table!(@need $need),
                description: concat!($($field_doc, "\n"),*),
                schema: |generator| generator.subschema_for::<$Type>(),
            } ),*];
        }

        impl $crate::read::FromToml for $Name {
            const LISTED: &'static str = concat!("a header in double brackets as in `", $title, "`, for each");

            fn from_toml(
                value: &$crate::read::Value<'_>,
                findings: &mut $crate::findings::Findings,
            ) -> Option<Self> {
                let mut reader = $crate::read::TableReader::open::<Self>(value, findings)?;
                $( let $field = reader.value($key); )*
                Some(Self {
                    span: $crate::read::span_of(value),
                    unclear: reader.unclear(),
                    $( $field ),*
                })
            }
        }

        impl $Name {
            /// Whether something was reported about this key, so that rules do not take it for left out.
            #[must_use]
            pub fn is_unclear(&self, key: &str) -> bool {
                self.unclear.iter().any(|unclear| unclear == key)
            }
        }

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let keys = <Self as $crate::read::Shape>::KEYS;
                $crate::read::table_schema(concat!($($doc, "\n"),*), keys, generator)
            }
        }
    };
    (@need required) => { $crate::read::Need::Required };
    (@need optional) => { $crate::read::Need::Optional };
}
pub(crate) use table;
