//! Numbers of which not every value has a meaning.

use crate::findings::Findings;
use crate::read::{FromToml, Value, span_of};
use crate::rules::{number_range, unknown_version, wrong_type};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use toml::de::DeValue;

/// Reads a whole number that `meaning` takes; `expected` describes those it does.
fn integer<T>(
    value: &Value<'_>,
    expected: &str,
    findings: &mut Findings,
    meaning: impl Fn(i128) -> Option<T>,
) -> Option<T> {
    let DeValue::Integer(integer) = value.get_ref() else {
        findings.push(wrong_type::finding(value, "a whole number"));
        return None;
    };
    let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
    let read = number.and_then(meaning);
    if read.is_none() {
        findings.push(number_range::finding(span_of(value), expected));
    }
    read
}

/// A number between two bounds.
macro_rules! ranged {
    ($(
        $(#[doc = $doc:literal])*
        $Name:ident($Inner:ty): $least:literal ..= $most:literal, $what:literal;
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $Name(pub $Inner);

        impl FromToml for $Name {
            fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
                let expected = concat!($what, " from ", $least, " to ", $most);
                integer(value, expected, findings, |number| {
                    let number = <$Inner>::try_from(number).ok()?;
                    ($least..=$most).contains(&number).then_some(Self(number))
                })
            }
        }

        impl JsonSchema for $Name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "minimum": $least, "maximum": $most })
            }
        }
    )*};
}

ranged! {
    /// A partition's number; GPT has 128 of them.
    PartitionNumber(u8): 1..=128, "a partition number";
    /// A port of a storage controller.
    DiskPort(u8): 0..=31, "a port";
    /// Bytes of the largest packet in a tunnel: IPv6 needs 1280, and jumbo frames end at 9000.
    Mtu(u16): 1280..=9000, "a number of bytes";
    /// Seconds between keepalive packets.
    Keepalive(u16): 1..=65535, "a number of seconds";
    /// Wrong answers at the prompt.
    Attempts(u8): 1..=100, "a count";
}

/// A number that is one of two.
macro_rules! either {
    ($( $(#[doc = $doc:literal])* $Name:ident: $one:literal | $other:literal, $unit:literal; )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $Name(pub u16);

        impl FromToml for $Name {
            fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
                integer(value, concat!($one, " or ", $other, " ", $unit), findings, |number| match number {
                    $one => Some(Self($one)),
                    $other => Some(Self($other)),
                    _ => None,
                })
            }
        }

        impl JsonSchema for $Name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "enum": [$one, $other] })
            }
        }
    )*};
}

either! {
    /// Bits of a volume's key. XTS splits it in two, so 512 is AES-256.
    KeySize: 256 | 512, "bits";
    /// Bytes that are encrypted together.
    BlockSize: 512 | 4096, "bytes";
}

/// The version of the policy schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SchemaVersion;

impl FromToml for SchemaVersion {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let version = u64::from_toml(value, findings)?;
        if version != 1 {
            findings.push(unknown_version::finding(span_of(value), version));
            return None;
        }
        Some(Self)
    }
}

impl JsonSchema for SchemaVersion {
    fn schema_name() -> Cow<'static, str> {
        "SchemaVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [1] })
    }
}
