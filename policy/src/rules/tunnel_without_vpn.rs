//! E0402: a tunnel on a NIC whose packets do not go through it.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::NetModule;

pub(crate) static RULE: Rule = Rule {
    code: "E0402",
    title: "`tunnel` needs `net = \"vpn\"`",
    text: "A rule that names a tunnel looks protected. Only `net = \"vpn\"` sends the guest's packets \
           through it; every other module sends them past it, or none at all.",
    example: example!("tunnel-without-vpn"),
    repair: &[("net = \"pass\"", "net = \"vpn\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let Some(tunnel) = device.tunnel.as_ref().filter(|_| !device.uses(NetModule::Vpn)) else {
            continue;
        };
        // On a device that is no NIC another rule says so.
        let is_no_nic = device
            .driver
            .as_ref()
            .is_some_and(|driver| !driver.value.is_network());
        if is_no_nic || device.is_unclear("net") {
            continue;
        }
        let diagnostic = RULE.at(tunnel.span, "nothing goes through it").saying(format!(
            "rule `{}` names a tunnel that its packets do not use",
            device.title()
        ));
        findings.push(match &device.net {
            Some(net) => diagnostic
                .also(net.span, "the guest's packets go this way")
                .help("write `net = \"vpn\"`, or remove `tunnel`"),
            None => diagnostic.help("add `net = \"vpn\"`, or remove `tunnel`"),
        });
    }
}
