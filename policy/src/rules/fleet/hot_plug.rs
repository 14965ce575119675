//! W0704: a port that disks and NICs can be plugged into.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Decider, Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "W0704",
        title: "disks and NICs can be plugged in behind a device that the guest has",
        text: "Whatever is plugged into USB, FireWire or CardBus is the guest's if its controller is: a memory \
               stick in clear, a network adapter or a telephone beside the tunnel. The defaults for storage \
               and network are about controllers inside the machine and do not reach there. A rule that names \
               the controller says that this is meant.",
        example: scene!("hot-plug"),
        repair: &[(
            "other = \"pass\"\n",
            "other = \"pass\"\n\n[[device]]\nname = \"usb\"\nmatch = { class = \"0c03\" }\ndriver = \"none\"\n",
        )],
        check: None,
    },
    scene: Scene::Fleet(fleet!("hot-plug")),
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
    let finding = finding.saying(format!(
        "the guest has {what}: disks and NICs can be plugged in there"
    ));
    finding.help(format!(
        "if that is meant, say so in a rule: `match = {{ class = \"{class:04x}\" }}` with `driver = \"none\"`"
    ))
}
