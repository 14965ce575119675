//! E0808: a log that leaves beside the tunnel.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0808",
        title: "the log leaves in clear, beside the tunnel",
        text: "Syslog by UDP is in clear. Inside the tunnel nobody on the way can read or forge it; outside everybody can. What is said to be repaired below is the policy as it was.",
        example: change!("log-outside"),
        repair: &[("via = \"outside\"", "via = \"hq\"")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep `via` with the tunnel's name")
}
