//! W0501: a service on no network.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Device;

pub(crate) static RULE: Rule = Rule {
    code: "W0501",
    title: "nobody can reach this service",
    text: "Services listen on the appliance's own stack, which is on NICs with `net = \"ip\"`, `\"ippass\"` \
           or `\"vpn\"`. No rule has one.",
    example: example!("service-unreachable"),
    repair: &[(
        "net = \"pass\"",
        "net = \"ippass\"\n\n[ip]\naddress = \"192.0.2.11/24\"",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.devices().iter().any(wants_stack) || document.some_device_is_unclear("net") {
        return;
    }
    for service in document.services() {
        let name = service.name;
        findings.push(
            RULE.at(service.span, "on no NIC")
                .saying(format!(
                    "nobody can reach `[{name}]`: the appliance's stack is on no NIC"
                ))
                .help(format!(
                    "use `net = \"ippass\"` on the rule of a NIC, with its address in `[ip]` as \
                     `address = \"192.0.2.11/24\"`, or remove `[{name}]`"
                )),
        );
    }
}

/// Also on a device that is no NIC: that is told by another rule.
fn wants_stack(device: &Device) -> bool {
    device.net.as_ref().is_some_and(|net| net.value.has_stack())
}
