//! E0406: an own address that is named but not described.

use crate::context::Context;
use crate::findings::{Findings, Rule, nearest};
use crate::schema::Interfaces;

pub(crate) static RULE: Rule = Rule {
    code: "E0406",
    title: "there is no such address table",
    text: "`ip` on a rule names a table `[ip.NAME]` of the same file.",
    example: example!("unknown-ip"),
    repair: &[("ip = \"offices\"", "ip = \"office\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.ip.is_none() && document.is_unclear("ip") {
        return;
    }
    for name in document.devices().iter().filter_map(|device| device.ip.as_ref()) {
        let written = name.value.as_str();
        let members: &[_] = document.ip.as_ref().map_or(&[], Interfaces::members);
        if members.iter().any(|member| member.name.value == written) {
            continue;
        }
        let help = match nearest(written, members.iter().map(|member| member.name.value.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("describe it in a table `[ip.{written}]` with `address` and `gateway`"),
        };
        findings.push(
            RULE.at(name.span, "not described")
                .saying(format!("there is no table `[ip.{written}]`"))
                .help(help),
        );
    }
}
