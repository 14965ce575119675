//! E0422: a collector for the log, and no NIC that carries it.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0422",
    title: "no NIC carries the log",
    text: "`[syslog]` says to whom the log goes; a rule with `log = true` says by which NIC. Without one the \
           collector hears nothing.",
    example: example!("syslog-without-log"),
    repair: &[("net = \"ippass\"\n", "net = \"ippass\"\nlog = true\n")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(syslog) = &context.document.syslog else {
        return;
    };
    let logs = context
        .document
        .devices()
        .iter()
        .any(|device| device.log.as_ref().is_some_and(|log| log.value));
    if !logs && !context.document.some_device_is_unclear("log") {
        findings.push(
            RULE.at(syslog.span, "sent by no NIC")
                .help("add `log = true` to the rule of the NIC, which has `driver = \"pro1000\"`"),
        );
    }
}
