//! E0106: a value of another type.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::read::{Value, span_of};
use crate::rules::missing_key;
use crate::source::Span;
use toml::de::DeValue;

pub(crate) static RULE: Rule = Rule {
    code: "E0106",
    title: "a value of the wrong type",
    text: "TOML tells strings (in quotes), numbers, `true` and `false`, lists (in brackets) and tables \
           apart, and this key takes one of them. A number in quotes is a string.",
    example: example!("wrong-type"),
    repair: &[("\"system\"\n", "[\"system\"]\n")],
    check: None,
};

pub(crate) fn finding(value: &Value<'_>, expected: &str) -> Diagnostic {
    let found = match value.get_ref().type_str() {
        "array" => "a list",
        "boolean" => "`true` or `false`",
        "datetime" => "a date",
        "float" => "a fraction",
        "integer" => "a number",
        "string" => "a string",
        _ => "a table",
    };
    RULE.at(span_of(value), format!("this is {found}"))
        .saying(format!("expected {expected}"))
        .help(help(value.get_ref(), expected))
}

/// Shows `key` of `table` with a value of the right type, where what was found at `span` only names the type.
pub(crate) fn show_key(key: &str, table: &str, span: Span, found: &mut [Diagnostic]) {
    let only_named = |found: &&mut Diagnostic| {
        let named = found.message.replacen("expected", "write", 1);
        found.code == RULE.code && found.primary.span == span && found.help == [named]
    };
    for found in found.iter_mut().filter(only_named) {
        found
            .help
            .extend(missing_key::example(key, table).map(|line| format!("for example {line}")));
    }
}

/// The value as it would be right, where it is only written in the wrong way.
fn help(value: &DeValue<'_>, expected: &str) -> String {
    match value {
        DeValue::String(text) if expected.starts_with("a list") => {
            format!("put it in brackets: `[{}]`", quoted(text))
        }
        DeValue::Integer(number) if expected.starts_with("a list") => {
            format!("put it in brackets: `[{number}]`")
        }
        DeValue::String(text) if expected.starts_with("a whole number") && text.parse::<u64>().is_ok() => {
            format!("remove the quotes: `{text}`")
        }
        DeValue::Integer(number) if expected.contains("quotes") => {
            format!("put it in quotes: `\"{number}\"`")
        }
        DeValue::Array(items) if expected.contains("quotes") => match (items.first(), items.len()) {
            (Some(only), 1) if only.get_ref().is_str() => {
                let text = only.get_ref().as_str().unwrap_or_default();
                format!("remove the brackets: `{}`", quoted(text))
            }
            _ => format!("write {expected}"),
        },
        DeValue::String(text) if expected.contains("true") => match text.as_ref() {
            "true" | "yes" | "on" => "write `true`, without quotes".to_owned(),
            "false" | "no" | "off" => "write `false`, without quotes".to_owned(),
            _ => format!("write {expected}"),
        },
        _ => format!("write {expected}"),
    }
}

/// A string as TOML; backslashes stay what they are.
fn quoted(text: &str) -> String {
    match text.contains('\\') {
        true => format!("'{text}'"),
        false => format!("\"{text}\""),
    }
}
