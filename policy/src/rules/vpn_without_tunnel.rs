//! E0401: `net = "vpn"` that does not say through which tunnel.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::NetModule;

pub(crate) static RULE: Rule = Rule {
    code: "E0401",
    title: "`net = \"vpn\"` needs a tunnel",
    text: "With `net = \"vpn\"` the guest reaches the network through a tunnel and in no other way, so the \
           rule names the tunnel, and a table `[tunnel.NAME]` describes it.",
    example: example!("vpn-without-tunnel"),
    repair: &[("net = \"vpn\"\n", "net = \"vpn\"\ntunnel = \"hq\"\n")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let lacks_tunnel = device.tunnel.is_none() && !device.is_unclear("tunnel");
        let Some(net) = device
            .net
            .as_ref()
            .filter(|_| device.uses(NetModule::Vpn) && lacks_tunnel)
        else {
            continue;
        };
        let known = context
            .document
            .tunnels()
            .first()
            .map_or("hq", |tunnel| tunnel.name.value.as_str());
        findings.push(
            RULE.at(net.span, "through which tunnel?")
                .saying(format!(
                    "rule `{}` has `net = \"vpn\"` but no tunnel",
                    device.title()
                ))
                .help(format!(
                    "add `tunnel = \"{known}\"`, with its table `[tunnel.{known}]`"
                )),
        );
    }
}
