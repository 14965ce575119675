//! E0706: a machine without the disk controller that a volume is on.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0706",
        title: "a machine without the disk that the policy relies on",
        text: "Every volume is on a disk of a controller that some rule with `volumes` takes. On a machine \
               where no device is taken by such a rule the volume does not exist: the disk is on another kind \
               of controller (RAID mode in the firmware setup, NVMe), and what becomes of that the defaults \
               say.",
        example: scene!("no-disk"),
        repair: &[("slot = \"00:17.0\", ", "")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("no-disk")),
};

pub(crate) fn finding(planner: &Planner<'_>, volume: usize, seen: &Seen) -> Option<Diagnostic> {
    let volume = planner.policy().document.volumes().get(volume)?;
    let finding = RULE
        .rule
        .at(volume.name.span, format!("no controller has it on {seen}"));
    let finding = finding.saying(format!(
        "volume `{}` is on no disk of some machines",
        volume.name.value
    ));
    Some(finding.help(
        "add a rule for those machines' disk controller that names the volume, or set their firmware to AHCI",
    ))
}
