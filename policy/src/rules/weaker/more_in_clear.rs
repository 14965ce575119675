//! E0806: more sectors in clear.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0806",
        title: "more of a disk is in clear, or open to writing",
        text: "A partition that was encrypted or refused is in clear, or the guest may write the partition tables. What is stored there can be read by who has the disk. What is said to be repaired below is the policy as it was.",
        example: change!("more-in-clear"),
        repair: &[("[\"esp\", \"scratch\"]", "[\"esp\"]")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule
        .at(span, what)
        .help("name only what the firmware must read: the ESP, or a separate /boot")
}
