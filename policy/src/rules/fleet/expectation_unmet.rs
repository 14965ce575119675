//! E0711: a device that has another fate than expected.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::Seen;
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0711",
        title: "a device has another fate than expected",
        text: "A file of expectations, `plan --expect FILE`, says which fate devices of machines must have: the policy's unit tests. Here one has another, or is not in its slot. Either the policy or the expectation is wrong; `plan --device SLOT` tells which rule decided, and why no other.",
        example: expectation!("expectation-unmet"),
        repair: &[("\"00:1f.6\" = \"conceal\"", "\"00:1f.6\" = \"vpn\"")],
        check: None,
    },
    scene: Scene::Expected,
};

pub(crate) fn finding(span: Span, expected: &str, found: &str, seen: &Seen) -> Diagnostic {
    let finding = RULE.rule.at(span, format!("{found}: {seen}"));
    let finding = finding.saying(format!("expected {expected}, but {found}"));
    finding.help("correct the policy or what is expected; `plan --device SLOT` shows which rule decided")
}
