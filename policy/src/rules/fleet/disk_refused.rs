//! E0709: a disk on which the policy's volumes cannot be found.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0709",
        title: "the loader would refuse to boot: the policy and a disk do not fit",
        text: "The inventory tells what is on the disks of a controller that a rule takes, and the policy's \
               volumes or the sectors in clear cannot be found there, or overlap. The loader decides by the \
               same function, says the same sentence, and does not boot.",
        example: scene!("disk-refused"),
        repair: &[("partition = 3", "partition = 2")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("disk-refused")),
};

pub(crate) fn finding(planner: &Planner<'_>, rule: usize, sentence: &str, seen: &Seen) -> Option<Diagnostic> {
    let rule = planner.policy().rules.get(rule)?;
    let finding = RULE.rule.at(rule.span, format!("this takes the disk of {seen}"));
    let finding = finding.saying(format!("the loader would refuse to boot: {sentence}"));
    Some(finding.help("say in `[volume.NAME]` which disk and partition is meant, as it is on those machines"))
}
