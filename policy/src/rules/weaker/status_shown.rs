//! E0813: a guest that may read the hypervisor's counters.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0813",
        title: "any program of the guest may read the hypervisor's counters",
        text: "With `status = true` every program in the guest may ask how often the hypervisor did what, and read its log. That tells about other programs and about the machine. What is said to be repaired below is the policy as it was.",
        example: change!("status-shown"),
        repair: &[("status = true", "status = false")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("leave `[guest] status` out")
}
