//! E0703: a device that reaches disks or networks, of which the policy says nothing.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Decider, Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0703",
        title: "a way to disks or networks reaches the guest, and nothing says so",
        text: "Card readers, Fibre Channel, InfiniBand and wireless controllers (Bluetooth, mobile networks) \
               reach disks and networks, but their class is not 01xx or 02xx: the defaults for storage and \
               network are not about them. Here one reaches the guest because no rule names it. Write a rule \
               that does, whichever way it decides.",
        example: scene!("passed-unsaid"),
        repair: &[(
            "other = \"pass\"\n",
            "other = \"pass\"\n\n[[device]]\nname = \"bluetooth\"\nmatch = { class = \"0d11\" }\ndriver = \"conceal\"\n",
        )],
        check: None,
    },
    scene: Scene::Fleet(fleet!("passed-unsaid")),
};

pub(crate) fn finding(
    planner: &Planner<'_>,
    what: &str,
    class: u16,
    decider: Decider,
    seen: &Seen,
) -> Diagnostic {
    let (span, label) = super::passing(planner, decider);
    let finding = RULE.rule.at(span, format!("{label} {seen}"));
    let finding = finding.saying(format!("a {what} reaches the guest, and no rule says so"));
    // System devices may not be concealed by class.
    let driver = match decider {
        Decider::Untouched => "none",
        _ => "conceal",
    };
    finding.help(format!(
        "say what becomes of it in a rule: `match = {{ class = \"{class:04x}\" }}` with `driver = \"{driver}\"`, for example"
    ))
}
