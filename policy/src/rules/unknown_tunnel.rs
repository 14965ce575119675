//! E0403: a tunnel that is named but not described.

use crate::context::Context;
use crate::findings::{Findings, Rule, nearest};
use crate::repair;

pub(crate) static RULE: Rule = Rule {
    code: "E0403",
    title: "there is no such tunnel",
    text: "`tunnel` names a table `[tunnel.NAME]` of the same file.",
    example: example!("unknown-tunnel"),
    repair: &[("tunnel = \"qh\"", "tunnel = \"hq\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.tunnel.is_none() && document.is_unclear("tunnel") {
        return;
    }
    for tunnel in document
        .devices()
        .iter()
        .filter_map(|device| device.tunnel.as_ref())
    {
        let written = tunnel.value.as_str();
        if document.tunnel_named(written).is_some() {
            continue;
        }
        let known = document.tunnels().iter().map(|tunnel| tunnel.name.value.as_str());
        let edit = repair::word(tunnel.span, written, known.clone());
        let help = match nearest(written, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "describe it in a table `[tunnel.{written}]` with `address`, `private-key` and a peer"
            ),
        };
        findings.push(
            RULE.at(tunnel.span, "not described")
                .saying(format!("there is no tunnel `{written}`"))
                .help(help)
                .repaired_by(edit),
        );
    }
}
