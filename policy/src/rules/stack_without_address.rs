//! E0405: an own stack on a NIC, without an address.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0405",
    title: "the appliance has no address on this NIC",
    text: "With `ip`, `ippass` and `vpn` the appliance's own stack is on the NIC (a tunnel's packets leave \
           from it), so it needs an address: `[ip]`, or `[ip.NAME]` with `ip = \"NAME\"` on the rule.",
    example: example!("stack-without-address"),
    repair: &[("net = \"ip\"\n", "net = \"ip\"\n\n[ip]\naddress = \"dhcp\"\n")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.document.ip.is_none() && context.document.is_unclear("ip") {
        return;
    }
    for device in context.document.devices() {
        let Some(net) = device.net.as_ref().filter(|_| device.has_stack()) else {
            continue;
        };
        if device.ip.is_none() && !device.is_unclear("ip") && context.document.interface_of(device).is_none()
        {
            findings.push(
                RULE.at(net.span, "needs an address")
                    .saying(format!(
                        "the appliance has no address on the NIC of rule `{}`",
                        device.title()
                    ))
                    .help("add `[ip]` with `address = \"dhcp\"`, or a fixed `address` and `gateway`"),
            );
        }
    }
}
