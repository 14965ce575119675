//! E0805: a default that hands out what it concealed.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0805",
        title: "a default passes what it concealed",
        text: "What no rule names did not exist for the guest, and is handed to it now: every device of that kind in every machine, also those that nobody has thought of. What is said to be repaired below is the policy as it was.",
        example: change!("default-passes"),
        repair: &[("network = \"pass\"", "network = \"conceal\"")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule
        .at(span, what)
        .help("keep the default, and write a `[[device]]` rule for the device that is meant")
}
