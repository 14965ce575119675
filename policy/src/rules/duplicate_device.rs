//! E0201: two rules of one name.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0201",
    title: "two rules have the same name",
    text: "A rule's name is how plans, the log and the compiled policy refer to it, so each rule has a name \
           of its own.",
    example: example!("duplicate-device"),
    repair: &[(
        "name = \"nic\"\nmatch = { id = \"8086:10d3\" }",
        "name = \"nic-2\"\nmatch = { id = \"8086:10d3\" }",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let names: Vec<_> = context
        .document
        .devices()
        .iter()
        .filter_map(|device| device.name.as_ref())
        .collect();
    for (place, name) in names.iter().enumerate() {
        if let Some(first) = names
            .iter()
            .take(place)
            .find(|earlier| earlier.value == name.value)
        {
            findings.push(
                RULE.at(name.span, "second time")
                    .saying(format!("two rules are named `{}`", name.value.as_str()))
                    .also(first.span, "first time")
                    .help(format!(
                        "give this rule another name, for example `{}-2`",
                        name.value.as_str()
                    )),
            );
        }
    }
}
