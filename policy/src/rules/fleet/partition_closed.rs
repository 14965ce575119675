//! W0710: a partition of a mediated disk of which nothing is said.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "W0710",
        title: "a partition is nobody's: it reads as zeros and takes no writes",
        text: "On a disk with a volume every other sector is refused unless `[clear]` names its partition: it \
               reads as zeros and takes no writes. A recovery partition or a second system there is lost to \
               the guest. Say that it stays in clear, or make it a volume; if it is meant to be closed, \
               nothing need be done.",
        example: scene!("partition-closed"),
        repair: &[("partitions = [\"esp\"]", "partitions = [\"esp\", \"tools\"]")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("partition-closed")),
};

pub(crate) fn finding(
    planner: &Planner<'_>,
    rule: usize,
    partition: &str,
    seen: &Seen,
) -> Option<Diagnostic> {
    let rule = planner.policy().rules.get(rule)?;
    let finding = RULE.rule.at(rule.span, format!("this takes the disk of {seen}"));
    let finding = finding.saying(format!(
        "partition {partition} reads as zeros and takes no writes: nothing is said of it"
    ));
    Some(finding.help("name it in `[clear] partitions`, or make it a volume"))
}
