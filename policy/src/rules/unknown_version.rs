//! E0110: a schema of another version.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0110",
    title: "a policy schema that this build does not know",
    text: "`policy` says which version of the schema the file is written in. This build reads version 1.",
    example: example!("unknown-version"),
    repair: &[("policy = 2", "policy = 1")],
    check: None,
};

pub(crate) fn finding(span: Span, version: u64) -> Diagnostic {
    RULE.at(span, "unknown version")
        .saying(format!("policy schema {version} is not known to this build"))
        .help("write `policy = 1`, or use a build of Sekisho that knows the file's version")
}
