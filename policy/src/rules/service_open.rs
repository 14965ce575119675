//! W0502: a service that the whole Internet, or nobody, may use.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "W0502",
    title: "a service for everybody or nobody",
    text: "`allow` lists who may reach a service of the appliance. A prefix of no bits is the whole \
           Internet, which is seldom meant; an empty list is nobody, which is what leaving the table out \
           says.",
    example: example!("service-open"),
    repair: &[("\"0.0.0.0/0\"", "\"192.0.2.0/24\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.document.services() {
        let name = service.name;
        let Some(allow) = service.allow else { continue };
        if allow.value.is_empty() {
            findings.push(
                RULE.at(allow.span, "nobody")
                    .saying(format!("nobody may reach `[{name}]`"))
                    .help(format!(
                        "list who may, or remove `[{name}]`: it is off unless said"
                    )),
            );
        }
        for network in allow
            .value
            .iter()
            .filter(|network| network.value.0.prefix_len() == 0)
        {
            findings.push(
                RULE.at(network.span, "everybody")
                    .saying(format!("everybody may reach `[{name}]`"))
                    .help(
                        "list the hosts and networks that need it, for example `allow = [\"192.0.2.0/24\"]`",
                    ),
            );
        }
    }
}
