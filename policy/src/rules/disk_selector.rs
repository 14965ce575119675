//! E0310: a disk that is named in no way, or in several.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0310",
    title: "a disk is named in one way",
    text: "`disk` holds exactly one of `serial`, `port` and `disk-uuid`. With two, a disk that was moved to \
           another port would be another disk or none, and nobody could say which.",
    example: example!("disk-selector"),
    repair: &[("{ serial = \"S3Z9NB0K\", port = 0 }", "{ serial = \"S3Z9NB0K\" }")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for disk in context
        .document
        .volumes()
        .iter()
        .filter_map(|volume| volume.table.disk.as_ref())
    {
        if !disk.unclear.is_empty() {
            continue;
        }
        match disk.selectors().as_slice() {
            [] => findings.push(
                RULE.at(disk.span, "which disk?")
                    .saying("`disk` does not say which")
                    .help("write `{ serial = \"…\" }`, `{ port = 0 }` or `{ disk-uuid = \"…\" }`"),
            ),
            [_] => {}
            [(first, _, place), rest @ ..] => {
                for (key, _, span) in rest {
                    findings.push(
                        RULE.at(*span, "a second way")
                            .saying("a disk is named in two ways")
                            .also(*place, "a first way")
                            .help(format!(
                                "keep either `{first}` or `{key}`; a serial number moves with the disk"
                            )),
                    );
                }
            }
        }
    }
}
