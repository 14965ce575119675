//! E0108: a number without a meaning here.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0108",
    title: "a number out of range",
    text: "The number has no meaning for this key. A key of 256 bits is AES-128 in XTS mode, 512 bits is \
           AES-256, because XTS splits its key in two; sectors are encrypted in 512 or 4096 bytes.",
    example: example!("number-range"),
    repair: &[("key-size = 128", "key-size = 256")],
    check: None,
};

pub(crate) fn finding(span: Span, expected: &str) -> Diagnostic {
    RULE.at(span, "out of range")
        .saying(format!("expected {expected}"))
        .help(format!("write {expected}"))
}
