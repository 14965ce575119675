//! E0811: a volume that shows which sectors are free.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0811",
        title: "a volume lets TRIM through",
        text: "Sectors that were trimmed read as zeros from the raw disk: who has it sees how much is used, and often which file system and where files lie. What is said to be repaired below is the policy as it was.",
        example: change!("discard-allowed"),
        repair: &[("discard = true\n", "")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("leave `discard` out")
}
