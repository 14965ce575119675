//! E0309: several disks, and a volume that does not say on which it is.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0309",
    title: "several disks fit this volume",
    text: "`disk` may be left out only if exactly one disk fits. Another volume of the same controller names \
           its disk, so there are several, and this volume could be on any of them.",
    example: example!("which-disk"),
    repair: &[("[volume.system]\n", "[volume.system]\ndisk = { port = 0 }\n")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    for device in document.devices() {
        let volumes = device
            .volume_names()
            .iter()
            .filter_map(|name| document.volume_named(name.value.as_str()));
        let (with, without): (Vec<_>, Vec<_>) = volumes
            .filter(|volume| !volume.table.is_unclear("disk"))
            .partition(|volume| volume.table.disk.is_some());
        let Some(named) = with.first().and_then(|volume| volume.table.disk.as_ref()) else {
            continue;
        };
        for volume in without {
            findings.push(
                RULE.at(volume.name.span, "on which disk?")
                    .saying(format!(
                        "volume `{}` does not say on which disk it is",
                        volume.name.value
                    ))
                    .also(named.span, "another volume of this controller names its disk")
                    .help("add `disk = { port = 0 }`, `{ serial = \"…\" }` or `{ disk-uuid = \"…\" }`"),
            );
        }
    }
}
