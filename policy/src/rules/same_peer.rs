//! E0413: one peer twice.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0413",
    title: "two peers have the same public key",
    text: "A peer is its public key. Two tables with one key are one peer with two endpoints, of which one \
           would be lost; put all its networks in one table.",
    example: example!("same-peer"),
    repair: &[
        (
            "allowed-ips = [\"10.1.0.0/16\"]",
            "allowed-ips = [\"10.1.0.0/16\", \"10.2.0.0/16\"]",
        ),
        (
            "\n[[tunnel.hq.peer]]\n\
             public-key = \"3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\"\n\
             endpoint = \"203.0.113.8:51820\"\n\
             allowed-ips = [\"10.2.0.0/16\"]\n",
            "",
        ),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for tunnel in context.document.tunnels() {
        let keys: Vec<_> = tunnel
            .table
            .peers()
            .iter()
            .filter_map(|peer| peer.public_key.as_ref())
            .collect();
        for (place, key) in keys.iter().enumerate() {
            if let Some(first) = keys.iter().take(place).find(|earlier| earlier.value == key.value) {
                findings.push(
                    RULE.at(key.span, "second time")
                        .also(first.span, "first time")
                        .help(
                            "give the other peer's key here, or put all networks of this peer in one table",
                        ),
                );
            }
        }
    }
}
