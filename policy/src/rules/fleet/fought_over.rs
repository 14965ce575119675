//! W0708: a device that two rules were written for.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "W0708",
        title: "two rules fight over a device",
        text: "The first rule that matches decides. Here the later one names the device at least as exactly as \
               the earlier (by slot, or by id), wants another fate for it, and decides no device of that model \
               at all: it was written for what the earlier one takes. A general rule behind special ones, \
               which takes what they leave, is no fight.",
        example: scene!("fought-over"),
        repair: &[
            (
                "[[device]]\nname = \"all-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n\n",
                "",
            ),
            (
                "driver = \"none\"\n",
                "driver = \"none\"\n\n[[device]]\nname = \"all-nics\"\nmatch = { class = \"02*\" }\ndriver = \"conceal\"\n",
            ),
        ],
        check: None,
    },
    scene: Scene::Fleet(fleet!("fought-over")),
};

pub(crate) fn finding(planner: &Planner<'_>, winner: usize, loser: usize, seen: &Seen) -> Option<Diagnostic> {
    let rules = &planner.policy().rules;
    let (winner, loser) = (rules.get(winner)?, rules.get(loser)?);
    let finding = RULE.rule.at(loser.span, format!("this loses {seen}"));
    let finding = finding
        .saying(format!(
            "rules `{}` and `{}` fight over a device",
            winner.name, loser.name
        ))
        .also(winner.span, "this one comes first and decides");
    Some(finding.help("write the more exact rule first, or make the earlier one leave the device out"))
}
