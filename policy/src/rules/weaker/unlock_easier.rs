//! E0812: a key store that is easier to open.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0812",
        title: "the key store is easier to open at boot",
        text: "More wrong answers before the machine powers off, or one more way to answer, help who tries at the prompt. What is said to be repaired below is the policy as it was.",
        example: change!("unlock-easier"),
        repair: &[("attempts = 50", "attempts = 5")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep `[unlock]` as it was")
}
