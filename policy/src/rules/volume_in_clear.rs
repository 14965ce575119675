//! E0308: a partition that is both encrypted and in clear.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::{ClearPartition, Volume};

pub(crate) static RULE: Rule = Rule {
    code: "E0308",
    title: "a partition is both a volume and in clear",
    text: "`[clear]` lists partitions whose sectors are stored as the guest writes them. A partition that is \
           also a volume would be both; decide for one.",
    example: example!("volume-in-clear"),
    repair: &[("[\"esp\", 3]", "[\"esp\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let Some(clear) = document
        .clear
        .as_ref()
        .and_then(|clear| clear.partitions.as_ref())
    else {
        return;
    };
    for partition in &clear.value {
        for volume in document.volumes() {
            if is_same(&partition.value, &volume.table) {
                let place = volume
                    .table
                    .places()
                    .first()
                    .map_or(volume.name.span, |(_, span)| *span);
                findings.push(
                    RULE.at(partition.span, "in clear")
                        .saying(format!(
                            "partition {} is both volume `{}` and in clear",
                            partition.value, volume.name.value
                        ))
                        .also(place, "encrypted")
                        .help("remove it from `[clear]` if it is to be encrypted, else remove the volume"),
                );
            }
        }
    }
}

fn is_same(partition: &ClearPartition, volume: &Volume) -> bool {
    match partition {
        ClearPartition::Esp => false,
        ClearPartition::Number(number) => volume.partition.as_ref().is_some_and(|it| it.value == *number),
        ClearPartition::Uuid(uuid) => volume.partition_uuid.as_ref().is_some_and(|it| it.value == *uuid),
        ClearPartition::Label(label) => volume
            .partition_label
            .as_ref()
            .is_some_and(|it| it.value == *label),
    }
}
