//! W0702: a disk or NIC that reaches the guest by a default.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{DefaultKey, Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "W0702",
        title: "a disk controller or NIC reaches the guest by a default",
        text: "A default of `pass` hands every disk controller or NIC that no rule takes to the guest: its \
               disks are in clear, its network is outside every tunnel. That may be meant, but then a rule \
               that names the device says so, and the next laptop model with another controller is noticed. \
               `--strict` makes this an error.",
        example: scene!("passed-by-default"),
        repair: &[("network = \"pass\"", "network = \"conceal\"")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("passed-by-default")),
};

pub(crate) fn finding(planner: &Planner<'_>, default: DefaultKey, seen: &Seen) -> Option<Diagnostic> {
    let (span, _) = planner.default(default)?;
    let what = match default {
        DefaultKey::Storage => "disks",
        _ => "NICs",
    };
    let finding = RULE.rule.at(span, format!("this passes {seen}"));
    let finding = finding.saying(format!(
        "`[defaults] {}` hands {what} to the guest unprotected",
        default.key()
    ));
    Some(finding.help("name the device in a `[[device]]` rule, with `driver = \"none\"` if it is meant to pass; or let the default conceal"))
}
