//! E0209: a driver on devices that it is not made for.

use crate::classes::ClassSet;
use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0209",
    title: "the driver is not made for these devices",
    text: "A driver speaks to one kind of device: `ahci` to class 0106, `ata` to 0101, `pro1000` to Ethernet \
           controllers of class 0200. The items of this rule select devices of other classes only.",
    example: example!("driver-class"),
    repair: &[("class = \"02*\"", "device = \"ahci\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (device, entry) in context.rules() {
        let (Some(written), Some(entry)) = (&device.driver, entry) else {
            continue;
        };
        let Some(driver) = entry.driver() else { continue };
        let mediates = written.value.is_storage() || written.value.is_network();
        if mediates
            && ClassSet::of_entry(entry)
                .common(&ClassSet::of_driver(driver))
                .is_none()
        {
            let diagnostic = RULE
                .at(
                    written.span,
                    format!("`{driver}` cannot drive what this rule matches"),
                )
                .saying(format!(
                    "driver `{driver}` is not made for the devices of rule `{}`",
                    device.title()
                ))
                .help(format!(
                    "match the driver's own devices: `match = {{ device = \"{driver}\" }}`"
                ));
            findings.push(match &device.matching {
                Some(matching) => diagnostic.also(matching.span, "devices of another class"),
                None => diagnostic,
            });
        }
    }
}
