//! E0802: a NIC that was behind the tunnel reaches the network beside it.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0802",
        title: "the guest reaches the network beside the tunnel",
        text: "A NIC that reached the network through a tunnel only, or not at all, reaches it directly: the kill switch is off. Packets of the guest leave in clear, and others can reach it. What is said to be repaired below is the policy as it was.",
        example: change!("outside-tunnel"),
        repair: &[(
            "net = \"pass\"\n",
            "net = \"vpn\"\ntunnel = \"hq\"\n\n[ip]\naddress = \"dhcp\"\n\n[tunnel.hq]\naddress = [\"10.66.0.2/32\"]\nprivate-key = \"hq\"\n[[tunnel.hq.peer]]\npublic-key = \"3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\"\npreshared-key = \"hq-psk\"\nendpoint = \"203.0.113.7:51820\"\nallowed-ips = [\"0.0.0.0/0\"]\n",
        )],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule
        .at(span, what)
        .help("keep `net = \"vpn\"`; a NIC for another use gets a rule of its own")
}
