//! E0303: one volume on two controllers.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Device;

pub(crate) static RULE: Rule = Rule {
    code: "E0303",
    title: "one volume on two controllers",
    text: "A volume is one region of one disk, so it hangs on one controller. Two disks with one key would \
           also show where their sectors are alike.",
    example: example!("volume-twice"),
    repair: &[("driver = \"ata\"\nvolumes = [\"system\"]", "driver = \"conceal\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    // Volumes on another device are refused by a rule of their own.
    let has_disks = |device: &&Device| {
        device
            .driver
            .as_ref()
            .is_none_or(|driver| driver.value.is_storage())
    };
    let devices: Vec<&Device> = context.document.devices().iter().filter(has_disks).collect();
    for (place, device) in devices.iter().enumerate() {
        for name in device.volume_names() {
            let earlier = devices
                .iter()
                .take(place)
                .flat_map(|device| device.volume_names());
            if let Some(first) = earlier.into_iter().find(|earlier| earlier.value == name.value) {
                let written = name.value.as_str();
                findings.push(
                    RULE.at(name.span, "second controller")
                        .saying(format!("volume `{written}` is on two controllers"))
                        .also(first.span, "first controller")
                        .help("describe a volume of its own for each disk"),
                );
            }
        }
    }
}
