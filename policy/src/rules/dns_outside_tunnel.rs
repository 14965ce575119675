//! W0416: name servers that the tunnel does not reach.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "W0416",
    title: "the tunnel does not reach this name server",
    text: "The guest asks the name servers of its tunnel through the tunnel, which carries only what the \
           `allowed-ips` of a peer hold. A name server outside of them never answers.",
    example: example!("dns-outside-tunnel"),
    repair: &[("\"10.66.0.0/16\"", "\"10.66.0.0/16\", \"192.0.2.53/32\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for tunnel in context.document.tunnels() {
        let (name, peers) = (&tunnel.name.value, tunnel.table.peers());
        let networks: Vec<_> = peers
            .iter()
            .filter_map(|peer| peer.allowed_ips.as_ref())
            .flat_map(|ips| &ips.value)
            .collect();
        for server in tunnel.table.dns.iter().flat_map(|dns| &dns.value) {
            let reached = networks
                .iter()
                .any(|network| network.value.0.contains(&server.value));
            if !reached && !networks.is_empty() {
                findings.push(
                    RULE.at(server.span, "in no `allowed-ips`")
                        .saying(format!(
                            "tunnel `{name}` does not reach name server {}",
                            server.value
                        ))
                        .help(format!(
                            "name a server inside the tunnel, or add `\"{}\"` to a peer's `allowed-ips`",
                            ipnet::IpNet::from(server.value)
                        )),
                );
            }
        }
    }
}
