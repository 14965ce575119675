//! E0111: a list with nothing in it.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0111",
    title: "an empty list",
    text: "A list that decides something cannot be empty: a tunnel without peers reaches nobody, and a \
           storage controller without volumes refuses every sector. Leave the key out, or say what is meant.",
    example: example!("empty-list"),
    repair: &[("allowed-ips = []", "allowed-ips = [\"0.0.0.0/0\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let mut report = |key: &str, length: usize, span: Span, example: &str| {
        if length == 0 {
            let finding = RULE
                .at(span, "nothing in it")
                .saying(format!("`{key}` is an empty list"));
            findings.push(finding.help(format!("write what is meant, for example `{key} = [{example}]`")));
        }
    };
    let devices = document
        .devices()
        .iter()
        .filter(|device| !device.is_unclear("volumes"));
    for volumes in devices.filter_map(|device| device.volumes.as_ref()) {
        report("volumes", volumes.value.len(), volumes.span, "\"system\"");
    }
    for tunnel in document.tunnels().iter().map(|tunnel| &tunnel.table) {
        if let Some(address) = tunnel.address.as_ref().filter(|_| !tunnel.is_unclear("address")) {
            report("address", address.value.len(), address.span, "\"10.66.0.2/32\"");
        }
        let peers = tunnel
            .peers()
            .iter()
            .filter(|peer| !peer.is_unclear("allowed-ips"));
        for ips in peers.filter_map(|peer| peer.allowed_ips.as_ref()) {
            report("allowed-ips", ips.value.len(), ips.span, "\"0.0.0.0/0\"");
        }
    }
    let unlock = document
        .unlock
        .as_ref()
        .filter(|unlock| !unlock.is_unclear("methods"));
    if let Some(methods) = unlock.and_then(|unlock| unlock.methods.as_ref()) {
        report(
            "methods",
            methods.value.len(),
            methods.span,
            "\"passphrase\", \"recovery\"",
        );
    }
}
