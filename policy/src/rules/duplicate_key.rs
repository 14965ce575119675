//! E0102: a key or table is said twice.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0102",
    title: "said twice",
    text: "A key can stand only once in a table, and a table only once in a file; TOML leaves open which of \
           two would count. Remove one, or give one another name.",
    example: example!("duplicate-key"),
    repair: &[("storage = \"pass\"\n", "")],
    check: None,
};

pub(crate) fn finding(span: Span, key: &str) -> Diagnostic {
    RULE.at(span, "second time")
        .saying(format!("`{key}` is said twice"))
        .help("keep one of the two; a second volume, tunnel or rule needs a name of its own")
}
