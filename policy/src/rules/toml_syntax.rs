//! E0101: the file is not TOML.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0101",
    title: "this is not TOML",
    text: "The file breaks the syntax of TOML at this place. Strings stand in quotes, lists in brackets, and \
           backslashes are literal only between single quotes. As long as the syntax is broken, what depends \
           on the whole file is not checked.",
    example: example!("toml-syntax"),
    repair: &[("storage = conceal", "storage = \"conceal\"")],
    check: None,
};

/// The library's message, with what people write instead of what it expects.
pub(crate) fn finding(span: Span, message: &str, line: &str) -> Diagnostic {
    let help = if message.contains("escape") {
        "write paths between single quotes, where a backslash is only a backslash: '\\EFI\\…'"
    } else if message.contains("must be quoted") {
        "put the value in quotes: `key = \"value\"`"
    } else if message.contains("unclosed") || message.contains("invalid basic string") {
        "close what was opened on this line"
    } else if line.trim_start().starts_with('[') {
        "a table is written `[name]`, a rule `[[device]]`, alone on its line"
    } else {
        "a line is `key = value`, `[table]`, `[[table]]` or a `# comment`"
    };
    RULE.at(span, message).help(help)
}
