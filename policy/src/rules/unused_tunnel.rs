//! W0404: a tunnel that nothing goes through.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "W0404",
    title: "no rule uses this tunnel",
    text: "A tunnel is set up when the rule of a NIC names it. This one is never used; perhaps the rule of a \
           NIC lacks `net = \"vpn\"` and `tunnel`.",
    example: example!("unused-tunnel"),
    repair: &[("net = \"pass\"", "net = \"vpn\"\ntunnel = \"hq\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let named = |name: &str| {
        let mut tunnels = document
            .devices()
            .iter()
            .filter_map(|device| device.tunnel.as_ref());
        tunnels.any(|tunnel| tunnel.value.as_str() == name)
    };
    if document.some_device_is_unclear("tunnel") || document.some_device_is_unclear("net") {
        return;
    }
    // A rule without its tunnel, or with a misspelt one, is an error of its own.
    let waits = document.devices().iter().any(|device| match &device.tunnel {
        Some(tunnel) => document.tunnel_named(tunnel.value.as_str()).is_none(),
        None => device.uses(crate::schema::NetModule::Vpn),
    });
    for tunnel in document.tunnels() {
        let name = tunnel.name.value.as_str();
        if !waits && !named(name) {
            findings.push(
                RULE.at(tunnel.name.span, "nothing goes through it")
                    .saying(format!("no rule uses tunnel `{name}`"))
                    .help(format!(
                        "add `net = \"vpn\"` and `tunnel = \"{name}\"` to the rule of a NIC, or remove it"
                    )),
            );
        }
    }
}
