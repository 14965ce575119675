//! E0707: a machine without a NIC that goes through a tunnel.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::plan::{Planner, Seen};

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0707",
        title: "a machine without the NIC that the policy's tunnel relies on",
        text: "A tunnel is used by the NICs whose rule names it. On a machine where no device is taken by such \
               a rule nothing goes through the tunnel, and the guest has no network at all or, where a default \
               or another rule passes a NIC, one outside the tunnel.",
        example: scene!("no-tunnel"),
        repair: &[("id = \"8086:15b8\"", "id = \"8086:15b8|8086:15d7\"")],
        check: None,
    },
    scene: Scene::Fleet(fleet!("no-tunnel")),
};

pub(crate) fn finding(planner: &Planner<'_>, tunnel: usize, seen: &Seen) -> Option<Diagnostic> {
    let tunnel = planner.policy().document.tunnels().get(tunnel)?;
    let finding = RULE
        .rule
        .at(tunnel.name.span, format!("no NIC goes through it on {seen}"));
    let finding = finding.saying(format!(
        "tunnel `{}` has no NIC on some machines",
        tunnel.name.value
    ));
    Some(finding.help("add a rule with `net = \"vpn\"` and this tunnel for those machines' NIC"))
}
