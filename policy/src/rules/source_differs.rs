//! E0424: messages that would claim another address than they come from.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::rules::not_a_host;
use crate::schema::Addressing;

pub(crate) static RULE: Rule = Rule {
    code: "E0424",
    title: "the log's source is not our address",
    text: "`source` is the address that messages come from. The logging NIC has a fixed address in `[ip]`, \
           and this is another one: answers and ARP requests for it would find nobody. It may be left out \
           beside `[ip]`.",
    example: example!("source-differs"),
    repair: &[("source = \"192.0.2.12\"", "source = \"192.0.2.11\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let Some(source) = document.syslog.as_ref().and_then(|syslog| syslog.source.as_ref()) else {
        return;
    };
    for device in document.devices().iter().filter(|device| device.logs()) {
        let Some(address) = document
            .interface_of(device)
            .and_then(|interface| interface.address.as_ref())
        else {
            continue;
        };
        if let Addressing::Static(own) = address.value
            && own.0.addr() != source.value
            && not_a_host::remark(own.0).is_none()
        {
            findings.push(
                RULE.at(source.span, "another address")
                    .saying(format!(
                        "syslog's source {} is not our address {}",
                        source.value,
                        own.0.addr()
                    ))
                    .also(address.span, "our address")
                    .help(format!("write `source = \"{}\"`, or leave it out", own.0.addr())),
            );
        }
    }
}
