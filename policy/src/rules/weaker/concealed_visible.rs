//! E0803: a device that did not exist for the guest does now.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0803",
        title: "a concealed device becomes visible",
        text: "A device that did not exist for the guest is in its hands now, or can be seen by it. Drivers load for it, and what it reaches is reached. What is said to be repaired below is the policy as it was.",
        example: change!("concealed-visible"),
        repair: &[("driver = \"none\"", "driver = \"conceal\"")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule
        .at(span, what)
        .help("keep `driver = \"conceal\"`, or let the rule name only the device that is meant")
}
