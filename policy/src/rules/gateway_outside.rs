//! E0409: a router that is not on our network.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Addressing;
use ipnet::IpNet;
use std::net::IpAddr;

pub(crate) static RULE: Rule = Rule {
    code: "E0409",
    title: "the gateway is not on this network",
    text: "A gateway is a router in our own network, reached without another router. Either its address or \
           the prefix length of ours is wrong.",
    example: example!("gateway-outside"),
    repair: &[("gateway = \"192.0.3.254\"", "gateway = \"192.0.2.1\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for interface in context.document.interfaces() {
        let (Some(address), Some(gateway)) = (&interface.address, &interface.gateway) else {
            continue;
        };
        let Addressing::Static(own) = address.value else {
            continue;
        };
        let (net, router) = (own.0.trunc(), gateway.value);
        let remark = if router == own.0.addr() {
            "this is our own address".to_owned()
        } else if !net.contains(&router) {
            format!("not in {net}")
        } else if own.0.prefix_len() + 1 < own.0.max_prefix_len()
            && (router == net.network() || is_broadcast(&net, router))
        {
            format!("the address of {net} itself, not of a host")
        } else {
            continue;
        };
        findings.push(
            RULE.at(gateway.span, remark)
                .saying(format!("gateway {router} is no router in {net}"))
                .also(address.span, "our address and network")
                .help(format!(
                    "write the router's address within {net}, such as `{}`, or correct the prefix length \
                     of `address`",
                    router_in(own.0)
                )),
        );
    }
}

/// An address that a router beside `own` may have: the first of the network, or the second.
pub(crate) fn router_in(own: IpNet) -> IpAddr {
    let mut hosts = own
        .hosts()
        .filter(|host| *host != own.addr() && *host != own.network());
    hosts.next().unwrap_or(own.addr())
}

fn is_broadcast(net: &IpNet, address: IpAddr) -> bool {
    address.is_ipv4() && address == net.broadcast()
}
