//! From TOML with spans to typed tables, reporting every slip instead of stopping at the first.
//!
//! The TOML itself is read by `toml`; this layer decides which keys exist and what their values are. A value
//! that is wrong is reported and left out, and everything beside it is still read.

mod table;
mod text;

pub use table::{Family, Named};
pub(crate) use table::{Key, Need, Shape, TableReader, table, table_schema};
pub(crate) use text::{FromText, Malformed, from_text, read_text, words};

use crate::findings::Findings;
use crate::rules::{number_range, wrong_type};
use crate::source::{Located, Span};
use toml::Spanned;
use toml::de::DeValue;

/// A TOML value and where it is.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// What a TOML value can be read as.
pub(crate) trait FromToml: Sized {
    /// What a list of these is called where something else stands.
    const LISTED: &'static str = "a list in brackets";

    /// Reads it, or reports why not.
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self>;
}

impl<T: FromToml> FromToml for Located<T> {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let span = span_of(value);
        T::from_toml(value, findings).map(|value| Self { value, span })
    }
}

impl<T: FromToml> FromToml for Vec<T> {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let DeValue::Array(items) = value.get_ref() else {
            findings.push(wrong_type::finding(value, T::LISTED));
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| T::from_toml(item, findings))
                .collect(),
        )
    }
}

impl FromToml for bool {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            findings.push(wrong_type::finding(value, "`true` or `false`"));
        }
        truth
    }
}

impl FromToml for u64 {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let DeValue::Integer(integer) = value.get_ref() else {
            findings.push(wrong_type::finding(value, "a whole number"));
            return None;
        };
        let number = Self::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            findings.push(number_range::finding(
                span_of(value),
                "a number from 0 to 2^64 - 1",
            ));
        }
        number
    }
}

/// Where a value is.
pub(crate) fn span_of<T>(value: &Spanned<T>) -> Span {
    value.span().into()
}
