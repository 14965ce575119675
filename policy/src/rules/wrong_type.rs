//! E0106: a value of another type.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::read::{Value, span_of};

pub(crate) static RULE: Rule = Rule {
    code: "E0106",
    title: "a value of the wrong type",
    text: "TOML tells strings (in quotes), numbers, `true` and `false`, lists (in brackets) and tables apart, and \
           this key takes one of them. A number in quotes is a string.",
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
        .help(format!("write {expected}"))
}
