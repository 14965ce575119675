//! E0301: a volume that is named but not described.

use crate::context::Context;
use crate::findings::{Findings, Rule, nearest};
use crate::repair;

pub(crate) static RULE: Rule = Rule {
    code: "E0301",
    title: "there is no such volume",
    text: "`volumes` names tables `[volume.NAME]` of the same file.",
    example: example!("unknown-volume"),
    repair: &[("[\"systen\"]", "[\"system\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    if document.volume.is_none() && document.is_unclear("volume") {
        return;
    }
    for name in document.devices().iter().flat_map(|device| device.volume_names()) {
        let written = name.value.as_str();
        if document.volume_named(written).is_some() {
            continue;
        }
        let known = document.volumes().iter().map(|volume| volume.name.value.as_str());
        let edit = repair::word(name.span, written, known.clone());
        let help = match nearest(written, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("describe it in a table `[volume.{written}]`"),
        };
        findings.push(
            RULE.at(name.span, "not described")
                .saying(format!("there is no volume `{written}`"))
                .help(help)
                .repaired_by(edit),
        );
    }
}
