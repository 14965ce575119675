//! E0712: an expectation that is about nothing in the fleet.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0712",
        title: "an expectation is about nothing in the fleet",
        text: "A test that tests nothing would stay silent whatever the policy does. Here no machine of the inventory has a name that the pattern matches, or none of those that have one has a device that the selection matches.",
        example: expectation!("expectation-unused"),
        repair: &[("\"T480-*\"", "\"t480-*\"")],
        check: None,
    },
    scene: Scene::Expected,
};

pub(crate) fn finding(span: Span, why: &str) -> Diagnostic {
    let finding = RULE.rule.at(span, why);
    finding.help("correct it, or add the machines that it is about to the inventory")
}
