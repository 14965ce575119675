//! E0204: a `match` that the selection language refuses.

use crate::context::MOST_RULES;
use crate::diagnostic::Diagnostic;
use crate::findings::{Rule, nearest};
use crate::repair;
use crate::source::Span;
use sekisho_abi::selection::{Driver, ParseError};

pub(crate) static RULE: Rule = Rule {
    code: "E0204",
    title: "the selection is malformed",
    text: "`match` is a table of selection items, or the items of a selection string: `name=pattern` with \
           commas between them. In patterns `*` is any run of characters, `?` any one, `|` separates \
           alternatives, double quotes keep blanks and commas, a backslash takes the next character \
           literally. `number` counts the devices that the items before it match, so it cannot be alone or \
           first.",
    example: example!("bad-selection"),
    repair: &[("klass=02*", "class=02*")],
    check: None,
};

pub(crate) fn finding(span: Span, error: &ParseError) -> Diagnostic {
    RULE.at(span, "here").saying(error.to_string()).help(error.help())
}

pub(crate) fn nothing(span: Span) -> Diagnostic {
    RULE.at(span, "no items")
        .saying("a rule must say which devices it is about")
        .help("name them by driver, class or id, for example `match = { device = \"ahci\" }`")
}

pub(crate) fn number_alone(span: Span) -> Diagnostic {
    RULE.at(span, "nothing to count")
        .saying("`number` has no item before it to count")
        .help("say which devices are counted: `match = { device = \"pro1000\", number = 0 }`")
}

pub(crate) fn unknown_device(span: Span, written: &str) -> Diagnostic {
    let names = Driver::ALL.into_iter().map(Driver::name);
    let edit = repair::word(span, written, names.clone());
    let help = match nearest(written, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the names are {}", names.collect::<Vec<_>>().join(", ")),
    };
    RULE.at(span, "unknown driver")
        .saying(format!("there is no driver `{written}` to match devices of"))
        .help(help)
        .repaired_by(edit)
}

pub(crate) fn too_many_rules(span: Span) -> Diagnostic {
    RULE.at(span, "one too many")
        .saying(format!("a policy has at most {MOST_RULES} rules"))
        .help("name several devices in one rule: `match = { id = \"8086:100e|8086:10d3\" }`")
}
