//! E0411: DHCP with what DHCP tells.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Addressing;

pub(crate) static RULE: Rule = Rule {
    code: "E0411",
    title: "DHCP tells this itself",
    text: "With `address = \"dhcp\"` the network tells the address, the gateway and the name servers. A \
           gateway beside it would be right in one network and wrong in the next.",
    example: example!("dhcp-and-static"),
    repair: &[("gateway = \"192.0.2.254\"\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for interface in context.document.interfaces() {
        let Some(address) = interface
            .address
            .as_ref()
            .filter(|it| it.value == Addressing::Dhcp)
        else {
            continue;
        };
        if let Some(gateway) = &interface.gateway {
            findings.push(
                RULE.at(gateway.span, "asked of the network")
                    .saying("`gateway` has no meaning with DHCP")
                    .also(address.span, "DHCP")
                    .help("remove `gateway`, or write a fixed `address = \"192.0.2.11/24\"`"),
            );
        }
    }
}
