//! E0807: a tunnel without the preshared key it had.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0807",
        title: "a tunnel loses its preshared key",
        text: "The preshared key is mixed into every handshake. Without it the tunnel rests on Curve25519 alone, which a quantum computer could undo later from what was recorded today. What is said to be repaired below is the policy as it was.",
        example: change!("preshared-key-gone"),
        repair: &[(
            "IK08=\"\nendpoint",
            "IK08=\"\npreshared-key = \"hq-psk\"\nendpoint",
        )],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep `preshared-key`")
}
