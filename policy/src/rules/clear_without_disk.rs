//! W0313: `[clear]` where no disk is mediated.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "W0313",
    title: "`[clear]` has no disk to be about",
    text: "`[clear]` names sectors of disks that a driver of ours takes. No rule has the driver `ahci` or \
           `ata`, so disks are passed or concealed whole.",
    example: example!("clear-without-disk"),
    repair: &[("\n[clear]\npartitions = [\"esp\"]\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(clear) = &context.document.clear else {
        return;
    };
    // A driver that could not be read may have been a storage driver.
    let maybe_storage = |device: &crate::schema::Device| match &device.driver {
        Some(driver) => driver.value.is_storage(),
        None => true,
    };
    let unread = context.document.some_device_is_unclear("driver");
    if !unread && !context.document.devices().iter().any(maybe_storage) {
        findings.push(
            RULE.at(clear.span, "no rule takes a disk")
                .help("add a `[[device]]` with `driver = \"ahci\"`, or remove `[clear]`"),
        );
    }
}
