//! E0412: one network behind two peers.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::{Network, Peer};
use crate::source::Located;

pub(crate) static RULE: Rule = Rule {
    code: "E0412",
    title: "one network behind two peers",
    text: "A packet goes to the peer whose `allowed-ips` hold its destination most exactly. The same network \
           at two peers leaves that open, and WireGuard would silently take it from the first. A smaller \
           network within a larger one is fine.",
    example: example!("peers-overlap"),
    repair: &[(
        "allowed-ips = [\"10.1.0.0/16\", \"10.0.0.0/8\"]",
        "allowed-ips = [\"10.1.0.0/16\"]",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for tunnel in context.document.tunnels() {
        let networks: Vec<_> = tunnel.table.peers().iter().flat_map(networks).collect();
        for (place, network) in networks.iter().enumerate() {
            if let Some(first) = networks
                .iter()
                .take(place)
                .find(|earlier| earlier.value == network.value)
            {
                findings.push(
                    RULE.at(network.span, "second time")
                        .saying(format!(
                            "network {} is said twice in tunnel `{}`",
                            network.value.0, tunnel.name.value
                        ))
                        .also(first.span, "first time")
                        .help("keep it at the peer that is to have it"),
                );
            }
        }
    }
}

fn networks(peer: &Peer) -> &[Located<Network>] {
    peer.allowed_ips.as_ref().map_or(&[], |ips| &ips.value)
}
