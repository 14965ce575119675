//! E0213: a storage controller that would refuse every sector.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0213",
    title: "a storage driver without volumes",
    text: "A storage controller that a driver of ours takes refuses every sector of which nothing is said: \
           neither a volume nor `[clear]`. Without `volumes` nothing could be stored on its disks.",
    example: example!("storage-without-volumes"),
    repair: &[("driver = \"ahci\"\n", "driver = \"conceal\"\n")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let Some(driver) = &device.driver else { continue };
        if driver.value.is_storage() && device.volumes.is_none() && !device.is_unclear("volumes") {
            findings.push(
                RULE.at(driver.span, "its disks have no volumes")
                    .saying(format!(
                        "rule `{}` takes disks but names no volumes",
                        device.title()
                    ))
                    .help(
                        "add `volumes = [\"system\"]` with `[volume.system]`, or hide the disks by `conceal`",
                    ),
            );
        }
    }
}
