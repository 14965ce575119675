//! E0212: volumes on something that is not a mediated storage controller.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0212",
    title: "`volumes` needs a storage controller's driver",
    text: "Volumes are encrypted on their way to a disk, so they hang on a rule whose driver is `ahci` or \
           `ata`.",
    example: example!("volumes-without-disk"),
    repair: &[("net = \"pass\"\nvolumes = [\"system\"]", "net = \"pass\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let (Some(volumes), Some(driver)) = (&device.volumes, &device.driver) else {
            continue;
        };
        if !driver.value.is_storage() {
            let word = driver.value.word();
            findings.push(
                RULE.at(volumes.span, format!("`{word}` has no disks"))
                    .saying(format!("`volumes` has no meaning with driver `{word}`"))
                    .also(driver.span, "the driver")
                    .help("move `volumes` to the rule of the disk, with `driver = \"ahci\"` or `\"ata\"`"),
            );
        }
    }
}
