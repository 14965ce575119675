//! W0312: partition tables that the guest may write.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::GptAccess;

pub(crate) static RULE: Rule = Rule {
    code: "W0312",
    title: "the guest may write the partition tables",
    text: "With `gpt = \"write\"` the guest can move its own partitions. The appliance then refuses to boot, \
           because the tables no longer agree with what `disk encrypt` recorded, until the disk is encrypted \
           anew.",
    example: example!("gpt-writable"),
    repair: &[("gpt = \"write\"", "gpt = \"read-only\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let gpt = context
        .document
        .clear
        .as_ref()
        .and_then(|clear| clear.gpt.as_ref());
    if let Some(gpt) = gpt.filter(|gpt| gpt.value == GptAccess::Write) {
        findings.push(
            RULE.at(gpt.span, "moved partitions stop the next boot")
                .help("write `gpt = \"read-only\"`, or leave it out, once the disk is partitioned"),
        );
    }
}
