//! E0601: what the file says, but this build's hypervisor does not do yet.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0601",
    title: "this build's hypervisor cannot enforce this",
    text: "The policy is right, but the hypervisor of this build does not have what it asks for. `image \
           build` refuses it by name, because an image that promised it would be protection that somebody \
           believes in. A tunnel has one IPv4 and one IPv6 address at most, and of the services there is only \
           `[echo]`; `check` and `compile` take the whole schema.",
    example: example!("unsupported"),
    repair: &[("\n[shell]\nallow = [\"192.0.2.0/24\"]\n", "")],
    check: None,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, "not in this build")
        .saying(format!("{what} cannot be enforced by this build's hypervisor"))
        .help(
            "this build has one address of each IP version a tunnel, names where it has a `dns`, and of the \
               services only `[echo]`; leave out the rest for it",
        )
}
