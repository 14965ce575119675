//! E0304: a volume that is nowhere, or in several places.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0304",
    title: "a volume has one place",
    text: "A volume says where it is by exactly one of `partition`, `partition-label`, `partition-uuid` and \
           `lba`.",
    example: example!("volume-place"),
    repair: &[("partition-label = \"root\"\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for volume in context.document.volumes() {
        let name = &volume.name.value;
        let keys = ["partition", "partition-label", "partition-uuid", "lba"];
        if keys.iter().any(|key| volume.table.is_unclear(key)) {
            continue;
        }
        match volume.table.places().as_slice() {
            [] => findings.push(
                RULE.at(volume.name.span, "where on the disk?")
                    .saying(format!("volume `{name}` does not say where it is"))
                    .help(
                        "add `partition = 3`, `partition-label`, `partition-uuid`, or `lba = [first, last]`",
                    ),
            ),
            [_] => {}
            [(first, place), rest @ ..] => {
                for (key, span) in rest {
                    findings.push(
                        RULE.at(*span, "a second place")
                            .saying(format!("volume `{name}` says in two ways where it is"))
                            .also(*place, "a first place")
                            .help(format!("keep either `{first}` or `{key}`")),
                    );
                }
            }
        }
    }
}
