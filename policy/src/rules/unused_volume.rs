//! E0302: a volume that is described but on no disk.

use crate::context::Context;
use crate::findings::{Findings, Rule, nearest};

pub(crate) static RULE: Rule = Rule {
    code: "E0302",
    title: "no rule uses this volume",
    text: "A volume encrypts nothing until the rule of a storage controller names it. A volume that somebody \
           described and believes in is therefore an error, not a remark.",
    example: example!("unused-volume"),
    repair: &[("volumes = [\"system\"]", "volumes = [\"system\", \"data\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.some_device_is_unclear("volumes") {
        return;
    }
    let used: Vec<&str> = document
        .devices()
        .iter()
        .flat_map(|device| device.volume_names())
        .map(|name| name.value.as_str())
        .collect();
    // A slip in the name is told where the name is used.
    let dangling = || {
        used.iter()
            .copied()
            .filter(|name| document.volume_named(name).is_none())
    };
    for volume in document.volumes() {
        let name = volume.name.value.as_str();
        if used.contains(&name) || dangling().any(|slip| nearest(slip, [name]).is_some()) {
            continue;
        }
        findings.push(
            RULE.at(volume.name.span, "on no disk")
                .saying(format!(
                    "no rule uses volume `{name}`, so nothing of it is encrypted"
                ))
                .help(format!(
                    "name it in the rule of its storage controller: `volumes = [\"{name}\"]`"
                )),
        );
    }
}
