//! E0410: an own address that no host can have.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Addressing;
use ipnet::IpNet;
use std::net::IpAddr;

pub(crate) static RULE: Rule = Rule {
    code: "E0410",
    title: "no host can have this address",
    text: "The first address of an IPv4 network is the network's own and the last is for broadcasts; \
           loopback, multicast and unspecified addresses belong to no NIC.",
    example: example!("not-a-host"),
    repair: &[("192.0.2.0/24", "192.0.2.11/24")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let own = document
        .interfaces()
        .filter_map(|interface| interface.address.as_ref());
    let own = own.filter_map(|address| match address.value {
        Addressing::Static(cidr) => Some((cidr.0, address.span)),
        Addressing::Dhcp => None,
    });
    let inside = document
        .tunnels()
        .iter()
        .filter_map(|tunnel| tunnel.table.address.as_ref());
    let inside = inside.flat_map(|list| list.value.iter().map(|address| (address.value.0, address.span)));
    for (net, span) in own.chain(inside) {
        if let Some(remark) = remark(net) {
            findings.push(
                RULE.at(span, remark)
                    .saying(format!("no host can have the address {}", net.addr()))
                    .help("write one host's address with its network's prefix length: `192.0.2.11/24`"),
            );
        }
    }
}

/// Networks of 31 and 32 bits have neither a network nor a broadcast address (RFC 3021).
const LONGEST_WITH_BROADCAST: u8 = 30;

/// Why no host can have the address, if none can.
pub(crate) fn remark(net: IpNet) -> Option<String> {
    let address = net.addr();
    let special = address.is_loopback() || address.is_multicast() || address.is_unspecified();
    let has_broadcast = address.is_ipv4() && net.prefix_len() <= LONGEST_WITH_BROADCAST;
    match address {
        _ if special => Some("a loopback, multicast or unspecified address".to_owned()),
        IpAddr::V4(_) if has_broadcast && address == net.network() => {
            Some(format!("this is the network {} itself", net.trunc()))
        }
        IpAddr::V4(_) if has_broadcast && address == net.broadcast() => {
            Some(format!("this is the broadcast address of {}", net.trunc()))
        }
        _ => None,
    }
}
