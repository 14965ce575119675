//! E0414: a destination in another network, and no router.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::rules::gateway_outside::router_in;
use crate::schema::{Addressing, Device, Document, Host};
use crate::source::{Located, Span};
use std::net::IpAddr;

pub(crate) static RULE: Rule = Rule {
    code: "E0414",
    title: "this is in another network, and there is no gateway",
    text: "Packets to another network go by a router. The own address is fixed and names no `gateway`, so \
           this destination can never be reached.",
    example: example!("needs-gateway"),
    repair: &[(
        "address = \"192.0.2.11/24\"\n",
        "address = \"192.0.2.11/24\"\ngateway = \"192.0.2.1\"\n",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    for device in document.devices() {
        let Some(address) = fixed_without_gateway(document, device) else {
            continue;
        };
        let Addressing::Static(own) = address.value else {
            continue;
        };
        for (destination, span) in destinations(document, device) {
            if !own.0.contains(&destination) {
                findings.push(
                    RULE.at(span, format!("not in {}", own.0.trunc()))
                        .saying(format!(
                            "{destination} is in another network, and there is no gateway"
                        ))
                        .also(address.span, "our address and network")
                        .help(format!(
                            "add the network's router beside `address`, such as `gateway = \"{}\"`",
                            router_in(own.0)
                        )),
                );
            }
        }
    }
}

fn fixed_without_gateway<'a>(document: &'a Document, device: &Device) -> Option<&'a Located<Addressing>> {
    let interface = document.interface_of(device)?;
    if interface.gateway.is_some()
        || interface.is_unclear("gateway")
        || !(device.has_stack() || device.logs())
    {
        return None;
    }
    interface.address.as_ref()
}

/// Addresses that this NIC's own stack sends to: the ends of its tunnel, and the log's collector outside of
/// one.
fn destinations(document: &Document, device: &Device) -> Vec<(IpAddr, Span)> {
    let tunnel = device
        .tunnel
        .as_ref()
        .and_then(|name| document.tunnel_named(name.value.as_str()));
    let endpoints = tunnel.into_iter().flat_map(|tunnel| tunnel.table.peers());
    let mut destinations: Vec<_> = endpoints
        .filter_map(|peer| peer.endpoint.as_ref())
        .filter_map(|endpoint| match endpoint.value.host {
            Host::Address(address) => Some((address, endpoint.span)),
            Host::Name(_) => None,
        })
        .collect();
    if let Some(syslog) = document.syslog.as_ref().filter(|_| device.logs()) {
        let outside = syslog
            .via
            .as_ref()
            .map_or(tunnel.is_none(), |via| via.value.as_str() == "outside");
        // A hardware address that is said may be the router's.
        if let Some(to) = syslog.to.as_ref().filter(|_| outside && syslog.mac.is_none()) {
            destinations.push((to.value.address, to.span));
        }
    }
    let echo = document.echo.as_ref().filter(|_| device.has_stack());
    if let Some(client) = echo.and_then(|echo| echo.client.as_ref()) {
        destinations.push((client.value.0.ip(), client.span));
    }
    destinations
}
