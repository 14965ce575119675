//! W0407: an own address that no NIC has.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Interfaces;

pub(crate) static RULE: Rule = Rule {
    code: "W0407",
    title: "no rule uses this address",
    text: "An address is used when the rule of a NIC names its table with `ip`. This one never is.",
    example: example!("unused-ip"),
    repair: &[
        ("net = \"ippass\"\n", "net = \"ippass\"\nip = \"office\"\n"),
        ("\n[ip]\naddress = \"dhcp\"\n", ""),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.some_device_is_unclear("ip") {
        return;
    }
    let used: Vec<&str> = document
        .devices()
        .iter()
        .filter_map(|device| Some(device.ip.as_ref()?.value.as_str()))
        .collect();
    let members: &[_] = document.ip.as_ref().map_or(&[], Interfaces::members);
    // A misspelt name on a rule is an error of its own.
    if used
        .iter()
        .any(|name| !members.iter().any(|member| member.name.value == *name))
    {
        return;
    }
    for member in members {
        let name = member.name.value.as_str();
        if !used.contains(&name) {
            findings.push(
                RULE.at(member.name.span, "on no NIC")
                    .saying(format!("no rule uses `[ip.{name}]`"))
                    .help(format!(
                        "add `ip = \"{name}\"` to the rule of a NIC, or remove the table"
                    )),
            );
        }
    }
}
