//! E0120: a list that says something twice.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::source::Located;

pub(crate) static RULE: Rule = Rule {
    code: "E0120",
    title: "said twice in one list",
    text: "A list names each thing once. The second is a slip for something else, or too much.",
    example: example!("repeated-item"),
    repair: &[("[\"esp\", \"esp\"]", "[\"esp\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    for device in document.devices() {
        check_list(device.volume_names(), findings);
    }
    if let Some(partitions) = document
        .clear
        .as_ref()
        .and_then(|clear| clear.partitions.as_ref())
    {
        check_list(&partitions.value, findings);
    }
    if let Some(methods) = document
        .unlock
        .as_ref()
        .and_then(|unlock| unlock.methods.as_ref())
    {
        check_list(&methods.value, findings);
    }
    for service in document.services() {
        check_list(service.allow.as_ref().map_or(&[], |allow| &allow.value), findings);
    }
}

fn check_list<T: PartialEq>(list: &[Located<T>], findings: &mut Findings) {
    for (place, item) in list.iter().enumerate() {
        if let Some(first) = list
            .iter()
            .take(place)
            .find(|earlier| earlier.value == item.value)
        {
            findings.push(
                RULE.at(item.span, "second time")
                    .also(first.span, "first time")
                    .help("remove one of the two"),
            );
        }
    }
}
