//! E0713: a file that says no expectations.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0713",
        title: "this is no expectation",
        text: "A file of expectations is TOML. Its tables are machines, by name or pattern (`*`, `?`, `|`); their keys are slots (`00:1f.2`) or selection items (`class=02*`); the values are fates, or lists of those that are right: `pass`, `conceal`, `encrypt`, `vpn`, `null`, `ip`, `ippass`, `net-pass`, `own`.",
        example: expectation!("bad-expectation"),
        repair: &[("\"encrypted\"", "\"encrypt\"")],
        check: None,
    },
    scene: Scene::Expected,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    let finding = RULE.rule.at(span, what);
    finding.help("write, for example, a table `[\"t480-*\"]` with `\"00:17.0\" = \"encrypt\"`")
}
