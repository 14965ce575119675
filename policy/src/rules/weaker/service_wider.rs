//! E0809: a service that more may reach.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0809",
        title: "more may reach a service of the appliance",
        text: "The services of the appliance (rescue, shell, echo, status page) are off unless said, and reached only from the addresses in `allow`. Here a service is new, or its list is longer. What is said to be repaired below is the policy as it was.",
        example: change!("service-wider"),
        repair: &[("[\"192.0.2.1\", \"192.0.2.2\"]", "[\"192.0.2.1\"]")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep the list as short as it was")
}
