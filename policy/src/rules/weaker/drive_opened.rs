//! E0810: CD and DVD drives of which the guest may do more.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0810",
        title: "the guest may do more with CD and DVD drives",
        text: "With `read` the guest reads media that someone puts in, with `pass` it writes them too, in clear, and may change the drive's firmware. What is said to be repaired below is the policy as it was.",
        example: change!("drive-opened"),
        repair: &[("atapi = \"pass\"", "atapi = \"read\"")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep `atapi` as it was")
}
