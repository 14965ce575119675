//! E0216: `atapi` on something that is not a mediated storage controller.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0216",
    title: "`atapi` needs a storage controller's driver",
    text: "`atapi` says what the guest may do with the CD and DVD drives of a controller that a driver of ours \
           takes: `ahci` or `ata`. On any other device it would promise something that nobody does.",
    example: example!("atapi-without-disk"),
    repair: &[("atapi = \"read\"\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let (Some(atapi), Some(driver)) = (&device.atapi, &device.driver) else {
            continue;
        };
        if !driver.value.is_storage() {
            let word = driver.value.word();
            findings.push(
                RULE.at(atapi.span, format!("`{word}` has no drives"))
                    .saying(format!("`atapi` has no meaning with driver `{word}`"))
                    .also(driver.span, "the driver")
                    .help("move `atapi` to the rule of the disk, with `driver = \"ahci\"` or `\"ata\"`, or remove it"),
            );
        }
    }
}
