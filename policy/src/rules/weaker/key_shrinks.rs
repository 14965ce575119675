//! E0804: a volume with a smaller key.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0804",
        title: "a volume's key is smaller",
        text: "With 256 bits the sectors are AES-128 where they were AES-256. A volume that is encrypted already keeps the key that it has: it would have to be decrypted and encrypted anew. What is said to be repaired below is the policy as it was.",
        example: change!("key-shrinks"),
        repair: &[("key-size = 256", "key-size = 512")],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep `key-size = 512`")
}
