//! E0426: a way for the log that the logging NIC does not have.

use crate::context::Context;
use crate::findings::{Findings, Rule, choices};

/// The word that is no tunnel's name.
/// What `via` says where the log does not go through a tunnel.
pub(crate) const OUTSIDE: &str = "outside";

pub(crate) static RULE: Rule = Rule {
    code: "E0426",
    title: "the logging NIC does not have this way",
    text: "`via` is `outside`, or the tunnel of the NIC that carries the log. Without `via` the log goes \
           through the NIC's tunnel where it has one.",
    example: example!("unknown-via"),
    repair: &[("via = \"hg\"", "via = \"hq\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let Some(via) = document.syslog.as_ref().and_then(|syslog| syslog.via.as_ref()) else {
        return;
    };
    let logging = || document.devices().iter().filter(|device| device.logs());
    let written = via.value.as_str();
    let tunnels: Vec<&str> = logging()
        .filter_map(|device| Some(device.tunnel.as_ref()?.value.as_str()))
        .collect();
    if written == OUTSIDE
        || tunnels.contains(&written)
        || logging().next().is_none()
        || document.some_device_is_unclear("tunnel")
    {
        return;
    }
    let known = choices(tunnels.into_iter().chain([OUTSIDE]));
    findings.push(
        RULE.at(via.span, "not a way of the logging NIC")
            .saying(format!("the log cannot go by `{written}`"))
            .help(format!("write {known}")),
    );
}
