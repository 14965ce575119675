//! E0705: a rule that conceals a bridge or system device of the fleet.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0705",
        title: "a rule conceals a bridge or system device",
        text: "Bridges (class 06xx) carry every device behind them, and system devices (08xx) are timers, \
               interrupt controllers and the IOMMU. `check` refuses rules that conceal them by class; a rule \
               by slot or id can only be judged with the machines at hand. Here one means such a device, and \
               the machine would not boot.",
        example: scene!("fixed-concealed"),
        repair: &[("00:1c.0", "00:1c.1")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("fixed-concealed")),
};

pub(crate) fn finding(planner: &Planner<'_>, rule: usize, what: &str, seen: &Seen) -> Option<Diagnostic> {
    let rule = planner.policy().rules.get(rule)?;
    let finding = RULE.rule.at(rule.span, format!("this conceals {seen}"));
    let finding = finding.saying(format!("rule `{}` conceals a {what}", rule.name));
    Some(
        finding
            .help("name the device that is meant; `plan --device SLOT` tells what a slot is on one machine"),
    )
}
