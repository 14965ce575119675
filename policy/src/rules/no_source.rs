//! E0425: messages without an address to come from.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Syslog;

pub(crate) static RULE: Rule = Rule {
    code: "E0425",
    title: "the log has no source address",
    text: "Messages leave with an address of ours: that of `[ip]`, or `source` where the appliance has no \
           stack on the NIC.",
    example: example!("no-source"),
    repair: &[(
        "to = \"192.0.2.1\"\n",
        "to = \"192.0.2.1\"\nsource = \"192.0.2.11\"\n",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let lacks = |syslog: &&Syslog| syslog.source.is_none() && !syslog.is_unclear("source");
    let Some(syslog) = document.syslog.as_ref().filter(lacks) else {
        return;
    };
    if document.ip.is_none() && document.is_unclear("ip") {
        return;
    }
    for device in document.devices().iter().filter(|device| device.logs()) {
        // A stack without an address, and a table that does not exist, are errors of their own.
        if document.interface_of(device).is_none()
            && device.ip.is_none()
            && !device.has_stack()
            && !device.is_unclear("net")
        {
            findings.push(
                RULE.at(syslog.span, "`source` is missing here")
                    .also(device.place(), "the log leaves by this NIC, which has no address")
                    .help("add `source = \"192.0.2.11\"`, or an own address with `[ip]`"),
            );
        }
    }
}
