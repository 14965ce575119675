//! E0427: IPv4 on one end of the log and IPv6 on the other.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0427",
    title: "the log's two ends are of different IP versions",
    text: "A packet is IPv4 or IPv6 on both ends, so `to` and `source` are of one version.",
    example: example!("address-family"),
    repair: &[("source = \"2001:db8::11\"", "source = \"192.0.2.11\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(syslog) = &context.document.syslog else {
        return;
    };
    let (Some(to), Some(source)) = (&syslog.to, &syslog.source) else {
        return;
    };
    if to.value.address.is_ipv4() != source.value.is_ipv4() {
        let version = |is_ipv4| if is_ipv4 { "IPv4" } else { "IPv6" };
        findings.push(
            RULE.at(source.span, version(source.value.is_ipv4()))
                .also(to.span, version(to.value.address.is_ipv4()))
                .help("write both as IPv4, such as `192.0.2.11`, or both as IPv6, such as `2001:db8::11`"),
        );
    }
}
