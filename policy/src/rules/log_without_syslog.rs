//! E0421: a NIC for the log, and nowhere to send it.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0421",
    title: "`log` needs `[syslog]`",
    text: "`log = true` makes syslog leave by this NIC; `[syslog]` says to whom.",
    example: example!("log-without-syslog"),
    repair: &[("log = true\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if context.document.syslog.is_some() || context.document.is_unclear("syslog") {
        return;
    }
    for device in context.document.devices() {
        if let Some(log) = device.log.as_ref().filter(|_| device.logs()) {
            findings.push(
                RULE.at(log.span, "to whom?")
                    .saying("a NIC carries the log, but there is no `[syslog]`")
                    .help("add `[syslog]` with `to = \"192.0.2.1\"`, or remove `log`"),
            );
        }
    }
}
