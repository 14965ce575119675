//! E0205: a `match` that says more than which devices.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0205",
    title: "`match` says more than which devices",
    text: "`match` holds the items of one entry of a selection string. What takes the device is the key \
           `driver`, its options are keys such as `net` and `log`, and each entry is a `[[device]]` of its \
           own, in order. `sekisho match` takes whole strings.",
    example: example!("selection-with-driver"),
    repair: &[("class=02*, driver=conceal", "class=02*")],
    check: None,
};

pub(crate) fn finding(span: Span) -> Diagnostic {
    RULE.at(span, "this holds a driver or several entries")
        .help("leave only the items here; write `driver = \"…\"` as a key, and a `[[device]]` for each entry")
}
