//! E0415: an own address on a NIC that has no use for it.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0415",
    title: "the appliance uses no address on this NIC",
    text: "`ip` gives the appliance an address on a NIC. It is used with `ip`, `ippass` and `vpn`, where its \
           own stack is on the NIC, and where syslog leaves by it.",
    example: example!("ip-without-stack"),
    repair: &[("net = \"pass\"", "net = \"ippass\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let is_nic = device
            .driver
            .as_ref()
            .is_some_and(|driver| driver.value.is_network());
        let (Some(ip), true) = (&device.ip, is_nic) else {
            continue;
        };
        if !device.has_stack() && !device.logs() {
            findings.push(
                RULE.at(ip.span, "nothing uses it")
                    .saying(format!(
                        "the appliance uses no address on the NIC of rule `{}`",
                        device.title()
                    ))
                    .help("write `net = \"ippass\"` to share the NIC with the guest, or remove `ip`"),
            );
        }
    }
}
