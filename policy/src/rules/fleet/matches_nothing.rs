//! E0701: a rule that no device of the fleet matches.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::Planner;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0701",
        title: "no device of the fleet matches this rule",
        text: "A rule that matches no device of any machine in the inventory protects nothing: its author \
               thought of a device that is not there, or made a slip in its `match`. What the rule should take \
               is taken by another one, or by a default. `plan --device SLOT` shows which item fails for one \
               device.",
        example: scene!("matches-nothing"),
        repair: &[("8086:15b7", "8086:15b8")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("matches-nothing")),
};

pub(crate) fn finding(planner: &Planner<'_>, rule: usize, machines: usize) -> Option<Diagnostic> {
    let rule = planner.policy().rules.get(rule)?;
    let looked = RULE.rule.at(rule.span, format!("none on {machines} machines"));
    let finding = looked.saying(format!("no device of the fleet matches rule `{}`", rule.name));
    Some(finding.help("correct its `match`, or remove the rule; `plan --device SLOT` shows which item fails"))
}
