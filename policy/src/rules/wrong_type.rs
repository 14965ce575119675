//! E0106: a value of another type.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::read::{Value, span_of};
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

/// The value as it would be right, where it is only written in the wrong way.
fn help(value: &DeValue<'_>, expected: &str) -> String {
    match value {
        DeValue::String(text) if expected.starts_with("a list") => {
            format!("put it in brackets: `[\"{text}\"]`")
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
        DeValue::String(text) if expected.contains("true") => match text.as_ref() {
            "true" | "yes" | "on" => "write `true`, without quotes".to_owned(),
            "false" | "no" | "off" => "write `false`, without quotes".to_owned(),
            _ => format!("write {expected}"),
        },
        _ => format!("write {expected}"),
    }
}
